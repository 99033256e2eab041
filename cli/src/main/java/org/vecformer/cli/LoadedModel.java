package org.vecformer.cli;

import java.util.Locale;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.tokenizer.Tokenizer;

/** A model ready to run, with what computes it. */
sealed interface LoadedModel extends AutoCloseable permits LoadedGpt, LoadedBert {

    /** The model as the user named it. */
    String name();

    /** What computes. */
    Engine engine();

    /** The model's tokenizer; null if it has none. */
    Tokenizer tokenizer();

    /** How long it took to load all that. */
    double loadSeconds();

    /** The type of the matrices in memory. */
    WeightType weightType();

    /** Bytes of the weights in memory. */
    long weightBytes();

    long parameters();

    int vocabularySize();

    int contextLength();

    /** The weights' type as the command line spells it. */
    default String weights() {
        return weightType().name().toLowerCase(Locale.ROOT);
    }

    /** How it was loaded and what computes it, for standard error. */
    default String summary() {
        return String.format(Locale.ROOT, "load %.2f s; %s, %s weights", loadSeconds(), engine().description(),
                weights());
    }

    /**
     * The model's tokenizer.
     *
     * @throws CommandException if it has none
     */
    default Tokenizer requiredTokenizer() throws CommandException {
        if (tokenizer() == null) {
            throw new CommandException(
                    "the model " + name() + " has no tokenizer files; give ids instead of a text (--ids)");
        }
        return tokenizer();
    }

    /**
     * Refuses ids that are none of the model's.
     *
     * @return the ids
     * @throws CommandException if there is one
     */
    default int[] checked(int[] ids) throws CommandException {
        int size = vocabularySize();
        for (int id : ids) {
            if (id < 0 || id >= size) {
                throw new CommandException(
                        "there is no token with the id " + id + "; the model's ids are 0 to " + (size - 1));
            }
        }
        return ids;
    }

    @Override
    void close();
}
