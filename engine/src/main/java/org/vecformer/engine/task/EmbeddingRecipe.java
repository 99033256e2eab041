package org.vecformer.engine.task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.tokenizer.Encoding;

/**
 * What {@link EmbedderOptions} mean for a model: how an input becomes sequences for it, and how their states become a
 * vector. Immutable.
 */
final class EmbeddingRecipe {

    /** For the tokenizer: whatever the text has. */
    private static final int ALL = 0;

    private final InputEncoder encoder;
    private final EmbedderOptions options;
    private final int hidden;
    private final int limit;
    /** Tokens at the beginning that take no part in the pooling. */
    private final int skipped;

    /**
     * @throws IllegalArgumentException if the model has no pooler and that is wanted, a layer's width does not fit, or
     *                                  texts may be longer than the model's context
     */
    EmbeddingRecipe(Bert model, InputEncoder encoder, EmbedderOptions options) {
        this.encoder = encoder;
        this.options = options;
        hidden = model.config().hiddenSize();
        check(model);
        limit = encoder.limit(options.maxLength());
        // The first special token goes with the prompt, the last one stands behind the text.
        skipped = options.includePrompt() || options.prompt().isEmpty()
                ? 0
                : encoder.required().ids(prepared(options.prompt())).length - 1;
    }

    private void check(Bert model) {
        if (options.poolings().contains(Pooling.POOLER) && !model.hasPooler()) {
            throw new IllegalArgumentException("the model has no pooler (tensor pooler.dense.weight)");
        }
        int width = hidden * options.poolings().size();
        for (DenseLayer layer : options.layers()) {
            if (layer.inputs() != width) {
                throw new IllegalArgumentException("a dense layer takes vectors of " + layer.inputs()
                        + " numbers; what comes before it gives " + width);
            }
            width = layer.outputs();
        }
    }

    /** How many numbers the vectors have. */
    static int dimensions(Bert model, EmbedderOptions options) {
        return options.layers().isEmpty()
                ? model.config().hiddenSize() * options.poolings().size()
                : options.layers().getLast().outputs();
    }

    /**
     * All inputs of a call, in their order.
     *
     * @param check run before each; what it throws ends the work
     */
    List<EmbeddingInput> inputs(List<TaskInput> inputs, Runnable check) {
        List<EmbeddingInput> all = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            check.run();
            all.add(input(i, inputs.get(i)));
        }
        return all;
    }

    /**
     * An input as the model takes it.
     *
     * @param index which one of the call, for messages
     * @throws TextTooLongException     if it is too long, and that is to be refused
     * @throws IllegalArgumentException if it cannot be given to the model
     */
    private EmbeddingInput input(int index, TaskInput input) {
        int kept = options.longTexts() == LongTexts.TRUNCATE ? limit : ALL;
        InputEncoder.Encoded encoded = encoder.truncated(prompted(input), kept);
        EncoderInput tokens = encoded.input();
        if (options.longTexts() == LongTexts.REFUSE && tokens.length() > limit) {
            throw new TextTooLongException(index, tokens.length(), limit);
        }
        if (encoded.encoding() != null && tokens.length() > limit) {
            return split(index, tokens, encoded.encoding());
        }
        if (Arrays.stream(tokens.attentionMask()).skip(skipped).noneMatch(mask -> mask == 1)) {
            throw new IllegalArgumentException("input " + index + " has no tokens behind its prompt");
        }
        return new EmbeddingInput(this, List.of(tokens), new int[]{tokens.length()}, encoded.truncated());
    }

    private TaskInput prompted(TaskInput input) {
        if (input.ids() == null) {
            return TaskInput.of(prepared(options.prompt() + input.text()),
                    input.pair() == null ? null : prepared(input.pair()));
        }
        if (!options.prompt().isEmpty()) {
            throw new IllegalArgumentException("a prompt goes before a text; the input is token ids");
        }
        return input;
    }

    private String prepared(String text) {
        return options.lowerCase() ? text.toLowerCase(Locale.ROOT) : text;
    }

    /** Windows of a long text, each with what stands before the text (with the prompt) and behind it. */
    private EmbeddingInput split(int index, EncoderInput all, Encoding encoding) {
        int[] own = own(encoding);
        int start = own.length == 0 ? all.length() : own[0];
        int end = own.length == 0 ? all.length() : own[own.length - 1] + 1;
        if (encoding.textOf(end - 1) == 1) {
            throw new IllegalArgumentException("input " + index + " is a pair of texts of " + all.length()
                    + " tokens, special ones included; expected at most " + limit + ", as a pair cannot be split");
        }
        int first = start + (options.prompt().isEmpty()
                ? 0
                : own(encoder.required().encode(prepared(options.prompt()))).length);
        int tail = all.length() - end;
        int room = limit - first - tail;
        if (room < 1) {
            throw new IllegalArgumentException("input " + index + " has to be split, but " + limit
                    + " tokens have no room for text beside the " + (first + tail)
                    + " of prompt and special tokens; expected a shorter prompt or a larger maxLength");
        }
        List<EncoderInput> windows = new ArrayList<>();
        for (int from = first; from < end; from += room) {
            windows.add(window(all, first, from, Math.min(from + room, end), end));
        }
        int[] weights = windows.stream().mapToInt(window -> window.length() - first - tail).toArray();
        return new EmbeddingInput(this, List.copyOf(windows), weights, false);
    }

    /** Where tokens of the texts stand, as against special ones around them. */
    private static int[] own(Encoding encoding) {
        return IntStream.range(0, encoding.size()).filter(i -> encoding.textOf(i) >= 0).toArray();
    }

    /** Tokens 0 to {@code head}, {@code from} to {@code to}, and those behind {@code end}. */
    private static EncoderInput window(EncoderInput all, int head, int from, int to, int end) {
        int[] kept = IntStream.concat(IntStream.concat(IntStream.range(0, head), IntStream.range(from, to)),
                IntStream.range(end, all.length())).toArray();
        return new EncoderInput(picked(all.ids(), kept), picked(all.typeIds(), kept),
                picked(all.attentionMask(), kept));
    }

    private static int[] picked(int[] values, int[] indices) {
        return Arrays.stream(indices).map(i -> values[i]).toArray();
    }

    /** The vector of a sequence of the session's last run. */
    float[] vector(EncoderSession session, int sequence, EncoderInput input) {
        int[] mask = input.attentionMask();
        StatePooling pooling = new StatePooling(hidden, options.poolings());
        float[] state = new float[hidden];
        if (pooling.needsStates()) {
            for (int i = 0; i < mask.length; i++) {
                session.hidden(sequence, i, state);
                pooling.add(i, state, mask[i] == 1 && i >= skipped);
            }
        }
        float[] pooler = null;
        if (options.poolings().contains(Pooling.POOLER)) {
            session.pooled(sequence, state);
            pooler = state;
        }
        float[] vector = pooling.vector(pooler);
        for (DenseLayer layer : options.layers()) {
            vector = layer.apply(vector);
        }
        if (options.normalize()) {
            StatePooling.normalize(vector);
        }
        return vector;
    }

    /** The vector of a text that was split: see {@link LongTexts#SPLIT}. */
    float[] average(float[][] vectors, int[] weights) {
        long total = Arrays.stream(weights).asLongStream().sum();
        float[] average = new float[vectors[0].length];
        for (int i = 0; i < average.length; i++) {
            double sum = 0;
            for (int window = 0; window < vectors.length; window++) {
                sum += (double) weights[window] * vectors[window][i];
            }
            average[i] = (float) (sum / total);
        }
        if (options.normalize()) {
            StatePooling.normalize(average);
        }
        return average;
    }
}
