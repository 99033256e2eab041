package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.TestDevices;

/** The JVM's signal handlers are in place, whatever a driver does to them. */
@EnabledOnOs(OS.LINUX)
class SignalHandlersTest {

    /** SIGTRAP, which a JVM without a debugger can do without for a moment. */
    private static final int TRAP = 5;
    private static final long IGNORED = 1;

    @TempDir
    Path folder;

    @Test
    void aHandlerThatIsReplacedDuringACallIsPutBackAtOnce() throws Throwable {
        SignalHandlers.remember();
        long before = SignalHandlers.handler(TRAP);
        assumeTrue(before != IGNORED);
        boolean restored = SignalHandlers.during(() -> {
            ignore(TRAP);
            long end = System.nanoTime() + 10_000_000_000L;
            while (SignalHandlers.handler(TRAP) != before && System.nanoTime() - end < 0) {
                Thread.onSpinWait();
            }
            return SignalHandlers.handler(TRAP) == before;
        });
        assertThat(restored).as("put back while the call went on").isTrue();
        assertThat(SignalHandlers.handler(TRAP)).isEqualTo(before);
    }

    @Test
    void oneThatIsReplacedLaterIsPutBackWhenAsked() {
        SignalHandlers.remember();
        long before = SignalHandlers.handler(TRAP);
        assumeTrue(before != IGNORED);
        ignore(TRAP);
        assertThat(SignalHandlers.handler(TRAP)).isEqualTo(IGNORED);
        SignalHandlers.restore();
        assertThat(SignalHandlers.handler(TRAP)).isEqualTo(before);
    }

    @SuppressWarnings("restricted")
    private static void ignore(int signal) {
        try {
            Linker linker = Linker.nativeLinker();
            MethodHandle set = linker.downcallHandle(linker.defaultLookup().find("signal").orElseThrow(),
                    FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
            long _ = (long) set.invokeExact(signal, IGNORED);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** A child JVM whose driver has nothing compiled yet, so that its compiler sets up whatever it wants to. */
    @Test
    @Tag("opencl")
    void aDriverThatCompilesLeavesThemAlone() throws Exception {
        TestDevices.firstOrSkip();
        ProcessBuilder child = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-D" + ClProgramCache.PROPERTY + "=none", "-cp",
                System.getProperty("java.class.path"), Compiling.class.getName()).redirectErrorStream(true);
        child.environment().putAll(Map.of("POCL_CACHE_DIR", folder.toString()));
        Process process = child.start();
        String output = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).contains("compiled, and all handlers are the JVM's");
    }

    /** What the child does. */
    static final class Compiling {

        public static void main(String[] arguments) {
            long[] before = handlers();
            try (ClDevice device = ClDevice.open(new DeviceChoice.OpenCl(0), false);
                    ClQueue queue = device.openQueue();
                    ClBuffer buffer = device.allocate(1024, "numbers");
                    ClKernel kernel = device
                            .program("ones", "kernel void ones(global int *x) { x[get_global_id(0)] = 1; }",
                                    new String[0])
                            .kernel("ones")) {
                kernel.set(0, buffer);
                queue.launch(kernel, new long[]{256}, new long[]{64});
                int[] numbers = new int[256];
                queue.read(buffer, 0, numbers, 0, 256);
                for (int signal = 1; signal < before.length; signal++) {
                    if (SignalHandlers.handler(signal) != before[signal] && isOurs(signal)) {
                        throw new AssertionError("the handler of signal " + signal + " was replaced");
                    }
                }
            }
            System.out.println("compiled, and all handlers are the JVM's");
        }

        /** Those that the JVM handles: SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, ..., SIGHUP, SIGINT, SIGTERM. */
        private static boolean isOurs(int signal) {
            return LongStream.of(1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 15, 25).anyMatch(ours -> ours == signal);
        }

        private static long[] handlers() {
            return LongStream.range(0, 32).map(signal -> signal == 0 ? 0 : SignalHandlers.handler((int) signal))
                    .toArray();
        }

        private Compiling() {
        }
    }
}
