package org.vecformer.engine.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;

/**
 * How many threads are worth computing with: one for each physical core. Two threads of one core share its multipliers,
 * which the kernels keep busy, and its caches.
 */
final class Processors {

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CPUS = Path.of("/sys/devices/system/cpu");
    /** More than any machine has; numbers beyond are not ours to believe. */
    private static final int MOST_CPUS = 1 << 16;

    private Processors() {
    }

    /**
     * The physical cores that this process may run on, as Linux tells; elsewhere, or where it does not tell, the
     * processors. Never more than {@link Runtime#availableProcessors}, which knows the CPU limit of a container.
     */
    static int count() {
        return Math.min(Runtime.getRuntime().availableProcessors(), cores(STATUS, CPUS));
    }

    /**
     * Counts physical cores.
     *
     * @param status with the line {@code Cpus_allowed_list}: what this process may run on
     * @param cpus   the folder that has, for each processor, {@code cpuN/topology/thread_siblings_list}: the processors
     *               of its core
     * @return {@link Integer#MAX_VALUE} if these files do not tell
     */
    static int cores(Path status, Path cpus) {
        try {
            String allowed = Files.readAllLines(status).stream().filter(line -> line.startsWith("Cpus_allowed_list:"))
                    .findFirst().orElse("");
            BitSet left = parse(allowed.substring(allowed.indexOf(':') + 1));
            int cores = 0;
            for (int cpu = left.nextSetBit(0); cpu >= 0; cpu = left.nextSetBit(cpu)) {
                left.andNot(parse(Files.readString(cpus.resolve("cpu" + cpu + "/topology/thread_siblings_list"))));
                left.clear(cpu);
                cores++;
            }
            return cores == 0 ? Integer.MAX_VALUE : cores;
        } catch (IOException | IllegalArgumentException _) {
            // No Linux, or a sandbox that hides these files.
            return Integer.MAX_VALUE;
        }
    }

    /** The kernel's way to write a set: {@code 0-3,8,10-11}. */
    private static BitSet parse(String list) {
        BitSet set = new BitSet();
        for (String range : list.strip().split(",")) {
            int dash = range.indexOf('-');
            int first = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
            int last = Integer.parseInt(range.substring(dash + 1));
            if (first < 0 || last < first || last > MOST_CPUS) {
                throw new IllegalArgumentException(list);
            }
            set.set(first, last + 1);
        }
        return set;
    }
}
