package org.vecformer.engine.task;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Finds the best answers among the spans of a sequence. A span's score is p(start) p(end), each a softmax over the
 * tokens that may be in an answer (Chen et al. 2017, "Reading Wikipedia to Answer Open-Domain Questions"; as in Hugging
 * Face's question-answering pipeline).
 */
final class AnswerSpans {

    /** Best first; of equal ones that which starts, and then ends, first. */
    private static final Comparator<Span> ORDER = Comparator.comparingDouble((Span span) -> -span.score)
            .thenComparingInt(Span::start).thenComparingInt(Span::end);

    private final double[] starts;
    private final double[] ends;
    private final boolean[] allowed;

    /** The tokens {@code start} to {@code end}, both inclusive. */
    record Span(int start, int end, double score) {}

    /**
     * @param startLogits one for each token
     * @param endLogits   one for each token
     * @param allowed     tokens that may be in an answer
     * @param none        the token that stands for "there is no answer" and takes part in the softmax; -1 for none
     */
    AnswerSpans(float[] startLogits, float[] endLogits, boolean[] allowed, int none) {
        this.allowed = allowed;
        starts = probabilities(startLogits, allowed, none);
        ends = probabilities(endLogits, allowed, none);
    }

    private static double[] probabilities(float[] logits, boolean[] allowed, int none) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < logits.length; i++) {
            if (allowed[i] || i == none) {
                max = Math.max(max, logits[i]);
            }
        }
        double[] probabilities = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            if (allowed[i] || i == none) {
                probabilities[i] = StrictMath.exp(logits[i] - max);
                sum += probabilities[i];
            }
        }
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] /= sum;
        }
        return probabilities;
    }

    /** The score of a token as start and end of a span. */
    double score(int start, int end) {
        return starts[start] * ends[end];
    }

    /** The best spans of at most so many tokens, the best one first. */
    List<Span> best(int count, int maxTokens) {
        PriorityQueue<Span> best = new PriorityQueue<>(ORDER.reversed());
        for (int start = 0; start < starts.length; start++) {
            for (int end = start; allowed[start] && end < starts.length && end - start < maxTokens; end++) {
                if (allowed[end]) {
                    Span span = new Span(start, end, score(start, end));
                    if (best.size() < count) {
                        best.add(span);
                    } else if (ORDER.compare(span, best.peek()) < 0) {
                        best.poll();
                        best.add(span);
                    }
                }
            }
        }
        List<Span> sorted = new ArrayList<>(best);
        sorted.sort(ORDER);
        return sorted;
    }
}
