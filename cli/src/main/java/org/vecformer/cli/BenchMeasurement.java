package org.vecformer.cli;

import java.io.PrintStream;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.vecformer.yardstick.Limit;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Machine;
import org.vecformer.yardstick.Samples;

/** Runs the tests of {@code bench}, each between two measurements of the machine's limit. */
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

    private final int repetitions;
    private final BooleanSupplier stopped;
    private final Progress progress;
    private final Limits limits;
    private final Set<Limit> compiled = EnumSet.noneOf(Limit.class);
    private String missing = Machine.vectorsMissing().orElse(null);

    /**
     * @param threads on which the limits are measured
     * @param stopped whether to stop measuring
     */
    BenchMeasurement(int threads, int repetitions, BooleanSupplier stopped, Progress progress) {
        this.repetitions = repetitions;
        this.stopped = stopped;
        this.progress = progress;
        limits = missing == null ? new Limits(threads) : null;
    }

    /** The result; empty if it was stopped. */
    Optional<BenchResult> run(BenchTest test) {
        // The first runs are for the compiler: it takes a second or so of them until it has done its best.
        long warm = System.nanoTime() + WARM_UP_NANOS;
        for (int i = 0; !stopped.getAsBoolean() && i < MOST_WARM_UPS
                && (i == 0 || System.nanoTime() - warm < 0); i++) {
            test.run().run();
            progress.show(test.name(), 0, repetitions);
        }
        double before = limit(test);
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
        double[] speeds = new double[repetitions];
        for (int i = 0; i < repetitions; i++) {
            speeds[i] = test.tokens() / seconds[i];
        }
        return Optional.of(new BenchResult(test, new Samples(speeds), new Samples(seconds),
                (before + limit(test)) / 2));
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
