package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.LogSoftmax;

/** Tells how likely a token was, and which ones were most likely. */
final class TokenScorer {

    private final Candidates candidates;
    private final int[] best;

    /** @param top how many of the most likely tokens to tell */
    TokenScorer(int vocabularySize, int top) {
        candidates = new Candidates(vocabularySize);
        best = new int[Math.min(top, vocabularySize)];
    }

    /**
     * Where not all logits are known, the token is the most likely one.
     *
     * @param next as many of the logits as that takes
     */
    TokenScore score(NextLogits next, int id) {
        if (next.areAll()) {
            return score(next.all(), id);
        }
        double logSumExp = next.logSumExp();
        List<TokenLogprob> top = IntStream.range(0, best.length)
                .mapToObj(rank -> new TokenLogprob(next.id(rank), next.logit(rank) - logSumExp)).toList();
        return new TokenScore(id, next.logit(0) - logSumExp, top);
    }

    /** @param logits the model's */
    TokenScore score(float[] logits, int id) {
        double logSumExp = LogSoftmax.logSumExp(logits, logits.length);
        if (best.length == 0) {
            return new TokenScore(id, logits[id] - logSumExp, List.of());
        }
        candidates.load(logits);
        int count = candidates.best(best.length, best);
        List<TokenLogprob> top = IntStream.of(Arrays.copyOf(best, count))
                .mapToObj(token -> new TokenLogprob(token, logits[token] - logSumExp)).toList();
        return new TokenScore(id, logits[id] - logSumExp, top);
    }
}
