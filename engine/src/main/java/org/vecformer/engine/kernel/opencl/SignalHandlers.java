package org.vecformer.engine.kernel.opencl;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Locale;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Keeps the JVM's signal handlers in place. A driver that compiles with LLVM (PoCL, Mesa, others) has it replace the
 * process's handlers once, when it first compiles, so that temporary files are removed in a crash. But a JVM lives by
 * SIGSEGV and its like: the next safepoint that stops a loop, or the next null that is looked into, would end it without
 * a word; and Ctrl-C would end it at once.
 * <p>
 * So they are looked after while a driver compiles, every few microseconds, and put back. Java's own remedy is complete,
 * but has to be chosen when the JVM is started: {@code LD_PRELOAD=$JAVA_HOME/lib/libjsig.so}.
 * <p>
 * POSIX only; elsewhere this does nothing.
 */
final class SignalHandlers {

    private static final boolean MAC = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("mac");
    /** Of the JVM alone: ILL, TRAP, BUS, FPE, SEGV, PIPE, USR2, XFSZ. */
    private static final int[] OF_JVM = {4, 5, MAC ? 10 : 7, 8, 11, 13, MAC ? 31 : 12, 25};
    /** That a program may handle as well: HUP, INT, QUIT, TERM. */
    private static final int[] OF_PROGRAM = {1, 2, 3, 15};
    /** No system's {@code struct sigaction} is larger. */
    private static final long ACTION_BYTES = 512;
    private static final long PAUSE_NANOS = 20_000;

    /** {@code sigaction(2)}; null where there is none. */
    private static final MethodHandle SIGACTION = sigaction();
    /** As they were before the first driver was loaded. */
    private static final SignalHandlers JVM = new SignalHandlers(OF_JVM);

    private final int[] signals;
    private final MemorySegment actions;

    private SignalHandlers(int[] signals) {
        this.signals = signals;
        actions = Arena.ofAuto().allocate(signals.length * ACTION_BYTES, Long.BYTES);
        for (int i = 0; i < signals.length && SIGACTION != null; i++) {
            call(signals[i], MemorySegment.NULL, action(i));
        }
    }

    @SuppressWarnings("restricted")
    private static MethodHandle sigaction() {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find("sigaction")
                .map(function -> linker.downcallHandle(function,
                        FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, ADDRESS)))
                .orElse(null);
    }

    private static void call(int signal, MemorySegment action, MemorySegment before) {
        try {
            int _ = (int) SIGACTION.invokeExact(signal, action, before);
        } catch (Throwable e) {
            throw new IllegalStateException("sigaction cannot be called", e);
        }
    }

    private MemorySegment action(int i) {
        return actions.asSlice(i * ACTION_BYTES, ACTION_BYTES);
    }

    /** Remembers the JVM's handlers: to be called before a driver is loaded. */
    static void remember() {
        // This class has been initialized, which is all.
    }

    /** The handler of a signal: its address, or 0 or 1 for what the system does; 0 where there is no {@code sigaction}. */
    static long handler(int signal) {
        if (SIGACTION == null) {
            return 0;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment now = arena.allocate(ACTION_BYTES, Long.BYTES);
            call(signal, MemorySegment.NULL, now);
            // The first field, wherever it matters to us.
            return now.get(JAVA_LONG, 0);
        }
    }

    /** Puts back those handlers of the JVM that have been replaced. Takes as long as a few system calls. */
    static void restore() {
        JVM.putBack();
    }

    private void putBack() {
        for (int i = 0; i < signals.length && SIGACTION != null; i++) {
            if (handler(signals[i]) != action(i).get(JAVA_LONG, 0)) {
                call(signals[i], action(i), MemorySegment.NULL);
            }
        }
    }

    /** Makes a call in which a driver may compile. */
    static <T> T during(Supplier<T> call) {
        SignalHandlers program = new SignalHandlers(OF_PROGRAM);
        Watch watch = new Watch();
        Thread.ofPlatform().daemon().inheritInheritableThreadLocals(false).name("vecformer-signals").start(watch);
        try {
            return call.get();
        } finally {
            watch.end();
            JVM.putBack();
            program.putBack();
        }
    }

    /** Looks after the JVM's handlers until its end, and not a moment longer: then somebody may set his own. */
    private static final class Watch implements Runnable {
        private boolean over;

        @Override
        public void run() {
            while (look()) {
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }

        private synchronized boolean look() {
            if (!over) {
                JVM.putBack();
            }
            return !over;
        }

        synchronized void end() {
            over = true;
        }
    }
}
