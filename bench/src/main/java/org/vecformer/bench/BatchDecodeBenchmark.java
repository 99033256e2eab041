package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
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
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.ModelFiles;

/**
 * Steps of several sequences at once, behind 64 tokens each, with GPT-2 124M of random weights or the model in
 * {@code -Dvecformer.bench.model=DIR}: the steps per second, each of which is a token for every sequence. Before and
 * after, the last sequence's logits are compared with those of the first, which has the same tokens: they must have the
 * same bits.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"})
public class BatchDecodeBenchmark {

    private static final int STEPS = 8;

    @Param({"1", "2", "4", "8", "16"})
    public int sequences;

    @Param
    public WeightType weights;

    private TemporaryModel temporary;
    private Engine engine;
    private Gpt model;
    private BatchDecode batch;

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
        batch = new BatchDecode(model, sequences, STEPS);
        check();
    }

    private void check() {
        batch.tokensPerSecond(STEPS);
        batch.checkAlike();
    }

    @Benchmark
    @OperationsPerInvocation(STEPS)
    public double step() {
        return batch.tokensPerSecond(STEPS);
    }

    @TearDown
    public void checkAndClose() throws IOException {
        try {
            check();
        } finally {
            batch.close();
            model.close();
            engine.close();
            if (temporary != null) {
                temporary.close();
            }
        }
    }
}
