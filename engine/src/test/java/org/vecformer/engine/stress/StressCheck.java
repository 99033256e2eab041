package org.vecformer.engine.stress;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.life.Waiting;

/**
 * The same as {@link StressTest}, for ten minutes, with the storyteller beside the small models where it is, and with a
 * look at all that a process may lose: memory that the engine knows of, the resident set, the heap, direct buffers, open
 * files, threads. No default build runs it: {@code mvn -Pstress verify -pl engine -am}. Properties: {@code
 * vecformer.stress.minutes}, {@code vecformer.stress.seed} (of the clock if there is none; it is printed).
 */
class StressCheck {

    private static final Duration PATIENCE = Duration.ofMinutes(3);

    /**
     * By how much the resident set and the heap may have grown since the first third of the time, when the JIT has done
     * most of its work. The heap is in memory as a whole from the start, and malloc gives back what it does not need
     * (see the profile's flags), so what is left to grow is code and metaspace: some 10 MB. A session that is lost in
     * one of a hundred requests would be hundreds of megabytes.
     */
    private static final long RESIDENT_TOLERANCE = 48 << 20;
    private static final long HEAP_TOLERANCE = 16 << 20;
    private static final long DIRECT_TOLERANCE = 16 << 20;
    /** Those by which the JDK waits for virtual threads. */
    private static final long FILES_TOLERANCE = 16;

    @TempDir
    Path directory;

    @Test
    void nothingIsWrongStuckOrLostInTenMinutes() throws Exception {
        int minutes = Integer.getInteger("vecformer.stress.minutes", 10);
        long seed = Long.getLong("vecformer.stress.seed", new SplittableRandom().nextLong());
        Path storyteller = Path.of(System.getProperty("vecformer.shared", ""), "models", "storyteller");
        List<Path> others = Files.isDirectory(storyteller) ? List.of(storyteller) : List.of();
        System.out.printf("stress: %d minutes, -Dvecformer.stress.seed=%d, %s%n", minutes, seed,
                others.isEmpty() ? "small models" : "small models and the storyteller");
        ProcessState before = ProcessState.now();
        ProcessState warm = null;
        ProcessState last = null;
        try (Stress stress = Stress.prepare(directory, others, seed)) {
            // A round each minute: between two of them everything rests, and must be as it was.
            for (int minute = 1; minute <= minutes; minute++) {
                stress.during(Duration.ofMinutes(1), PATIENCE);
                last = ProcessState.now();
                warm = minute <= Math.max(1, minutes / 3) ? last : warm;
                System.out.printf("minute %d: %s; %s; %s%n", minute, stress.tally().summary(), last.text(),
                        stress.memory());
            }
            System.out.println(stress.tally());
            for (Outcome outcome : EnumSet.complementOf(EnumSet.of(Outcome.REFUSED))) {
                assertThat(stress.tally().count(outcome)).as("requests that were %s", outcome).isPositive();
            }
        }
        Waiting.until("the library's threads have ended", () -> Waiting.libraryThreads().isEmpty());
        ProcessState after = ProcessState.now();
        System.out.printf("before:        %s%nfirst third:   %s%nlast minute:   %s%nall closed:    %s%n", before.text(),
                warm.text(), last.text(), after.text());
        assertThat(last.resident()).as("resident set").isLessThan(warm.resident() + RESIDENT_TOLERANCE);
        assertThat(last.heap()).as("heap").isLessThan(warm.heap() + HEAP_TOLERANCE);
        assertThat(last.direct()).as("direct buffers").isLessThan(warm.direct() + DIRECT_TOLERANCE);
        assertThat(last.files()).as("open files").isLessThan(warm.files() + FILES_TOLERANCE);
        assertThat(warm.threads()).as("threads of the first third").containsAll(last.threads());
        assertThat(before.threads()).as("threads").containsAll(after.threads());
    }
}
