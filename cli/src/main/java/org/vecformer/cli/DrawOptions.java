package org.vecformer.cli;

import java.util.SplittableRandom;
import picocli.CommandLine.Option;

/** How a token is drawn from what the model tells. */
final class DrawOptions {
    /** What a temperature must be, for messages. */
    static final String TEMPERATURE = "a number above 0 (--greedy takes the most likely token)";

    @Option(names = "--greedy", description = "always take the most likely token")
    boolean greedy;

    @Option(names = "--temperature", paramLabel = "T", description = "divide the logits by T: below 1 bolder, above 1 wilder")
    Double temperature;

    @Option(names = "--top-k", paramLabel = "K", description = "draw from the K most likely tokens; 0 for all")
    Integer topK;

    @Option(names = "--top-p", paramLabel = "P", description = "draw from the most likely tokens that together have the probability P")
    Double topP;

    @Option(names = "--seed", paramLabel = "N", description = "the same seed gives the same text; without it a new one is taken and shown")
    Long seed;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        if (greedy && given()) {
            throw new UsageException(
                    "--greedy draws no tokens; --temperature, --top-k, --top-p and --seed do not go with it");
        }
        check("--temperature", temperature, isTemperature(temperature), TEMPERATURE);
        check("--top-k", topK, topK == null || topK >= 0, "0 (all tokens) or more");
        check("--top-p", topP, topP == null || topP > 0 && topP <= 1, "a number above 0 and up to 1");
    }

    /** Whether a temperature can be one; null for one that was not given. */
    static boolean isTemperature(Double temperature) {
        return temperature == null || temperature > 0 && temperature < Float.MAX_VALUE;
    }

    static void check(String name, Object value, boolean good, String expected) {
        if (!good) {
            throw new UsageException(name + " is " + value + "; expected " + expected);
        }
    }

    /** Whether an option was given that says that tokens are drawn. */
    boolean given() {
        return temperature != null || topK != null || topP != null || seed != null;
    }

    /** The seed; a new one, short enough to be typed, if none was given. */
    long seedOrNew() {
        return seed != null ? seed : new SplittableRandom().nextLong() >>> 33;
    }
}
