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
import org.vecformer.engine.WeightType;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.Drafting;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.Guidance;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.ModelFiles;

/**
 * A generation of 64 tokens behind a prompt of 64, by each strategy, with GPT-2 124M of random weights or the model in
 * {@code -Dvecformer.bench.model=DIR}. Drafts are looked up, with the guesses that a text of that model gives: a random
 * one repeats itself much. Before and after, drafted texts are compared with those without drafts.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"})
public class DecodingBenchmark {

    private static final int PROMPT = 64;
    private static final int TOKENS = 64;

    /** What is done. */
    public enum Strategy {
        GREEDY, LOOKUP_4, DRAWN, DRAWN_4_SEQUENCES, BEAMS_4, DRAWN_BEAMS_4, BEAMS_4_IN_2_GROUPS, CONTRASTIVE_4, GUIDED
    }

    @Param
    public Strategy strategy;

    @Param("F32")
    public WeightType weights;

    private TemporaryModel temporary;
    private Engine engine;
    private Gpt model;
    private TextGenerator generator;
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
        model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults().withWeights(weights));
        generator = TextGenerator.open(model, null);
        prompt = new SplittableRandom(1).ints(PROMPT, 0, model.config().vocabularySize()).toArray();
        check();
    }

    private static GenerationOptions options(Strategy strategy) {
        GenerationOptions greedy = GenerationOptions.defaults().withMaxNewTokens(TOKENS);
        GenerationOptions drawn = greedy.withStrategy(DecodingStrategy.random(1))
                .withSampling(s -> s.temperature(0.8).topK(40).topP(0.95));
        DecodingStrategy.BeamSearch beams = new DecodingStrategy.BeamSearch(4);
        return switch (strategy) {
            case GREEDY -> greedy;
            case LOOKUP_4 -> greedy.withDrafting(new Drafting.PromptLookup(4));
            case DRAWN -> drawn;
            case DRAWN_4_SEQUENCES -> drawn.withReturnSequences(4);
            case BEAMS_4 -> greedy.withStrategy(beams);
            case DRAWN_BEAMS_4 -> drawn.withStrategy(beams.withDrawing().withSeed(1));
            case BEAMS_4_IN_2_GROUPS -> greedy.withStrategy(beams.withGroups(2, 0.5));
            case CONTRASTIVE_4 -> greedy.withStrategy(new DecodingStrategy.ContrastiveSearch(4, 0.6));
            case GUIDED -> greedy.withGuidance(new Guidance(1.5));
        };
    }

    private void check() {
        int[] drafted = generate(Strategy.LOOKUP_4).ids();
        if (drafted.length != TOKENS || !Arrays.equals(drafted, generate(Strategy.GREEDY).ids())) {
            throw new IllegalStateException("with drafts the text is another one");
        }
    }

    private GenerationResult generate(Strategy strategy) {
        return generator.generate(prompt, options(strategy), TokenListener.NONE);
    }

    @TearDown
    public void close() throws IOException {
        check();
        generator.close();
        model.close();
        engine.close();
        if (temporary != null) {
            temporary.close();
        }
    }

    @Benchmark
    public GenerationResult generate() {
        return generate(strategy);
    }
}
