package org.vecformer.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.HdrHistogram.Recorder;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.generation.SchedulerOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.task.TextGenerator;

/**
 * Clients of a {@link Scheduler}, each of which asks for the next text as soon as it has one, for a long time. One request
 * of ten is cancelled in its midst, as clients hang up. Every text is compared with what the model writes alone.
 */
final class SoakRun {

    /**
     * How much is asked for.
     *
     * @param clients      threads that ask
     * @param promptTokens the longest prompt; they are of all lengths
     * @param newTokens    the most new tokens; they are of all numbers, too
     * @param intervals    how many
     * @param seconds      of each
     */
    record Plan(int clients, int promptTokens, int newTokens, int intervals, double seconds) {}

    private static final int JOBS = 16;
    private static final int HANG_UP_ONE_OF = 10;
    private static final long SEED = 8;

    /** A prompt, and what is written behind it alone. */
    private record Job(int[] prompt, GenerationOptions options, int[] alone) {}

    private final Plan plan;
    private final List<Job> jobs = new ArrayList<>();
    private final Gpt model;
    private final Recorder firstToken = new Recorder(3);
    private final Recorder nextToken = new Recorder(3);
    private final Recorder request = new Recorder(3);
    private final LongAdder tokens = new LongAdder();
    private final LongAdder requests = new LongAdder();
    private final LongAdder cancelled = new LongAdder();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private volatile boolean over;

    /** Computes what is expected. */
    SoakRun(Gpt model, Plan plan) {
        this.model = model;
        this.plan = plan;
        SplittableRandom random = new SplittableRandom(SEED);
        try (TextGenerator generator = TextGenerator.open(model, null)) {
            for (int i = 0; i < JOBS; i++) {
                int[] prompt = random.ints(1 + random.nextInt(plan.promptTokens), 0, model.config().vocabularySize())
                        .toArray();
                GenerationOptions options = GenerationOptions.defaults()
                        .withMaxNewTokens(1 + random.nextInt(plan.newTokens));
                if (i % 2 == 1) {
                    options = options.withStrategy(DecodingStrategy.random(i)).withSampling(s -> s.topK(40));
                }
                jobs.add(new Job(prompt, options, generator.generate(prompt, options, TokenListener.NONE).ids()));
            }
        }
    }

    /**
     * Runs, and measures.
     *
     * @param progress told of each interval when it ends
     * @throws IllegalStateException if a text was not what it is alone
     */
    Soak run(Consumer<Soak.Interval> progress) throws InterruptedException {
        List<Soak.Interval> intervals = new ArrayList<>();
        List<Thread> clients = new ArrayList<>();
        try (Scheduler scheduler = Scheduler.open(model, null, SchedulerOptions.defaults()
                .withMaxQueued(plan.clients + 1)
                .withCacheTokens((long) plan.clients * (plan.promptTokens + plan.newTokens + 2 * CACHE_PAGE)))) {
            SplittableRandom seeds = new SplittableRandom(SEED);
            for (int i = 0; i < plan.clients; i++) {
                SplittableRandom random = seeds.split();
                clients.add(Thread.ofVirtual().name("client-" + i).start(() -> ask(scheduler, random)));
            }
            try {
                long start = System.nanoTime();
                for (int i = 0; i < plan.intervals && failure.get() == null; i++) {
                    TimeUnit.NANOSECONDS.sleep(start + (long) ((i + 1) * plan.seconds * 1e9) - System.nanoTime());
                    intervals.add(interval(scheduler));
                    progress.accept(intervals.getLast());
                }
            } finally {
                over = true;
                for (Thread client : clients) {
                    client.join();
                }
            }
        }
        if (failure.get() != null) {
            throw new IllegalStateException("a request failed: " + failure.get(), failure.get());
        }
        Soak.Latencies all = Soak.Latencies.empty();
        intervals.forEach(interval -> all.add(interval.latencies()));
        return new Soak(intervals, plan.seconds, all, requests.sum(), cancelled.sum(),
                intervals.stream().mapToLong(Soak.Interval::tokens).sum());
    }

    /** A sequence begins on a page of its own, and ends within one. */
    private static final int CACHE_PAGE = 64;

    private Soak.Interval interval(Scheduler scheduler) {
        Soak.Latencies latencies = Soak.Latencies.empty();
        latencies.add(new Soak.Latencies(firstToken.getIntervalHistogram(), nextToken.getIntervalHistogram(),
                request.getIntervalHistogram()));
        return new Soak.Interval(latencies, new Soak.Memory(model.engine().memory(),
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(), resident()),
                scheduler.load().queued(), tokens.sumThenReset());
    }

    private static long resident() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")) << 10).sum();
        } catch (IOException _) {
            return 0;
        }
    }

    /** A client. */
    private void ask(Scheduler scheduler, SplittableRandom random) {
        try {
            while (!over && failure.get() == null) {
                Job job = jobs.get(random.nextInt(jobs.size()));
                int hangUp = random.nextInt(HANG_UP_ONE_OF) == 0 ? 1 + random.nextInt(plan.newTokens) : 0;
                Clock clock = new Clock(hangUp);
                GenerationResult result = scheduler.generate(job.prompt, job.options, clock, clock.cancellation);
                boolean whole = result.finishReason() != FinishReason.CANCELLED;
                if (whole) {
                    request.recordValue(clock.sinceStart());
                } else {
                    cancelled.increment();
                }
                requests.increment();
                if (!Arrays.equals(result.ids(),
                        whole ? job.alone : Arrays.copyOf(job.alone, result.ids().length))) {
                    throw new IllegalStateException("a text differs from what the model writes alone");
                }
            }
        } catch (Throwable e) {
            failure.compareAndSet(null, e);
        }
    }

    /** Measures a request, and hangs up when so many tokens have come; 0 for never. */
    private final class Clock implements TokenListener {
        private final Cancellation cancellation = new Cancellation();
        private final int hangUp;
        private final long start = System.nanoTime();
        private long last;
        private int count;

        Clock(int hangUp) {
            this.hangUp = hangUp;
        }

        long sinceStart() {
            return TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - start);
        }

        @Override
        public void token(GeneratedToken token) {
            long now = System.nanoTime();
            if (count++ == 0) {
                firstToken.recordValue(TimeUnit.NANOSECONDS.toMicros(now - start));
            } else {
                nextToken.recordValue(TimeUnit.NANOSECONDS.toMicros(now - last));
            }
            last = now;
            tokens.increment();
            if (count == hangUp) {
                cancellation.cancel();
            }
        }
    }
}
