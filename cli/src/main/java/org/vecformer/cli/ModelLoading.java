package org.vecformer.cli;

import java.io.IOException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.GenerationConfig;
import org.vecformer.tokenizer.Tokenizer;

/** Loads models, weights and tokenizer side by side. */
final class ModelLoading {
    private ModelLoading() {
    }

    /** Looks at what a model is before it is loaded. */
    interface Check {
        /** @throws CommandException if this is not what is wanted */
        void kind(ModelKind kind) throws CommandException;
    }

    /**
     * A GPT-2, with nothing chosen; null if it is no GPT-2.
     *
     * @param model what {@code --model} names; null for the embedded one
     */
    static LoadedGpt early(String model) throws IOException {
        try {
            return (LoadedGpt) load(model, kind -> {
                if (kind != ModelKind.GPT) {
                    throw new CommandException("no GPT-2");
                }
            }, EngineOptions.defaults(), LoadOptions.defaults());
        } catch (CommandException _) {
            // The command, which knows its own name, will say it better.
            return null;
        }
    }

    /**
     * Loads a model.
     *
     * @param model what {@code --model} names; null for the embedded one
     */
    static LoadedModel load(String model, Check check, EngineOptions options, LoadOptions loadOptions)
            throws IOException {
        long start = System.nanoTime();
        Engine engine = Engine.create(options);
        try (ModelSource source = ModelSource.open(model)) {
            ModelKind kind = model == null ? ModelKind.GPT : ModelKind.of(source.files().config());
            check.kind(kind);
            try (BackgroundTokenizer tokenizer = new BackgroundTokenizer(source)) {
                return switch (kind) {
                    case GPT -> gpt(source, engine, tokenizer, loadOptions, start);
                    case BERT -> bert(source, engine, tokenizer, loadOptions, start);
                };
            }
        } catch (Throwable e) {
            engine.close();
            throw e;
        }
    }

    private static LoadedGpt gpt(ModelSource source, Engine engine, BackgroundTokenizer tokenizer,
            LoadOptions options, long start) throws IOException {
        GenerationConfig generation = GenerationConfig.read(source.files().generationConfig());
        Gpt gpt = Gpt.load(engine, source.files(), options);
        try {
            return new LoadedGpt(source.name(), engine, gpt, tokenizer.get(), generation, secondsSince(start));
        } catch (Throwable e) {
            gpt.close();
            throw e;
        }
    }

    private static LoadedBert bert(ModelSource source, Engine engine, BackgroundTokenizer tokenizer,
            LoadOptions options, long start) throws IOException {
        Bert bert = Bert.load(engine, source.files(), options);
        try {
            return new LoadedBert(source.name(), engine, bert, tokenizer.get(), source.files(), secondsSince(start));
        } catch (Throwable e) {
            bert.close();
            throw e;
        }
    }

    private static double secondsSince(long start) {
        return (System.nanoTime() - start) / 1e9;
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
}
