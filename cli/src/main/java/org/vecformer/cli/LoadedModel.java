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

    static LoadedModel open(ModelOption model, ComputeOptions compute, CommonOptions common, Context context)
            throws IOException {
        // Refuse what cannot be before reading what may be large.
        EngineOptions options = compute.engine();
        WeightType weights = compute.weightType();
        LoadedModel early = model.model == null && !compute.given() ? context.headStart().model() : null;
        if (early != null) {
            return early;
        }
        Streams streams = context.streams();
        if (common.quiet || !streams.terminal()) {
            return load(model.model, options, new LoadOptions(weights, LoadProgress.NONE));
        }
        ProgressBar bar = new ProgressBar(streams.err());
        try {
            return load(model.model, options, new LoadOptions(weights, bar));
        } finally {
            bar.end();
        }
    }

    /** The embedded model, with nothing chosen. */
    static LoadedModel embedded() throws IOException {
        return load(null, EngineOptions.defaults(), LoadOptions.defaults());
    }

    private static LoadedModel load(String model, EngineOptions options, LoadOptions loadOptions) throws IOException {
        long start = System.nanoTime();
        Engine engine = Engine.create(options);
        Gpt2 gpt2 = null;
        try (ModelSource source = ModelSource.open(model);
                BackgroundTokenizer tokenizer = new BackgroundTokenizer(source)) {
            GenerationConfig generation = GenerationConfig.read(source.files().generationConfig());
            gpt2 = Gpt2.load(engine, source.files(), loadOptions);
            Tokenizer loaded = tokenizer.get();
            double seconds = (System.nanoTime() - start) / 1e9;
            return new LoadedModel(source.name(), engine, gpt2, loaded, generation, seconds);
        } catch (Throwable e) {
            if (gpt2 != null) {
                gpt2.close();
            }
            engine.close();
            throw e;
        }
    }

    /** Reads the tokenizer's files beside the weights; a vocabulary takes as long as a small model. */
    private static final class BackgroundTokenizer implements AutoCloseable {
        private final Thread thread;
        private Tokenizer tokenizer;
        private Throwable failure;

        BackgroundTokenizer(ModelSource source) {
            thread = Thread.ofPlatform().daemon().name("tokenizer-loader").start(() -> {
                try {
                    tokenizer = source.tokenizer();
                } catch (Throwable e) {
                    failure = e;
                }
            });
        }

        Tokenizer get() throws IOException {
            close();
            if (failure != null) {
                throw Failures.asChecked(failure);
            }
            return tokenizer;
        }

        /** Waits, so that nobody reads from a source that is closed. */
        @Override
        public void close() {
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
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
