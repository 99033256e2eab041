package org.vecformer.cli;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Engine;
import org.vecformer.yardstick.KernelTimes;
import org.vecformer.yardstick.Limit;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Samples;

/** Runs the tests of {@code bench}, each between two measurements of the limit of what computes. */
final class BenchMeasurement implements AutoCloseable {
    private static final long WARM_UP_NANOS = 1_500_000_000;
    private static final int MOST_WARM_UPS = 500;
    private static final double LIMIT_SECONDS = 0.25;

    /** Told how far a test is. */
    interface Progress {
        Progress NONE = (_, _, _) -> {
        };

        /** So many of a test's repetitions are done; all of them when it is over. */
        void show(String test, int done, int repetitions);

        /** A bar for each test, on a terminal. */
        static Progress on(PrintStream terminal) {
            return new Progress() {
                private ProgressBar bar;

                @Override
                public void show(String test, int done, int repetitions) {
                    if (bar == null) {
                        bar = new ProgressBar(terminal, test);
                    }
                    bar.show(done, repetitions);
                    if (done == repetitions) {
                        bar.close();
                        bar = null;
                    }
                }
            };
        }
    }

    private final Engine engine;
    private final int repetitions;
    private final boolean profile;
    private final BooleanSupplier stopped;
    private final Progress progress;
    private final Limits limits;
    private final Set<Limit> compiled = EnumSet.noneOf(Limit.class);
    private String missing;

    /**
     * @param engine  what computes
     * @param profile whether to tell the time of each kernel, which the engine counts
     * @param stopped whether to stop measuring
     */
    BenchMeasurement(Engine engine, int repetitions, boolean profile, BooleanSupplier stopped, Progress progress) {
        this.engine = engine;
        this.repetitions = repetitions;
        this.profile = profile;
        this.stopped = stopped;
        this.progress = progress;
        limits = limits();
    }

    /** Null if they cannot be measured. */
    private Limits limits() {
        try {
            return Limits.of(engine);
        } catch (IllegalStateException e) {
            missing = e.getMessage();
            return null;
        }
    }

    /** The result; empty if it was stopped. */
    Optional<BenchResult> run(BenchTest test) {
        // In the first run a device's driver compiles kernels. The next ones are for the JVM's compiler: it takes a second
        // or so of them until it has done its best.
        warmUp(test);
        long warm = System.nanoTime() + WARM_UP_NANOS;
        for (int i = 1; i < MOST_WARM_UPS && System.nanoTime() - warm < 0; i++) {
            warmUp(test);
        }
        double before = limit(test);
        engine.resetProfile();
        double[] seconds = new double[repetitions];
        int done = 0;
        while (done < repetitions && !stopped.getAsBoolean()) {
            long start = System.nanoTime();
            test.run().run();
            seconds[done] = (System.nanoTime() - start) / 1e9;
            done++;
            progress.show(test.name(), done, repetitions);
        }
        if (stopped.getAsBoolean()) {
            progress.show(test.name(), repetitions, repetitions);
            return Optional.empty();
        }
        KernelTimes kernels = profile
                ? KernelTimes.of(engine.profile(), Arrays.stream(seconds).sum())
                : null;
        double[] speeds = new double[repetitions];
        for (int i = 0; i < repetitions; i++) {
            speeds[i] = test.tokens() / seconds[i];
        }
        return Optional.of(new BenchResult(test, new Samples(speeds), new Samples(seconds),
                (before + limit(test)) / 2, kernels));
    }

    private void warmUp(BenchTest test) {
        if (!stopped.getAsBoolean()) {
            test.run().run();
            progress.show(test.name(), 0, repetitions);
        }
    }

    /** NaN if it cannot be measured. */
    private double limit(BenchTest test) {
        if (missing != null || stopped.getAsBoolean()) {
            return Double.NaN;
        }
        try {
            if (compiled.add(test.limit())) {
                limits.measure(test.limit(), LIMIT_SECONDS);
            }
            return limits.measure(test.limit(), LIMIT_SECONDS);
        } catch (IllegalStateException e) {
            missing = e.getMessage();
            return Double.NaN;
        }
    }

    /** Why there are limits that could not be measured. */
    Optional<String> missing() {
        return Optional.ofNullable(missing);
    }

    @Override
    public void close() {
        if (limits != null) {
            limits.close();
        }
    }
}
