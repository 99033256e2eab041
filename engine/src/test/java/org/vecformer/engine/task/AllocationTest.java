package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.Settling;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Greedy;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.engine.sampler.SamplingContext;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/**
 * A generated token costs no heap memory but its own: neither the calling thread nor the engine's threads allocate
 * while a model that has been warmed up writes.
 * <p>
 * Until the JIT has compiled everything, each vector operation makes an object; when that is over is the JVM's
 * business. So rounds of {@value #STEPS} tokens are run until two in a row stay within the bound. A single object for
 * each token would be 16 bytes x {@value #STEPS} at least: the bound is below that, and above zero because a method that
 * is compiled anew may build the objects that its compiled form had done without.
 * <p>
 * Not with 64-bit vectors, which are for tests only (an engine does not choose them): C2 has no masks of two lanes, so
 * that each blend is a call that makes objects.
 */
@Tag("width")
@DisabledIfSystemProperty(named = "vecformer.expectedBits", matches = "64", disabledReason = "64-bit vectors allocate")
class AllocationTest {

    private static final int STEPS = 40;
    private static final int BOUND = 600;
    private static final Sampling SAMPLING = Sampling.none().temperature(0.9).topK(50).topP(0.9);
    private static final int FEW_TOKENS = 10;
    private static final int MANY_TOKENS = FEW_TOKENS + STEPS;

    /** Large enough that the matrix products are split between the threads. */
    private static final TestModels.Shape SHAPE = new TestModels.Shape(1031, 96, 256, 2, 4, 1024);

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    private static Path directory;

    @BeforeAll
    static void write() throws IOException {
        assertThat(THREADS.isThreadAllocatedMemoryEnabled()).isTrue();
        TestModels.write(directory, SHAPE, 5, DType.F32);
    }

    @ParameterizedTest
    @CsvSource({"F32, true", "F32, false", "BF16, true", "F16, false", "INT8, true", "INT4, true"})
    void aStepAllocatesNothing(WeightType weights, boolean greedy) throws Exception {
        try (Engine engine = TestBackends.open(2);
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults().withWeights(weights));
                Session session = model.openSession(SessionOptions.defaults())) {
            engine.awaitWarmUp();
            Candidates candidates = new Candidates(model.outputs());
            float[] logits = new float[model.outputs()];
            Sampler sampler = greedy
                    ? new Greedy()
                    : SamplerChain.of(SAMPLING.processors(
                            new SamplingContext(model.config().contextLength(), new int[0], 1, 7), true),
                            SAMPLING.draw(7));
            int[] ids = new Random(3).ints(model.config().contextLength(), 0, model.outputs()).toArray();
            Sequence sequence = session.newSequence();
            int prompt = ids.length - STEPS - 1;
            session.feed(sequence, ids, 0, prompt);
            // Through the bound of 32 positions of a cache page.
            Settling.assertSettles(0, BOUND, () -> allocated(engine, () -> {
                sequence.truncate(prompt);
                for (int i = prompt; i < prompt + STEPS; i++) {
                    session.batch().clear();
                    session.batch().add(sequence, ids, i, i + 1, Logits.LAST);
                    session.step(session.batch());
                    session.logits(0, logits);
                    candidates.load(logits);
                    sampler.apply(candidates);
                    ids[i + 1] = candidates.selectedToken();
                    sampler.accept(ids[i + 1]);
                }
            }));
        }
    }

    @ParameterizedTest
    @EnumSource(WeightType.class)
    void theGeneratorAllocatesNoMoreForMoreTokensThanTheirIds(WeightType weights) throws Exception {
        try (Engine engine = TestBackends.open(2);
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults().withWeights(weights));
                TextGenerator generator = TextGenerator.open(model, null)) {
            engine.awaitWarmUp();
            int[] prompt = new Random(4).ints(20, 0, model.outputs()).toArray();
            GenerationOptions few = options(false).withSeed(5).withMaxNewTokens(FEW_TOKENS);
            GenerationOptions many = few.withMaxNewTokens(MANY_TOKENS);
            // The ids of a generation exist twice: in the loop's array and in the result's.
            int idBytes = 2 * STEPS * Integer.BYTES;
            Settling.assertSettles(idBytes, BOUND,
                    () -> allocated(engine, () -> generator.generate(prompt, many, TokenListener.NONE))
                            - allocated(engine, () -> generator.generate(prompt, few, TokenListener.NONE)));
        }
    }

    private static GenerationOptions options(boolean greedy) {
        return GenerationOptions.defaults()
                .withStrategy(greedy ? DecodingStrategy.greedy() : DecodingStrategy.random(7)).withSampling(SAMPLING);
    }

    /** Bytes that the calling thread and the engine's threads allocate meanwhile. */
    private static long allocated(Engine engine, Runnable work) {
        Thread[] workers = engine.compute().pool().workerThreads();
        long before = 0;
        for (Thread worker : workers) {
            before += THREADS.getThreadAllocatedBytes(worker.threadId());
        }
        // The caller's own counter is the innermost: reading the others allocates.
        long callerBefore = THREADS.getCurrentThreadAllocatedBytes();
        work.run();
        long caller = THREADS.getCurrentThreadAllocatedBytes() - callerBefore;
        long after = 0;
        for (Thread worker : workers) {
            after += THREADS.getThreadAllocatedBytes(worker.threadId());
        }
        return caller + after - before;
    }
}
