package org.vecformer.tokenizer;

import java.util.List;

/**
 * What a tokenizer.json, or a vocab.txt with its tokenizer_config.json, says.
 *
 * @param unknownToken what stands for a word that the vocabulary cannot spell; null for the token with that role
 * @param prefix what tokens begin with that continue a word
 * @param longestWord a word of more code points is unknown
 * @param normalizer what is done to the text first
 * @param neverSplit words between white space that are looked up as they stand
 * @param cleanUp whether decoding leaves out spaces before punctuation
 */
record WordPieceModel(Vocabulary vocabulary, String unknownToken, String prefix, int longestWord,
        BertNormalizer normalizer, List<String> neverSplit, boolean cleanUp) implements TokenModel {

    WordPieceModel with(BertNormalizer newNormalizer, List<String> newNeverSplit) {
        return new WordPieceModel(vocabulary, unknownToken, prefix, longestWord, newNormalizer, newNeverSplit, cleanUp);
    }
}
