package org.vecformer.tokenizer;

/**
 * What a tokenizer.json, or a vocab.json with its merges.txt, says.
 *
 * @param unknownToken what stands for a character that the vocabulary lacks; null for the token with that role
 * @param normalizer what is done to the text first
 */
record OpenAiGptModel(Vocabulary vocabulary, MergeTable merges, String unknownToken,
        BertNormalizer normalizer) implements TokenModel {}
