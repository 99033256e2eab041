package org.vecformer.cli;

import java.io.IOException;
import java.io.InputStream;
import picocli.CommandLine.Option;

/** Token ids instead of a text, as a BERT takes them. */
final class IdOptions {
    @Option(names = "--ids", paramLabel = "IDS", description = "token ids instead of a text, such as 101,3960,102; [CLS] and [SEP] are not added")
    String ids;

    @Option(names = "--type-ids", paramLabel = "TYPES", description = "which text each of --ids belongs to, such as 0,0,1; the first if not given. Of a GPT: a token each, whose embedding is added")
    String typeIds;

    @Option(names = "--attention-mask", paramLabel = "MASK", description = "1 for each of --ids that is looked at, 0 for padding; 1 if not given")
    String attentionMask;

    boolean given() {
        return ids != null || typeIds != null || attentionMask != null;
    }

    /** @throws UsageException if there is not exactly one of lines, text and ids */
    void check(boolean lines, boolean text) {
        if (lines && (text || given())) {
            throw new UsageException("--jsonl reads its inputs from standard input; TEXT and --ids do not go with it");
        }
        if (!lines && !text && !given()) {
            throw new UsageException("TEXT or --ids is missing");
        }
        if (text && given()) {
            throw new UsageException("give TEXT or --ids, not both");
        }
    }

    /**
     * The ids that were given.
     *
     * @throws UsageException if they are no numbers, or types or a mask have no ids
     */
    Input.Ids read(InputStream in) throws IOException {
        if (ids == null) {
            throw new UsageException((typeIds != null ? "--type-ids" : "--attention-mask") + " goes with --ids");
        }
        int[] list = Texts.ids(Texts.resolve(ids, in));
        return new Input.Ids(list, beside(list, "--type-ids", typeIds),
                beside(list, "--attention-mask", attentionMask));
    }

    private static int[] beside(int[] ids, String option, String text) {
        if (text == null) {
            return null;
        }
        int[] numbers = Texts.numbers(text, "a number of " + option, "0,0,1");
        if (numbers.length != ids.length) {
            throw new UsageException(option + " has " + numbers.length + " numbers and --ids has " + ids.length);
        }
        return numbers;
    }
}
