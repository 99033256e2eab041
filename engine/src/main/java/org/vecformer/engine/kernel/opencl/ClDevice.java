package org.vecformer.engine.kernel.opencl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_mem;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.DeviceMemoryException;
import org.vecformer.engine.KernelTime;
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
    /** A queue for what must not wait for kernels. */
    private final cl_command_queue aside;
    private final boolean profiling;
    private final ClCompiler compiler;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    /** By options and source. Written to by one thread at a time. */
    private final Map<String, ClProgram> programs = new ConcurrentHashMap<>();
    /** What is to be closed by those who made it. Guarded by itself, as {@code bytes} is. */
    private final Set<ClObject> open = new LinkedHashSet<>();
    private long bytes;
    private final AtomicInteger events = new AtomicInteger();
    private final Map<String, KernelTime> profile = new TreeMap<>();
    private volatile boolean closed;

    private ClDevice(ClDiscovery.Found found, cl_context context, cl_command_queue aside, boolean profiling,
            ClProgramCache cache) {
        description = found.description();
        id = found.id();
        this.context = context;
        this.aside = aside;
        this.profiling = profiling;
        compiler = new ClCompiler(found, name(), context, cache);
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
        return open(ClPlatforms.choose(choice), profiling, ClProgramCache.ofUser());
    }

    /** For tests: a device as it is described, with a cache. */
    static ClDevice open(ClDiscovery.Found found, boolean profiling, ClProgramCache cache) {
        cl_context_properties properties = new cl_context_properties();
        properties.addProperty(CL.CL_CONTEXT_PLATFORM, found.platform());
        int[] status = new int[1];
        cl_context context = ClError.make(status,
                to -> CL.clCreateContext(properties, 1, new cl_device_id[]{found.id()}, null, null, to));
        if (context != null) {
            cl_command_queue aside = queue(context, found.id(), 0, status);
            if (aside != null) {
                return new ClDevice(found, context, aside, profiling, cache);
            }
            CL.clReleaseContext(context);
        }
        ComputeDevice device = found.description();
        throw new UnsupportedBackendException("opencl:%d (%s) cannot be opened: its driver (%s, %s) says %s".formatted(
                device.index(), device.name(), device.platform(), device.driver(), ClError.name(status[0])));
    }

    // Deprecated in favour of a function that drivers of OpenCL 1.2 do not have.
    @SuppressWarnings("deprecation")
    private static cl_command_queue queue(cl_context context, cl_device_id id, long properties, int[] status) {
        return ClError.make(status, to -> CL.clCreateCommandQueue(context, id, properties, to));
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
            throw new DeviceMemoryException("%s: %s needed in one piece, %s allows %s".formatted(what, mebibytes(size),
                    name(), mebibytes(description.maxAllocation())));
        }
        reserve(size, what);
        boolean done = false;
        try {
            ClBuffer buffer = create(() -> new ClBuffer(this, what, memory(size, what), size));
            done = true;
            return buffer;
        } finally {
            if (!done) {
                synchronized (open) {
                    bytes -= size;
                }
            }
        }
    }

    /**
     * Refuses what is going to be allocated in several pieces, before the first one.
     *
     * @throws DeviceMemoryException when the device has less than that
     */
    void checkRoom(long size, String what) {
        synchronized (open) {
            long left = description.globalMemory() - bytes;
            if (size > left) {
                throw new DeviceMemoryException("%s: %s needed, %s has %s left of %s".formatted(what, mebibytes(size),
                        name(), mebibytes(left), mebibytes(description.globalMemory())));
            }
        }
    }

    private void reserve(long size, String what) {
        synchronized (open) {
            checkRoom(size, what);
            bytes += size;
        }
    }

    /** Memory that is not counted; to be called while {@link #using()} is held. */
    cl_mem memory(long size, String what) {
        int[] status = new int[1];
        cl_mem memory = ClError.make(status,
                to -> CL.clCreateBuffer(context, CL.CL_MEM_READ_WRITE, size, null, to));
        if (memory != null) {
            status[0] = touch(memory);
            if (status[0] == CL.CL_SUCCESS) {
                return memory;
            }
            CL.clReleaseMemObject(memory);
        }
        throw switch (status[0]) {
            case CL.CL_MEM_OBJECT_ALLOCATION_FAILURE, CL.CL_OUT_OF_RESOURCES, CL.CL_OUT_OF_HOST_MEMORY,
                    CL.CL_INVALID_BUFFER_SIZE ->
                new DeviceMemoryException("%s: %s needed, %s has %s in all but its driver says %s".formatted(what,
                        mebibytes(size), name(), mebibytes(description.globalMemory()), ClError.name(status[0])));
            default -> new DeviceException(
                    ClError.message(status[0], name(), "allocating " + mebibytes(size) + " for " + what));
        };
    }

    /** Drivers may put off an allocation until the memory is used, in the middle of a step. This uses it. */
    private int touch(cl_mem memory) {
        int status = ClError.status(() -> CL.clEnqueueFillBuffer(aside, memory, Pointer.to(new byte[1]), 1, 0, 1, 0,
                null, null));
        return status == CL.CL_SUCCESS ? ClError.status(() -> CL.clFinish(aside)) : status;
    }

    /**
     * Writes the beginning of some memory at once, whatever queues are doing; to be called while {@link #using()} is
     * held.
     *
     * @return OpenCL's status
     */
    int upload(cl_mem to, long size, Pointer from) {
        return CL.clEnqueueWriteBuffer(aside, to, true, 0, size, from, 0, null, null);
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
        synchronized (programs) {
            using().lock();
            try {
                checkOpen();
                return programs.computeIfAbsent(options + "\n" + source,
                        _ -> new ClProgram(this, name, compiler.program(name, source, options.toString())));
            } finally {
                using().unlock();
            }
        }
    }

    private static String source(String resource) {
        try (InputStream in = ClDevice.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalArgumentException("there is no kernel file " + resource);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A queue that does things in the order in which they are asked for. To be closed. */
    ClQueue openQueue() {
        return create(() -> {
            int[] status = new int[1];
            cl_command_queue queue = queue(context, id, profiling ? CL.CL_QUEUE_PROFILING_ENABLE : 0, status);
            ClError.check(status[0], name(), "making a queue");
            return new ClQueue(this, queue);
        });
    }

    /** What is alive. */
    LiveObjects live() {
        using().lock();
        try {
            synchronized (open) {
                return new LiveObjects(count(ClBuffer.class), programs.size(), count(ClKernel.class),
                        count(ClQueue.class), events.get(), bytes);
            }
        } finally {
            using().unlock();
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
            programs.values().forEach(ClProgram::release);
            programs.clear();
            CL.clReleaseCommandQueue(aside);
            CL.clReleaseContext(context);
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
