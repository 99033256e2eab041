package org.vecformer.engine.model;

import java.io.IOException;
import java.nio.file.Path;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.MemoryLimitException;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.Lifetime;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A model that was loaded, once, for all threads: immutable, thread-safe, without anything that a run changes. What runs
 * it is a session, or a task that owns one.
 *
 * {@snippet file="org/vecformer/engine/snippets/ModelSnippets.java" region="load"}
 *
 * The weights lie outside the Java heap, or on the device that computes, and are freed by {@link #close}. Models that
 * are loaded with the same {@link Engine} share its threads and its bound on memory.
 */
public abstract sealed class Model implements AutoCloseable permits Gpt, Bert {

    private final Engine engine;
    private final ModelFiles files;
    private final Lifetime lifetime;
    private long parameters;
    private long weightBytes;
    private boolean ownsEngine;
    /** Null until somebody asks. */
    private Tokenizer tokenizer;

    Model(Engine engine, ModelFiles files, WeightMemory memory) {
        this.engine = engine;
        this.files = files;
        lifetime = new Lifetime("model", () -> {
            memory.close();
            if (ownsEngine) {
                engine.close();
            }
        });
    }

    /** To be called at the end of the constructor. */
    final void hasTaken(Weights weights) {
        parameters = weights.parameters();
        weightBytes = weights.bytes();
    }

    /**
     * Reads a model, for a process that has no other: with an engine of its own, on the CPU, that is closed with it.
     * Several models should share an engine, and so its threads: {@link #load(Engine, Path)}.
     *
     * @param directory with {@code config.json}, {@code *.safetensors} and the tokenizer's files; or one of the weights'
     *                  files
     * @throws FormatException when a file is not what it should be; the message names the file, the tensor or field,
     *                         what is there and what was expected
     * @throws IOException     when a file cannot be read
     */
    public static Model load(Path directory) throws IOException {
        return onItsOwn(engine -> load(engine, directory));
    }

    /**
     * Reads a model, with its weights as the files have them.
     *
     * @param engine    what computes; to be closed after the model
     * @param directory as for {@link #load(Path)}
     * @throws MemoryLimitException when the weights would pass the engine's limit
     * @throws FormatException      as for {@link #load(Path)}
     * @throws IOException          when a file cannot be read
     */
    public static Model load(Engine engine, Path directory) throws IOException {
        return load(engine, ModelFiles.of(directory), LoadOptions.defaults());
    }

    /**
     * Reads a model: a {@link Bert} if its config says so, else a {@link Gpt}.
     *
     * @throws MemoryLimitException as for {@link #load(Engine, Path)}
     * @throws FormatException      as for {@link #load(Path)}
     * @throws IOException          when a file cannot be read
     */
    public static Model load(Engine engine, ModelFiles files, LoadOptions options) throws IOException {
        return BertConfig.isBert(files.config())
                ? Bert.load(engine, files, options)
                : Gpt.load(engine, files, options);
    }

    /** Loads a model with an engine. */
    @FunctionalInterface
    interface Loading<M extends Model> {
        M with(Engine engine) throws IOException;
    }

    static <M extends Model> M onItsOwn(Loading<M> loading) throws IOException {
        Engine engine = Engine.create(EngineOptions.defaults());
        try {
            M model = loading.with(engine);
            ((Model) model).ownsEngine = true;
            return model;
        } catch (Throwable e) {
            engine.close();
            throw e;
        }
    }

    /** What the model computes on. */
    public final Engine engine() {
        return engine;
    }

    /** Where it was read from. */
    public final ModelFiles files() {
        return files;
    }

    /**
     * The tokenizer that lies beside the weights; read at the first call.
     *
     * @throws org.vecformer.tokenizer.TokenizerException if its files are missing, damaged or not supported
     * @throws IOException                                if a file cannot be read
     */
    public final synchronized Tokenizer tokenizer() throws IOException {
        if (tokenizer == null) {
            tokenizer = Tokenizer.load(files.directory());
        }
        return tokenizer;
    }

    /** How many numbers the model has learned; tied weights count once. */
    public final long parameters() {
        return parameters;
    }

    /** Bytes of the weights in memory. */
    public final long weightBytes() {
        return weightBytes;
    }

    /** How the token embeddings are kept in memory; in a file of one type, all matrices. */
    public abstract WeightType weights();

    final Lifetime lifetime() {
        return lifetime;
    }

    /** Whether it has been closed. */
    public final boolean isClosed() {
        return lifetime.isClosed();
    }

    /**
     * Frees the weights; if steps run on other threads, when these have ended. Sessions that are still open refuse
     * every further step with a {@link org.vecformer.engine.ClosedException}, and are still to be closed. A second call
     * does nothing.
     */
    @Override
    public final void close() {
        lifetime.close();
    }
}
