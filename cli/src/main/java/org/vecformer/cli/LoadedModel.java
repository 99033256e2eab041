package org.vecformer.cli;

import java.io.IOException;
import java.util.Locale;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Gpt2;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.LoadProgress;
import org.vecformer.loader.GenerationConfig;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A model ready to run, with what computes it.
 *
 * @param name the model as the user named it
 * @param engine what computes
 * @param gpt2 the model
 * @param tokenizer its tokenizer; null if it has none
 * @param generation what its authors recommend for generation
 * @param loadSeconds how long all that took
 */
record LoadedModel(String name, Engine engine, Gpt2 gpt2, Tokenizer tokenizer, GenerationConfig generation,
        double loadSeconds)
        implements
            AutoCloseable {

    static LoadedModel open(ModelOption model, ComputeOptions compute, CommonOptions common, Streams streams)
            throws IOException {
        // Refuse what cannot be before reading what may be large.
        EngineOptions options = compute.engine();
        WeightType weights = compute.weightType();
        long start = System.nanoTime();
        LoadProgress progress = streams.terminal() && !common.quiet
                ? new ProgressBar(streams.err())
                : LoadProgress.NONE;
        Engine engine = Engine.create(options);
        try (ModelSource source = ModelSource.open(model.model)) {
            Tokenizer tokenizer = source.tokenizer();
            GenerationConfig generation = GenerationConfig.read(source.files().generationConfig());
            Gpt2 gpt2 = Gpt2.load(engine, source.files(), new LoadOptions(weights, progress));
            double seconds = (System.nanoTime() - start) / 1e9;
            return new LoadedModel(source.name(), engine, gpt2, tokenizer, generation, seconds);
        } catch (Throwable e) {
            engine.close();
            throw e;
        } finally {
            if (progress instanceof ProgressBar bar) {
                bar.end();
            }
        }
    }

    /** The weights' type as the command line spells it. */
    String weights() {
        return gpt2.weights().name().toLowerCase(Locale.ROOT);
    }

    /**
     * The model's tokenizer.
     *
     * @throws CommandException if it has none
     */
    Tokenizer requiredTokenizer() throws CommandException {
        if (tokenizer == null) {
            throw new CommandException(
                    "the model " + name + " has no tokenizer files; give ids instead of a text (--ids)");
        }
        return tokenizer;
    }

    /**
     * The ids of an input.
     *
     * @throws CommandException if there is no tokenizer for a text, or an id is none of the model's
     */
    int[] ids(Input input) throws CommandException {
        int[] ids = input.isText() ? requiredTokenizer().ids(input.text()) : input.ids();
        int size = gpt2.config().vocabularySize();
        for (int id : ids) {
            if (id < 0 || id >= size) {
                throw new CommandException(
                        "there is no token with the id " + id + "; the model's ids are 0 to " + (size - 1));
            }
        }
        return ids;
    }

    @Override
    public void close() {
        gpt2.close();
        engine.close();
    }
}
