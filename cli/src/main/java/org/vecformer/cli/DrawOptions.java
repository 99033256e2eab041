package org.vecformer.cli;

import java.util.SplittableRandom;
import org.vecformer.engine.sampler.SamplerKind;
import org.vecformer.engine.sampler.Sampling;
import picocli.CommandLine.Option;

/** How a token is drawn from what the model tells. */
@Section("Drawing tokens")
final class DrawOptions {
    /** What a temperature must be, for messages. */
    static final String TEMPERATURE = "a number above 0 (--greedy takes the most likely token)";

    private static final double DEFAULT_XTC_THRESHOLD = 0.1;
    private static final double DEFAULT_MIROSTAT_ETA = 0.1;

    @Option(names = "--greedy", description = "always take the most likely token")
    boolean greedy;

    @Option(names = "--temperature", paramLabel = "T", description = "divide the logits by T: below 1 bolder, above 1 wilder")
    Double temperature;

    @Option(names = "--top-k", paramLabel = "K", description = "draw from the K most likely tokens; 0 for all")
    Integer topK;

    @Option(names = "--top-p", paramLabel = "P", description = "draw from the most likely tokens that together have the probability P")
    Double topP;

    @Option(names = "--min-p", paramLabel = "P", description = "draw from tokens with at least P times the largest probability")
    Double minP;

    @Option(names = "--typical-p", paramLabel = "P", description = "draw from the tokens that are nearest to the expected surprise and together have the probability P")
    Double typicalP;

    @Option(names = "--epsilon-cutoff", paramLabel = "P", description = "draw from tokens with at least the probability P")
    Double epsilonCutoff;

    @Option(names = "--eta-cutoff", paramLabel = "P", description = "the same, with a lower bound where the distribution is flat")
    Double etaCutoff;

    @Option(names = "--top-h", paramLabel = "H", description = "draw from the most likely tokens that have at most the share H of the entropy")
    Double topH;

    @Option(names = "--top-n-sigma", paramLabel = "N", description = "draw from tokens whose logits are at most N standard deviations below the largest; 0 for all")
    Double topNSigma;

    @Option(names = "--xtc-probability", paramLabel = "P", description = "with the probability P exclude top choices: of the tokens above a threshold all but the least likely")
    Double xtcProbability;

    @Option(names = "--xtc-threshold", paramLabel = "P", description = "that threshold (default: "
            + DEFAULT_XTC_THRESHOLD + ")")
    Double xtcThreshold;

    @Option(names = "--mirostat-tau", paramLabel = "BITS", description = "keep the surprise of the text near so many bits (Mirostat 2.0)")
    Double mirostatTau;

    @Option(names = "--mirostat-eta", paramLabel = "RATE", description = "how fast it is corrected (default: "
            + DEFAULT_MIROSTAT_ETA + ")")
    Double mirostatEta;

    @Option(names = "--seed", paramLabel = "N", description = "the same seed gives the same text; without it a new one is taken and shown")
    Long seed;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        if (greedy && given()) {
            throw new UsageException(
                    "--greedy draws no tokens; --temperature, --top-k, --top-p, --seed and what else is"
                            + " about drawing do not go with it");
        }
        Values.check("--temperature", temperature, Values.isPositive(temperature), TEMPERATURE);
        Values.check("--top-k", topK, topK != null && topK >= 0, "0 (all tokens) or more");
        share("--top-p", topP);
        Values.probability("--min-p", minP);
        share("--typical-p", typicalP);
        cutoff("--epsilon-cutoff", epsilonCutoff);
        cutoff("--eta-cutoff", etaCutoff);
        share("--top-h", topH);
        Values.check("--top-n-sigma", topNSigma, topNSigma != null && (topNSigma == 0 || Values.isPositive(topNSigma)),
                "0 (all tokens) or more");
        Values.probability("--xtc-probability", xtcProbability);
        Values.check("--xtc-threshold", xtcThreshold, xtcThreshold != null && xtcThreshold >= 0 && xtcThreshold <= 0.5,
                "a number from 0 to 0.5: two tokens cannot both be likelier than a half");
        Values.needs("--xtc-threshold", xtcThreshold, "--xtc-probability", xtcProbability);
        Values.positive("--mirostat-tau", mirostatTau);
        Values.positive("--mirostat-eta", mirostatEta);
        Values.needs("--mirostat-eta", mirostatEta, "--mirostat-tau", mirostatTau);
        if (mirostatTau != null && (topK != null || topP != null || shaping())) {
            throw new UsageException("--mirostat-tau decides itself how many tokens to draw from; of the other options"
                    + " about drawing only --temperature and --seed go with it");
        }
    }

    private static void share(String option, Double value) {
        Values.check(option, value, value != null && value > 0 && value <= 1, "a number above 0 and up to 1");
    }

    private static void cutoff(String option, Double value) {
        Values.check(option, value, value != null && value >= 0 && value < 1, "a number from 0 and below 1");
    }

    /** Whether an option was given that says that tokens are drawn. */
    boolean given() {
        return topK != null || givenBesideTopK();
    }

    /** The same, --top-k aside, which contrastive search has too. */
    boolean givenBesideTopK() {
        return temperature != null || topP != null || shaping() || mirostatTau != null || seed != null;
    }

    private boolean shaping() {
        return minP != null || typicalP != null || epsilonCutoff != null || etaCutoff != null || topH != null
                || topNSigma != null || xtcProbability != null;
    }

    /** Adds what was given, the temperature aside. */
    Sampling apply(Sampling before) {
        Sampling sampling = before;
        if (mirostatTau != null) {
            // It stands for all that a model's authors may have recommended to cut off.
            for (SamplerKind kind : SamplerKind.values()) {
                if (kind.isForDrawing() && kind != SamplerKind.TEMPERATURE) {
                    sampling = sampling.without(kind);
                }
            }
            return sampling.mirostat(mirostatTau, mirostatEta == null ? DEFAULT_MIROSTAT_ETA : mirostatEta);
        }
        sampling = topK == null ? sampling : sampling.topK(topK);
        sampling = topP == null ? sampling : sampling.topP(topP);
        sampling = minP == null ? sampling : sampling.minP(minP);
        sampling = typicalP == null ? sampling : sampling.typicalP(typicalP);
        sampling = epsilonCutoff == null ? sampling : sampling.epsilonCutoff(epsilonCutoff);
        sampling = etaCutoff == null ? sampling : sampling.etaCutoff(etaCutoff);
        sampling = topH == null ? sampling : sampling.topH(topH);
        sampling = topNSigma == null ? sampling : sampling.topNSigma(topNSigma);
        return xtcProbability == null
                ? sampling
                : sampling.xtc(xtcProbability, xtcThreshold == null ? DEFAULT_XTC_THRESHOLD : xtcThreshold);
    }

    /** The seed; a new one, short enough to be typed, if none was given. */
    long seedOrNew() {
        return seed != null ? seed : new SplittableRandom().nextLong() >>> 33;
    }
}
