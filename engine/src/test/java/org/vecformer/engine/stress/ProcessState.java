package org.vecformer.engine.stress;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import javax.management.JMException;
import javax.management.ObjectName;
import org.vecformer.engine.life.Waiting;

/**
 * What a process holds when it rests.
 *
 * @param resident bytes in memory (VmRSS); 0 where there is no /proc
 * @param heap     bytes of the Java heap in use, after a collection
 * @param direct   bytes of direct buffers
 * @param files    open ones; 0 where that is not known
 * @param threads  platform threads but for those of the JDK that come and go: the carriers of virtual threads, and what
 *                 serves those
 */
record ProcessState(long resident, long heap, long direct, long files, Set<String> threads) {

    static ProcessState now() throws InterruptedException {
        // The second one collects what cleaners of the first have let go.
        for (int i = 0; i < 2; i++) {
            System.gc();
            Thread.sleep(50);
        }
        trim();
        return new ProcessState(residentNow(), ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                        .filter(pool -> pool.getName().equals("direct")).mapToLong(BufferPoolMXBean::getMemoryUsed)
                        .sum(),
                ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                        ? unix.getOpenFileDescriptorCount()
                        : 0,
                Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
                        .filter(name -> !name.matches("ForkJoinPool-1-worker-.*|VirtualThread-.*|.*-Poller.*|"
                                + "Common-Cleaner|Attach Listener|process reaper.*"))
                        .collect(Collectors.toUnmodifiableSet()));
    }

    /**
     * Has malloc give back what it keeps although nobody uses it: more than 100 MB after the JIT has compiled, which
     * allocates much and frees it. What is left is in use, or lost.
     */
    private static void trim() {
        try {
            ManagementFactory.getPlatformMBeanServer().invoke(
                    new ObjectName("com.sun.management:type=DiagnosticCommand"), "systemTrimNativeHeap", new Object[0],
                    new String[0]);
        } catch (JMException _) {
            // Another system than Linux with glibc.
        }
    }

    /** The resident set now, without a collection before. */
    static long residentNow() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")) << 10).sum();
        } catch (IOException _) {
            return 0;
        }
    }

    /** For people. */
    String text() {
        return "resident %d MB, heap %d MB, direct buffers %d kB, %d files, %d threads (%d of the library)".formatted(
                resident >> 20, heap >> 20, direct >> 10, files, threads.size(), Waiting.libraryThreads().size());
    }
}
