package org.vecformer.engine.kernel.opencl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jocl.cl_context;
import org.jocl.cl_device_id;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.DeviceMemoryException;
import org.vecformer.engine.UnsupportedBackendException;

/**
 * An opened device: its memory, its programs, and all that was made on it. Thread-safe.
 * <p>
 * Every call that gives handles to the driver holds {@link #using()}, every release holds its counterpart: what a thread
 * closes is never in the hands of another one.
 */
final class ClDevice implements AutoCloseable {

    private final ComputeDevice description;
    private final cl_device_id id;
    private final cl_context context;
    private final boolean profiling;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final Map<String, ClProgram> programs = new HashMap<>();
    /** What is to be closed by those who made it. Guarded by itself, as {@code bytes} is. */
    private final Set<ClObject> open = new LinkedHashSet<>();
    private long bytes;
    private final AtomicInteger events = new AtomicInteger();
    private final Map<String, KernelTime> profile = new TreeMap<>();
    private volatile boolean closed;

    private ClDevice(ClDiscovery.Found found, cl_context context, boolean profiling) {
        description = found.description();
        id = found.id();
        this.context = context;
        this.profiling = profiling;
    }

    /**
     * Opens a device.
     *
     * @param choice    which; not the cpu
     * @param profiling whether the time of each launch is measured, which costs some
     * @throws UnsupportedBackendException when there is no such device, or its driver refuses to work; the message says
     *                                     why. No other device is taken instead
     */
    static ClDevice open(DeviceChoice choice, boolean profiling) {
        ClDiscovery.Found found = ClPlatforms.choose(choice);
        return new ClDevice(found, ClCalls.createContext(found), profiling);
    }

    ComputeDevice description() {
        return description;
    }

    /** For messages. */
    String name() {
        return "the device opencl:" + description.index() + " (" + description.name() + ")";
    }

    boolean profiling() {
        return profiling;
    }

    cl_device_id id() {
        return id;
    }

    cl_context context() {
        return context;
    }

    /** To be held while handles are in use. */
    Lock using() {
        return lock.readLock();
    }

    /**
     * Memory whose content is not defined yet.
     *
     * @param size in bytes, at least 1
     * @param what it is for, for messages: "the weights"
     * @throws DeviceMemoryException when the device has less than that
     */
    ClBuffer allocate(long size, String what) {
        if (size < 1) {
            throw new IllegalArgumentException("a buffer of " + size + " bytes for " + what + "; expected at least 1");
        }
        if (size > description.maxAllocation()) {
            throw new DeviceMemoryException("%s can be no larger than %s in one piece on %s; needed: %s".formatted(what,
                    mebibytes(description.maxAllocation()), name(), mebibytes(size)));
        }
        synchronized (open) {
            long left = description.globalMemory() - bytes;
            if (size > left) {
                throw tooLittle(size, what, left, "");
            }
            bytes += size;
        }
        ClBuffer buffer = null;
        try {
            buffer = create(() -> ClCalls.createBuffer(this, size, what));
            return buffer;
        } finally {
            if (buffer == null) {
                synchronized (open) {
                    bytes -= size;
                }
            }
        }
    }

    /** What {@link #allocate} says when memory is short. */
    DeviceMemoryException tooLittle(long size, String what, long left, String why) {
        return new DeviceMemoryException("%s: %s needed, %s has %s left of %s%s".formatted(what, mebibytes(size),
                name(), mebibytes(left), mebibytes(description.globalMemory()), why));
    }

    /** Bytes that are not allocated, by our own count. */
    long left() {
        synchronized (open) {
            return description.globalMemory() - bytes;
        }
    }

    private static String mebibytes(long bytes) {
        return bytes < 10L << 30
                ? String.format(Locale.ROOT, "%.1f MiB", bytes / 0x1p20)
                : String.format(Locale.ROOT, "%.1f GiB", bytes / 0x1p30);
    }

