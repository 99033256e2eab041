package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
import org.vecformer.bench.SentenceEncoder.Prepared;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.ModelFiles;

/**
 * A batch through BERT-base, token ids in and mean vectors out. The weights are random, made anew by each fork, or those
 * of the model in {@code -Dvecformer.bench.encoder=DIR}. Before and after, the batch's vectors are compared with those
 * of its sequences alone: they must have the same bits; on a device ({@link Twin#OPENCL}) they must agree within
 * rounding.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class EncoderBenchmark {

    /** Sequences x tokens. */
    public enum Batch {
        ONE_16, ONE_128, EIGHT_128, EIGHT_MIXED;

        EncoderRun.Shape shape() {
            return EncoderRun.Shape.ALL.get(ordinal());
        }
    }

    /** The twins; OPENCL too where a device is to be measured. */
    @Param({"SCALAR", "VECTOR"})
    public Twin backend;

    @Param
    public WeightType weights;

    @Param({"ONE_16", "ONE_128", "EIGHT_128", "EIGHT_MIXED"})
    public Batch batch;

    /** Threads; 0 for one per processor. */
    @Param("0")
    public int threads;

    private TemporaryModel temporary;
    private Engine engine;
    private VecformerEncoder model;
    private List<int[]> sequences;
    private Prepared prepared;

    @Setup
    public void open() throws IOException, InterruptedException {
        String given = System.getProperty("vecformer.bench.encoder");
        if (given == null) {
            temporary = TemporaryModel.create(RandomModel.bertBase());
        }
        open(given == null ? temporary.directory() : Path.of(given));
    }

    void open(Path directory) throws IOException, InterruptedException {
        engine = backend.open(threads);
        engine.awaitWarmUp();
        model = VecformerEncoder.load(engine, ModelFiles.of(directory), weights);
        sequences = batch.shape().sequences(model.config().vocabularySize());
        prepared = model.prepare(sequences);
        check();
    }

    private void check() {
        float[][] together = prepared.encode();
        for (int s = 0; s < together.length; s++) {
            try (Prepared alone = model.prepare(List.of(sequences.get(s)))) {
                double product = 0;
                for (float x : together[s]) {
                    product += (double) x * x;
                }
                if (!Twin.agree(engine, together[s], alone.encode()[0]) || !(Math.abs(product - 1) < 1e-4)) {
                    throw new IllegalStateException("the vectors of sequence " + s + " in a batch and alone differ, or"
                            + " have not the length 1: what was measured is wrong");
                }
            }
        }
    }

    @Benchmark
    public float[][] encode() {
        return prepared.encode();
    }

    @TearDown
    public void checkAndClose() throws IOException {
        try {
            check();
        } finally {
            prepared.close();
            model.close();
            engine.close();
            if (temporary != null) {
                temporary.close();
            }
        }
    }
}
