package org.vecformer.engine.stress;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.life.Waiting;

/** Some thousand requests of 64 threads in all ways at once. {@link StressCheck} is the long one. */
class StressTest {

    private static final long SEED = 8;
    private static final int REQUESTS = 2000;
    /** On a machine that does much else at the same time. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    @TempDir
    Path directory;

    @Test
    void allThreadsAtOnceGetWhatEachGetsAlone() throws Exception {
        Waiting.until("the threads of earlier tests have ended", () -> Waiting.libraryThreads().isEmpty());
        ProcessState before = ProcessState.now();
        try (Stress stress = Stress.prepare(directory, List.of(), SEED)) {
            stress.requests(REQUESTS, PATIENCE);
            System.out.printf("seed %d: %s%n%s%n", SEED, stress.tally().summary(), stress.tally());
            // Of the others there may be none on a machine where nothing takes any time.
            for (Outcome outcome : List.of(Outcome.FINISHED, Outcome.CANCELLED, Outcome.CLOSED)) {
                assertThat(stress.tally().count(outcome)).as("requests that were %s", outcome).isPositive();
            }
        }
        Waiting.until("the library's threads have ended", () -> Waiting.libraryThreads().isEmpty());
        ProcessState after = ProcessState.now();
        System.out.println("before: " + before.text() + "\nafter:  " + after.text());
        assertThat(before.threads()).containsAll(after.threads());
    }
}
