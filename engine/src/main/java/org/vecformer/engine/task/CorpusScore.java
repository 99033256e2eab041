package org.vecformer.engine.task;

/**
 * How likely a model holds a corpus to be. Perplexities of models with different tokenizers cannot be compared; those
 * per word and the bits per byte can. Tokens without a score (the first one; see {@link ScoringOptions}) count as the
 * mean of the others there.
 *
 * @param tokens of the corpus
 * @param scored those of them that have a log-probability
 * @param words  of the corpus: runs of characters that are no white space
 * @param bytes  of the corpus in UTF-8
 * @param sum    of the log-probabilities
 */
public record CorpusScore(int tokens, int scored, long words, long bytes, double sum) {

    /** The mean log-probability of a token. */
    public double mean() {
        return sum / scored;
    }

    /** e^-mean. */
    public double perplexity() {
        return StrictMath.exp(-mean());
    }

    /** The perplexity of a word: e^(-sum / words). */
    public double wordPerplexity() {
        return StrictMath.exp(-mean() * tokens / words);
    }

    /** Bits that an ideal compressor with this model takes for a byte: -sum / (bytes ln 2). */
    public double bitsPerByte() {
        return -mean() * tokens / (bytes * StrictMath.log(2));
    }
}