    /**
     * The kernels of a file, compiled at the first call.
     *
     * @param resource a file beside this class: "matmul.cl"; it begins with all of {@code common.cl}
     * @param defines  macros: "TILE=64"
     * @throws DeviceException when the driver cannot compile it; the message has its log
     */
    ClProgram program(String resource, String... defines) {
        return program(resource, source("common.cl") + source(resource), defines);
    }

    /** For tests: a program of a given text. */
    ClProgram program(String name, String source, String[] defines) {
        StringBuilder options = new StringBuilder("-cl-std=CL1.2");
        for (String define : defines) {
            options.append(" -D ").append(define);
        }
        String key = name + options;
        synchronized (programs) {
            ClProgram program = programs.get(key);
            if (program == null) {
                using().lock();
                try {
                    checkOpen();
                    program = new ClProgram(this, name,
                            ClCalls.buildProgram(this, name, source, options.toString()));
                } finally {
                    using().unlock();
                }
                programs.put(key, program);
            }
            return program;
        }
    }

    private static String source(String resource) {
        try (InputStream in = ClDevice.class.getResourceAsStream(resource)) {
            if (in == null) {
                if (resource.equals("common.cl")) {
                    return "";
                }
                throw new IllegalArgumentException("there is no kernel file " + resource);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A queue that does things in the order in which they are asked for. */
    ClQueue openQueue() {
        return create(() -> ClCalls.createQueue(this));
    }

    /** What is alive. */
    LiveObjects live() {
        synchronized (programs) {
            synchronized (open) {
                return new LiveObjects(count(ClBuffer.class), programs.size(), count(ClKernel.class),
                        count(ClQueue.class), events.get(), bytes);
            }
        }
    }

    private int count(Class<? extends ClObject> kind) {
        return (int) open.stream().filter(kind::isInstance).count();
    }

    void eventCreated() {
        events.incrementAndGet();
    }

    void eventReleased() {
        events.decrementAndGet();
    }

    /** What launches took, by kernel, as far as queues were finished; empty without profiling. */
    Map<String, KernelTime> profile() {
        synchronized (profile) {
            return new TreeMap<>(profile);
        }
    }

    void resetProfile() {
        synchronized (profile) {
            profile.clear();
        }
    }

    void addProfile(String kernel, long nanos) {
        synchronized (profile) {
            profile.merge(kernel, new KernelTime(1, nanos), KernelTime::plus);
        }
    }

    /** Has an object made and keeps it in view until it is closed. */
    <T extends ClObject> T create(Supplier<T> maker) {
        using().lock();
        try {
            checkOpen();
            T made = maker.get();
            synchronized (open) {
                open.add(made);
            }
            return made;
        } finally {
            using().unlock();
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(name() + " is closed");
        }
    }

    /** Releases an object, once. */
    void close(ClObject object) {
        lock.writeLock().lock();
        try {
            if (object.markClosed()) {
                object.release();
                synchronized (open) {
                    open.remove(object);
                    if (object instanceof ClBuffer buffer) {
                        bytes -= buffer.bytes();
                    }
                }
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * Releases everything. A second call does nothing.
     *
     * @throws IllegalStateException when something was not closed: a leak. It has been released, too
     */
    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            List<ClObject> leaks = List.copyOf(open);
            leaks.forEach(this::close);
            programs.values().forEach(program -> ClCalls.release(program));
            programs.clear();
            ClCalls.release(context);
            if (!leaks.isEmpty()) {
                throw new IllegalStateException(name() + " was closed before " + leaks.size() + " of its objects: "
                        + leaks.stream().limit(10).map(leak -> leak.kind() + " \"" + leak.name + "\"")
                                .collect(Collectors.joining(", "))
                        + (leaks.size() > 10 ? ", ..." : ""));
            }
        } finally {
            lock.writeLock().unlock();
        }
    }
}
