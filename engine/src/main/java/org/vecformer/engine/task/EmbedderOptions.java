package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.vecformer.engine.model.Bert;
import org.vecformer.loader.SentenceConfig;

/**
 * How texts become vectors. Immutable; each {@code with} method gives a changed copy.
 *
 * @param poolings      how the tokens' states become one vector; several are concatenated in the order of
 *                      {@link Pooling}
 * @param layers        behind the pooling, in their order
 * @param normalize     whether vectors are scaled to length 1
 * @param maxLength     most tokens of a text, special ones included, 0 for what tokenizer and model allow
 * @param longTexts     what becomes of texts that have more
 * @param lowerCase     whether texts become lower case before they are tokenized
 * @param prompt        put before each text; empty for none
 * @param includePrompt whether the prompt's tokens take part in the pooling
 */
public record EmbedderOptions(List<Pooling> poolings, List<DenseLayer> layers, boolean normalize, int maxLength,
        LongTexts longTexts, boolean lowerCase, String prompt, boolean includePrompt) {

    public EmbedderOptions {
        poolings = poolings.stream().sorted().distinct().toList();
        if (poolings.isEmpty()) {
            throw new IllegalArgumentException("there is no pooling; expected at least one");
        }
        layers = List.copyOf(layers);
        if (maxLength < 0) {
            throw new IllegalArgumentException("maxLength is " + maxLength + "; expected 0 (the model's) or more");
        }
        Objects.requireNonNull(longTexts, "longTexts");
        Objects.requireNonNull(prompt, "prompt");
    }

    /** The mean of the states, as sentence-transformers has it for a model that it knows nothing of. */
    public static EmbedderOptions defaults() {
        return new EmbedderOptions(List.of(Pooling.MEAN), List.of(), false, 0, LongTexts.TRUNCATE, false, "", true);
    }

    /**
     * What the model's files say of it, as a sentence-transformers model ({@code modules.json} and what belongs to it):
     * {@link #defaults} if they say nothing.
     *
     * @throws org.vecformer.loader.FormatException if a file is not what it should be
     * @throws IOException                          if one cannot be read
     */
    public static EmbedderOptions of(Bert model) throws IOException {
        return of(SentenceConfig.read(model.files().directory()));
    }

    /**
     * What a sentence-transformers model says of itself.
     *
     * @throws org.vecformer.loader.FormatException if the weights of a dense layer are not what they should be
     * @throws IOException                          if they cannot be read
     */
    public static EmbedderOptions of(SentenceConfig config) throws IOException {
        List<DenseLayer> layers = new ArrayList<>();
        for (SentenceConfig.Dense dense : config.dense()) {
            layers.add(DenseLayer.load(dense));
        }
        return new EmbedderOptions(config.poolings().stream().map(Pooling::of).toList(), layers, config.normalize(),
                config.maxLength().orElse(0), LongTexts.TRUNCATE, config.lowerCase(),
                config.defaultPrompt().map(name -> config.prompts().get(name)).orElse(""), config.includePrompt());
    }

    public EmbedderOptions withPoolings(Pooling... poolings) {
        return new EmbedderOptions(List.of(poolings), layers, normalize, maxLength, longTexts, lowerCase, prompt,
                includePrompt);
    }

    public EmbedderOptions withLayers(List<DenseLayer> layers) {
        return new EmbedderOptions(poolings, layers, normalize, maxLength, longTexts, lowerCase, prompt,
                includePrompt);
    }

    public EmbedderOptions withNormalize(boolean normalize) {
        return new EmbedderOptions(poolings, layers, normalize, maxLength, longTexts, lowerCase, prompt,
                includePrompt);
    }

    public EmbedderOptions withMaxLength(int maxLength) {
        return new EmbedderOptions(poolings, layers, normalize, maxLength, longTexts, lowerCase, prompt,
                includePrompt);
    }

    public EmbedderOptions withLongTexts(LongTexts longTexts) {
        return new EmbedderOptions(poolings, layers, normalize, maxLength, longTexts, lowerCase, prompt,
                includePrompt);
    }

    public EmbedderOptions withLowerCase(boolean lowerCase) {
        return new EmbedderOptions(poolings, layers, normalize, maxLength, longTexts, lowerCase, prompt,
                includePrompt);
    }

    public EmbedderOptions withPrompt(String prompt) {
        return new EmbedderOptions(poolings, layers, normalize, maxLength, longTexts, lowerCase, prompt,
                includePrompt);
    }

    public EmbedderOptions withIncludePrompt(boolean includePrompt) {
        return new EmbedderOptions(poolings, layers, normalize, maxLength, longTexts, lowerCase, prompt,
                includePrompt);
    }
}
