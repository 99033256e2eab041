package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.PromptCache;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.ModelFiles;

/**
 * A turn of a conversation: 20 tokens are written behind a history of which all but the last 16 tokens, what was said
 * last, stand in the cache, or nothing does. GPT-2 124M of random weights, or the model in
 * {@code -Dvecformer.bench.model=DIR}. Before and after, the two are compared: the same text.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"})
public class TurnBenchmark {

    private static final int NEW = 16;
    private static final int WRITTEN = 20;

    /** Tokens of persona and history, those of the last utterance included. */
    @Param({"128", "512"})
    public int history;

    @Param({"true", "false"})
    public boolean cache;

    private TemporaryModel temporary;
    private Engine engine;
    private Gpt model;
    private TextGenerator generator;
    private PromptCache read;
    private int[] before;
    private int[] prompt;

    @Setup
    public void open() throws IOException, InterruptedException {
        String given = System.getProperty("vecformer.bench.model");
        if (given == null) {
            temporary = TemporaryModel.create(RandomModel.gpt2Small());
        }
        open(given == null ? temporary.directory() : Path.of(given));
    }

    void open(Path directory) throws IOException, InterruptedException {
        engine = Engine.create(EngineOptions.defaults());
        engine.awaitWarmUp();
        model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
        generator = TextGenerator.open(model, null);
        read = generator.openPromptCache();
        prompt = new SplittableRandom(1).ints(history, 0, model.config().vocabularySize()).toArray();
        before = Arrays.copyOf(prompt, history - NEW);
        check();
    }

    private GenerationOptions options(int tokens, boolean cached) {
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(tokens);
        return cached ? options.withPromptCache(read) : options;
    }

    private void check() {
        generator.generate(before, options(1, true), TokenListener.NONE);
        int[] cached = generator.generate(prompt, options(WRITTEN, true), TokenListener.NONE).ids();
        int reused = read.reused();
        int[] computed = generator.generate(prompt, options(WRITTEN, false), TokenListener.NONE).ids();
        if (!Arrays.equals(cached, computed) || cached.length != WRITTEN || reused != before.length) {
            throw new IllegalStateException("with " + reused + " positions out of the cache the text is another one");
        }
    }

    @TearDown
    public void close() throws IOException {
        check();
        read.close();
        generator.close();
        model.close();
        engine.close();
        if (temporary != null) {
            temporary.close();
        }
    }

    /** With a cache, what the turn before left there comes first: one more token, behind the history without its end. */
    @Benchmark
    public GenerationResult turn() {
        if (cache) {
            generator.generate(before, options(1, true), TokenListener.NONE);
        }
        return generator.generate(prompt, options(WRITTEN, cache), TokenListener.NONE);
    }
}
