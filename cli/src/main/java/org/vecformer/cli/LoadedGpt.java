package org.vecformer.cli;

import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Gpt;
import org.vecformer.loader.GenerationConfig;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A GPT-2 or OpenAI GPT ready to run.
 *
 * @param gpt the model
 * @param generation what its authors recommend for generation
 */
record LoadedGpt(String name, Engine engine, Gpt gpt, Tokenizer tokenizer, GenerationConfig generation,
        double loadSeconds) implements LoadedModel {

    @Override
    public WeightType weightType() {
        return gpt.weights();
    }

    @Override
    public long weightBytes() {
        return gpt.weightBytes();
    }

    @Override
    public long parameters() {
        return gpt.parameters();
    }

    @Override
    public int vocabularySize() {
        return gpt.config().vocabularySize();
    }

    @Override
    public int contextLength() {
        return gpt.config().contextLength();
    }

    /**
     * The ids of a text or of ids.
     *
     * @throws CommandException if there is no tokenizer for a text, or an id is none of the model's
     */
    int[] ids(Input input) throws CommandException {
        return checked(switch (input) {
            case Input.Text text -> requiredTokenizer().ids(text.text());
            case Input.Ids ids -> ids.ids();
        });
    }

    /**
     * The ids of a text or of ids; an empty text is the model's begin token, which takes no tokenizer.
     *
     * @throws CommandException as {@link #ids}, or if there is no begin token
     */
    int[] idsOrBegin(Input input) throws CommandException {
        if (!(input instanceof Input.Text text && text.text().isEmpty())) {
            return ids(input);
        }
        return new int[]{gpt.config().bosTokenId().orElseThrow(() -> new CommandException(
                "the text is empty, and the model's config.json names no bos_token_id to begin with"))};
    }

    /**
     * The model.
     *
     * @throws CommandException if it is a classifier
     */
    Gpt languageModel() throws CommandException {
        if (!gpt.isLanguageModel()) {
            throw new CommandException("the model " + name + " is a classifier (" + gpt.head()
                    + "), which tells nothing of next tokens; expected a language model");
        }
        return gpt;
    }

    @Override
    public void close() {
        gpt.close();
        engine.close();
    }
}
