package org.vecformer.engine.sampler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * Adds a number to the logit of the token that would complete a sequence; of several sequences with that last token,
 * the sum (those of one token first, then in the order given). A sequence of one token is completed at each step: that
 * is OpenAI's and llama.cpp's logit bias.
 * <p>
 * Equal to Hugging Face's {@code SequenceBiasLogitsProcessor}. What precedes the last token may lie in the prompt.
 */
public final class SequenceBias extends HistorySampler {
    /** Sequences with the same last token stand together. */
    private final int[][] sequences;
    private final float[] biases;
    private final int largest;

    /**
     * @param biases by sequence of token ids; in order of iteration, if that of the summation should matter
     * @throws IllegalArgumentException if there is none, one is empty or has a negative id, or a number is NaN
     */
    public SequenceBias(Map<List<Integer>, Float> biases) {
        if (biases.isEmpty()) {
            throw new IllegalArgumentException("The sequence bias is empty; it must name at least one sequence");
        }
        List<Map.Entry<List<Integer>, Float>> entries = new ArrayList<>(biases.entrySet());
        for (Map.Entry<List<Integer>, Float> entry : entries) {
            if (entry.getKey().isEmpty()) {
                throw new IllegalArgumentException("The sequence bias has an empty sequence; it must have a token");
            }
            if (entry.getValue().isNaN()) {
                throw new IllegalArgumentException(
                        "The bias of the sequence " + entry.getKey() + " is NaN; it must be a number");
            }
        }
        entries.sort(Comparator.comparing((Map.Entry<List<Integer>, Float> entry) -> entry.getKey().getLast())
                .thenComparing(entry -> entry.getKey().size() > 1));
        this.sequences = Parameters.sequences("sequences with a bias", entries.stream()
                .map(entry -> entry.getKey().stream().mapToInt(Integer::intValue).toArray()).toList());
        this.biases = new float[sequences.length];
        for (int i = 0; i < this.biases.length; i++) {
            this.biases[i] = entries.get(i).getValue();
        }
        this.largest = Parameters.largest(sequences);
    }

    private SequenceBias(int[][] sequences, float[] biases, int largest) {
        this.sequences = sequences;
        this.biases = biases;
        this.largest = largest;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalArgumentException if a sequence has a token that the vocabulary does not have
     */
    @Override
    public void apply(Candidates candidates) {
        candidates.requireToken(largest, "sequence bias");
        float[] logits = candidates.logits();
        int i = 0;
        while (i < sequences.length) {
            int token = last(i);
            float bias = 0;
            for (; i < sequences.length && last(i) == token; i++) {
                if (history().endsWith(sequences[i], sequences[i].length - 1)) {
                    bias += biases[i];
                }
            }
            int index = candidates.indexOf(token);
            if (index >= 0) {
                logits[index] += bias;
            }
        }
    }

    private int last(int sequence) {
        return sequences[sequence][sequences[sequence].length - 1];
    }

    @Override
    public SequenceBias copy() {
        return remembering(new SequenceBias(sequences, biases, largest));
    }
}
