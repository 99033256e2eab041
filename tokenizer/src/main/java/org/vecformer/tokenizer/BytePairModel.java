package org.vecformer.tokenizer;

/**
 * What a tokenizer.json, or a vocab.json with its merges.txt, says; the added tokens come from other files as well.
 *
 * @param unknownToken what stands for a byte that the vocabulary cannot spell, or null
 * @param addPrefixSpace whether text that does not start with a space gets one
 * @param splitWords whether text is cut by the GPT-2 pattern; if not, it is one word
 */
record BytePairModel(Vocabulary vocabulary, MergeTable merges, String unknownToken, boolean addPrefixSpace,
        boolean splitWords, OffsetTracker.Trim trim) implements TokenModel {

    BytePairModel withPrefixSpace(boolean newAddPrefixSpace) {
        return new BytePairModel(vocabulary, merges, unknownToken, newAddPrefixSpace, splitWords, trim);
    }
}
