package org.vecformer.tokenizer;

/**
 * What a tokenizer.json, or a vocab.json with its merges.txt, says; the added tokens come from other files as well.
 *
 * @param unknownToken what stands for a byte that the vocabulary cannot spell, or null
 * @param addPrefixSpace whether text that does not start with a space gets one
 * @param splitWords whether text is cut by the GPT-2 pattern; if not, it is one word
 * @param template the ids that are put around a text
 */
record BytePairModel(Vocabulary vocabulary, MergeTable merges, String unknownToken, boolean addPrefixSpace,
        boolean splitWords, OffsetTracker.Trim trim, Template template) {

    /** Special tokens before and after a text, by name and id. */
    record Template(int[] before, int[] after) {
        static final Template NOTHING = new Template(new int[0], new int[0]);
    }
}
