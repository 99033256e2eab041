package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Settling;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;

/**
 * A scheduler's thread allocates nothing for a token but its id, of however many texts; measured as for a generator alone,
 * in rounds until what more steps cost settles, as the JIT compiles when it likes.
 */
class SchedulerAllocationTest {

    private static final int TEXTS = 5;
    private static final int FEW_TOKENS = 10;
    private static final int STEPS = 50;
    /** Less than an object for each step. */
    private static final int BOUND = 700;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    private static Path directory;

    @Test
    void moreTokensCostNoMoreThanTheirIds() throws Exception {
        TestModels.write(directory, new TestModels.Shape(1031, 96, 256, 2, 4, 1024), 5, DType.F32);
        try (Engine engine = TestBackends.open(2);
                Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
                Scheduler scheduler = Scheduler.open(model, null, SchedulerOptions.defaults())) {
            engine.awaitWarmUp();
            GenerationOptions few = GenerationOptions.defaults().withMaxNewTokens(FEW_TOKENS).withSeed(3)
                    .withSampling(s -> s.temperature(0.9).topK(50).topP(0.9));
            GenerationOptions many = few.withMaxNewTokens(FEW_TOKENS + STEPS);
            // In the loop's array and in the result's.
            int idBytes = TEXTS * 2 * STEPS * Integer.BYTES;
            Settling.assertSettles(idBytes, BOUND, () -> allocated(scheduler, many) - allocated(scheduler, few));
        }
    }

    /** Bytes that the scheduler's thread allocates for so many texts that are written together. */
    private static long allocated(Scheduler scheduler, GenerationOptions options) {
        long thread = Thread.getAllStackTraces().keySet().stream()
                .filter(each -> each.getName().equals("vecformer-scheduler")).findFirst().orElseThrow().threadId();
        int[] prompt = new Random(4).ints(20, 0, 1031).toArray();
        long before = THREADS.getThreadAllocatedBytes(thread);
        List<CompletableFuture<GenerationResult>> results = new ArrayList<>();
        for (int i = 0; i < TEXTS; i++) {
            results.add(scheduler.submit(prompt, options, TokenListener.NONE, new Cancellation()));
        }
        results.forEach(CompletableFuture::join);
        return THREADS.getThreadAllocatedBytes(thread) - before;
    }
}
