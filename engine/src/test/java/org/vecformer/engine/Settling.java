package org.vecformer.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** Asserts what holds when the JIT has compiled everything; when that is over is the JVM's business. */
public final class Settling {

    private static final Duration LIMIT = Duration.ofMinutes(2);

    private Settling() {
    }

    /**
     * Rounds are run until two in a row allocate as many bytes as expected; the test fails if they never do.
     *
     * @param tolerance in bytes
     */
    public static void assertSettles(long expected, long tolerance, Callable<Long> round) throws Exception {
        long start = System.nanoTime();
        List<Long> rounds = new ArrayList<>();
        for (int settled = 0; settled < 2;) {
            assertThat(System.nanoTime() - start).as("nanoseconds; bytes, round by round: %s", rounds)
                    .isLessThan(LIMIT.toNanos());
            rounds.add(round.call());
            settled = Math.abs(rounds.getLast() - expected) <= tolerance ? settled + 1 : 0;
        }
    }
}
