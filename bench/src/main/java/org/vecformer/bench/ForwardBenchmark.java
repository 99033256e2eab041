package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
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
import org.vecformer.engine.Sequence;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.loader.ModelFiles;

/**
 * A step of GPT-2 124M: one token after a prompt of 128, and the prompt. The weights are random, made anew by each
 * fork, or those of the model in {@code -Dvecformer.bench.model=DIR}. Before and after, the logits of a prompt in one
 * step are compared with those of the same tokens one by one, which other kernels compute: they must have the same
 * bits; on a device ({@link Twin#OPENCL}) they must agree within rounding.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class ForwardBenchmark {

    private static final int PROMPT = 128;
    private static final int CHECKED = 12;

    /** The twins; OPENCL too where a device is to be measured. */
    @Param({"SCALAR", "VECTOR"})
    public Twin backend;

    @Param
    public WeightType weights;

    /** Threads; 0 for one per processor. */
    @Param("0")
    public int threads;

    private TemporaryModel temporary;
    private Engine engine;
    private Gpt model;
    private Session session;
    private Sequence prompted;
    private Sequence empty;
    private int[] tokens;

    @Setup
    public void open() throws IOException, InterruptedException {
        String given = System.getProperty("vecformer.bench.model");
        if (given == null) {
            temporary = TemporaryModel.create(RandomModel.gpt2Small());
        }
        open(given == null ? temporary.directory() : Path.of(given));
    }

    void open(Path directory) throws IOException, InterruptedException {
        engine = backend.open(threads);
        engine.awaitWarmUp();
        model = Gpt.load(engine, ModelFiles.of(directory),
                LoadOptions.defaults().withWeights(weights));
        session = model.openSession(new SessionOptions(4 * PROMPT, PROMPT));
        tokens = new SplittableRandom(1).ints(PROMPT + 1, 0, model.config().vocabularySize()).toArray();
        prompted = session.newSequence();
        session.feed(prompted, tokens, 0, PROMPT);
        empty = session.newSequence();
        check();
    }

    private void check() {
        float[] together = new float[model.config().vocabularySize()];
        float[] oneByOne = together.clone();
        try (Sequence sequence = session.newSequence()) {
            session.feed(sequence, tokens, 0, CHECKED);
            session.logits(0, together);
            sequence.truncate(0);
            for (int i = 0; i < CHECKED; i++) {
                session.feed(sequence, tokens, i, i + 1);
            }
            session.logits(0, oneByOne);
        }
        double spread = 0;
        for (float logit : together) {
            spread = Math.max(spread, Math.abs(logit - together[0]));
        }
        if (!Twin.agree(engine, together, oneByOne) || !(spread > 0 && spread < 1e6)) {
            throw new IllegalStateException(
                    "the logits of " + CHECKED + " tokens in one step and one by one differ, or are"
                            + " not finite, or all the same: what was measured is wrong");
        }
    }

    @Benchmark
    public int decode() {
        Batch batch = session.batch();
        batch.clear();
        batch.add(prompted, tokens, PROMPT, PROMPT + 1, Logits.LAST);
        session.step(batch);
        session.await();
        prompted.truncate(PROMPT);
        return session.logitsRows();
    }

    @Benchmark
    public int prompt() {
        empty.truncate(0);
        session.feed(empty, tokens, 0, PROMPT);
        session.await();
        return session.logitsRows();
    }

    @TearDown
    public void checkAndClose() throws IOException {
        try {
            check();
        } finally {
            session.close();
            model.close();
            engine.close();
            if (temporary != null) {
                temporary.close();
            }
        }
    }
}
