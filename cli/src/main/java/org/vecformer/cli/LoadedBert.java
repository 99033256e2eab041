package org.vecformer.cli;

import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A BERT ready to run.
 *
 * @param bert the model
 * @param files its files, for tasks that have some of their own
 */
record LoadedBert(String name, Engine engine, Bert bert, Tokenizer tokenizer, ModelFiles files, double loadSeconds)
        implements
            LoadedModel {

    @Override
    public WeightType weightType() {
        return bert.weights();
    }

    @Override
    public long weightBytes() {
        return bert.weightBytes();
    }

    @Override
    public long parameters() {
        return bert.parameters();
    }

    @Override
    public int vocabularySize() {
        return bert.config().vocabularySize();
    }

    @Override
    public int contextLength() {
        return bert.config().contextLength();
    }

    /**
     * A text or ids as the model takes them: a text whole, with the tokenizer's special tokens.
     *
     * @throws CommandException if there is no tokenizer for a text, or an id is none of the model's
     * @throws IllegalArgumentException if ids, types and mask do not go together
     */
    EncoderInput encoded(Input input) throws CommandException {
        return switch (input) {
            case Input.Text text -> EncoderInput
                    .of(requiredTokenizer().encode(text.text(), text.pair(), EncodingOptions.defaults()));
            case Input.Ids ids -> new EncoderInput(checked(ids.ids()), ids.typeIds(), ids.attentionMask());
        };
    }

    /**
     * Inputs as tasks take them.
     *
     * @throws CommandException if there is no tokenizer for a text, or an id is none of the model's
     * @throws IllegalArgumentException if ids, types and mask do not go together
     */
    List<TaskInput> forTask(List<Input> inputs) throws CommandException {
        List<TaskInput> all = new ArrayList<>();
        for (Input input : inputs) {
            if (input instanceof Input.Text text) {
                requiredTokenizer();
                all.add(TaskInput.of(text.text(), text.pair()));
            } else {
                all.add(TaskInput.of(encoded(input)));
            }
        }
        return all;
    }

    @Override
    public void close() {
        bert.close();
        engine.close();
    }
}
