package org.vecformer.engine.kernel.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jocl.CL;
import org.jocl.CLException;
import org.jocl.Pointer;
import org.jocl.cl_command_queue;
import org.jocl.cl_event;
import org.jocl.cl_mem;
import org.vecformer.engine.DeviceException;

/**
 * Work for a device, done in the order in which it is asked for. For one thread at a time.
 * <p>
 * A call that the driver refuses loses the queue: what was asked for before may have run or not, so every further call
 * throws the same {@link DeviceException}, and nobody reads numbers that are wrong.
 */
final class ClQueue extends ClObject {

    private static final int SLOTS = 16;
    private static final int SLOT_BYTES = 64 << 10;
    private static final int HOST_BYTES = 1 << 20;
    /** A slice of memory that one call moves. */
    private static final long LARGEST_SLICE = 1 << 30;
    private static final int MOST_LAUNCHES_PENDING = 4096;

    private final cl_command_queue handle;
    private final Arena arena = Arena.ofShared();
    /** Where numbers lie on their way to and from arrays. */
    private final MemorySegment host = arena.allocate(HOST_BYTES, 64);
    private final Pointer toHost = Pointer.to(host.asByteBuffer());
    /** Where small writes lie, on the device, until it is their turn; used one after the other. */
    private final Slot[] slots = new Slot[SLOTS];
    private int nextSlot;
    private final ByteBuffer pattern = ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());
    private final Pointer toPattern = Pointer.to(pattern);
    /** Launches whose times are not known yet; empty without profiling. */
    private final List<Launch> launches = new ArrayList<>();
    private long changes;
    /** Why this queue is lost; null while it is not. */
    private String lost;

    private record Launch(String kernel, cl_event event) {}

    private static final class Slot {
        /** Null before the first use. */
        cl_mem memory;
        /** The copy that reads the memory; null if none does. */
        cl_event event;
    }

    ClQueue(ClDevice device, cl_command_queue handle) {
        super(device, "queue");
        this.handle = handle;
        for (int i = 0; i < SLOTS; i++) {
            slots[i] = new Slot();
        }
    }

    /** How often something was asked for that may change what is in memory. */
    long changes() {
        return changes;
    }

    /** Writes off-heap memory, all of it, and waits until it has been read. */
    void write(ClBuffer to, long offset, MemorySegment from) {
        if (!from.isNative()) {
            throw new IllegalArgumentException("a device reads off-heap memory only, not " + from);
        }
        long bytes = from.byteSize();
        begin();
        changes++;
        try {
            to.checkRange(offset, bytes);
            for (long at = 0; at < bytes; at += LARGEST_SLICE) {
                long slice = Math.min(LARGEST_SLICE, bytes - at);
                check(CL.clEnqueueWriteBuffer(handle, to.handle, true, offset + at, slice,
                        Pointer.to(from.asSlice(at, slice).asByteBuffer()), 0, null, null), "writing", to);
            }
        } catch (CLException e) {
            throw lose(e.getStatus(), "writing", to);
        } finally {
            end();
        }
    }

    /** Writes a few numbers; they have been copied when this returns. */
    void write(ClBuffer to, long offset, int[] from, int start, int count) {
        Objects.checkFromIndexSize(start, count, from.length);
        write(to, offset, MemorySegment.ofArray(from), start, count);
    }

    /** Writes a few numbers; they have been copied when this returns. */
    void write(ClBuffer to, long offset, float[] from, int start, int count) {
        Objects.checkFromIndexSize(start, count, from.length);
        write(to, offset, MemorySegment.ofArray(from), start, count);
    }

    // By way of memory of the device, which another queue fills at once and this one copies in its turn. A write of this
    // queue that does not wait would do, but JOCL has a thread wait for each of those.
    private void write(ClBuffer to, long offset, MemorySegment from, int start, int count) {
        long bytes = 4L * count;
        begin();
        changes++;
        try {
            to.checkRange(offset, bytes);
            for (long at = 0; at < bytes; at += SLOT_BYTES) {
                long slice = Math.min(SLOT_BYTES, bytes - at);
                MemorySegment.copy(from, 4L * start + at, host, 0, slice);
                Slot slot = freeSlot(to);
                check(device.upload(slot.memory, slice, toHost), "writing", to);
                cl_event event = new cl_event();
                check(CL.clEnqueueCopyBuffer(handle, slot.memory, to.handle, 0, offset + at, slice, 0, null, event),
                        "writing", to);
                device.eventCreated();
                slot.event = event;
            }
        } catch (CLException e) {
            throw lose(e.getStatus(), "writing", to);
        } finally {
            end();
        }
    }

    private Slot freeSlot(ClBuffer to) {
        Slot slot = slots[nextSlot];
        nextSlot = (nextSlot + 1) % SLOTS;
        if (slot.memory == null) {
            slot.memory = device.memory(SLOT_BYTES, "small writes");
        }
        if (slot.event != null) {
            check(CL.clWaitForEvents(1, new cl_event[]{slot.event}), "waiting for a write to", to);
            release(slot.event);
            slot.event = null;
        }
        return slot;
    }

    /** Waits for all that was asked for, and reads. */
    void read(ClBuffer from, long offset, float[] to, int start, int count) {
        Objects.checkFromIndexSize(start, count, to.length);
        read(from, offset, MemorySegment.ofArray(to), start, count);
    }

    /** Waits for all that was asked for, and reads. */
    void read(ClBuffer from, long offset, int[] to, int start, int count) {
        Objects.checkFromIndexSize(start, count, to.length);
        read(from, offset, MemorySegment.ofArray(to), start, count);
    }

    // By way of off-heap memory: while JNI has hold of an array, a garbage collection may have to wait.
    private void read(ClBuffer from, long offset, MemorySegment to, int start, int count) {
        long bytes = 4L * count;
        // In case a driver has compiled late.
        SignalHandlers.restore();
        begin();
        try {
            from.checkRange(offset, bytes);
            for (long at = 0; at < bytes; at += HOST_BYTES) {
                long slice = Math.min(HOST_BYTES, bytes - at);
                check(CL.clEnqueueReadBuffer(handle, from.handle, true, offset + at, slice, toHost, 0, null,
                        null), "reading", from);
                MemorySegment.copy(host, 0, to, 4L * start + at, slice);
            }
        } catch (CLException e) {
            throw lose(e.getStatus(), "reading", from);
        } finally {
            end();
        }
    }

    /** Fills with a number; offset and bytes are multiples of 4. */
    void fill(ClBuffer to, long offset, long bytes, int value) {
        begin();
        changes++;
        try {
            to.checkRange(offset, bytes);
            if (bytes > 0) {
                pattern.putInt(0, value);
                check(CL.clEnqueueFillBuffer(handle, to.handle, toPattern, Integer.BYTES, offset, bytes, 0, null, null),
                        "filling", to);
            }
        } catch (CLException e) {
            throw lose(e.getStatus(), "filling", to);
        } finally {
            end();
        }
    }

    /** Fills with a number; offset and bytes are multiples of 4. */
    void fill(ClBuffer to, long offset, long bytes, float value) {
        fill(to, offset, bytes, Float.floatToRawIntBits(value));
    }

    /** Copies on the device; the ranges must not overlap. */
    void copy(ClBuffer from, long fromOffset, ClBuffer to, long toOffset, long bytes) {
        begin();
        changes++;
        try {
            from.checkRange(fromOffset, bytes);
            to.checkRange(toOffset, bytes);
            if (from == to && Math.abs(fromOffset - toOffset) < bytes) {
                throw new IllegalArgumentException(
                        "a copy of %d bytes from %d to %d in \"%s\" overlaps".formatted(bytes,
                                fromOffset, toOffset, to.name));
            }
            if (bytes > 0) {
                check(CL.clEnqueueCopyBuffer(handle, from.handle, to.handle, fromOffset, toOffset, bytes, 0, null,
                        null), "copying to", to);
            }
        } catch (CLException e) {
            throw lose(e.getStatus(), "copying to", to);
        } finally {
            end();
        }
    }

    /**
     * Has a kernel run, later.
     *
     * @param global work items in each of one to three dimensions, multiples of {@code local}
     * @param local  work items of a group; null for the driver's choice
     */
    void launch(ClKernel kernel, long[] global, long[] local) {
        // The driver reads as many numbers of the second array as the first one has.
        if (global.length < 1 || global.length > 3 || local != null && local.length != global.length) {
            throw new IllegalArgumentException("the kernel %s has work items in %d dimensions and groups in %s"
                    .formatted(kernel.name, global.length, local == null ? "as many" : local.length));
        }
        begin();
        changes++;
        try {
            kernel.checkArguments();
            cl_event event = device.profiling() ? new cl_event() : null;
            int status = kernel.isFirstLaunch(local)
                    ? SignalHandlers.during(() -> enqueueAndFinish(kernel, global, local, event))
                    : enqueue(kernel, global, local, event);
            check(status, "launching", kernel);
            if (event != null) {
                device.eventCreated();
                launches.add(new Launch(kernel.name, event));
                if (launches.size() >= MOST_LAUNCHES_PENDING) {
                    check(CL.clFinish(handle), "finishing", this);
                    collect();
                }
            }
        } catch (CLException e) {
            throw lose(e.getStatus(), "launching", kernel);
        } finally {
            end();
        }
    }

    private int enqueue(ClKernel kernel, long[] global, long[] local, cl_event event) {
        return CL.clEnqueueNDRangeKernel(handle, kernel.handle, global.length, null, global, local, 0, null, event);
    }

    private int enqueueAndFinish(ClKernel kernel, long[] global, long[] local, cl_event event) {
        int status = enqueue(kernel, global, local, event);
        return status == CL.CL_SUCCESS ? CL.clFinish(handle) : status;
    }

    /** Waits for all that was asked for. */
    void finish() {
        begin();
        try {
            check(CL.clFinish(handle), "finishing", this);
            collect();
        } catch (CLException e) {
            throw lose(e.getStatus(), "finishing", this);
        } finally {
            end();
        }
    }

    /** Adds the times of launches, which are done, to the device's profile. */
    private void collect() {
        long[] start = new long[1];
        long[] end = new long[1];
        for (Launch launch : launches) {
            check(CL.clGetEventProfilingInfo(launch.event, CL.CL_PROFILING_COMMAND_START, Long.BYTES, Pointer.to(start),
                    null), "timing", this);
            check(CL.clGetEventProfilingInfo(launch.event, CL.CL_PROFILING_COMMAND_END, Long.BYTES, Pointer.to(end),
                    null), "timing", this);
            device.addProfile(launch.kernel, end[0] - start[0]);
        }
        launches.forEach(launch -> release(launch.event));
        launches.clear();
    }

    private void release(cl_event event) {
        CL.clReleaseEvent(event);
        device.eventReleased();
    }

    private void begin() {
        device.using().lock();
        if (lost != null) {
            device.using().unlock();
            throw new DeviceException("this session was lost: " + lost);
        }
        if (isClosed()) {
            device.using().unlock();
            checkOpen();
        }
    }

    private void end() {
        device.using().unlock();
    }

    private void check(int status, String doing, ClObject what) {
        if (status != CL.CL_SUCCESS) {
            throw lose(status, doing, what);
        }
    }

    private DeviceException lose(int status, String doing, ClObject what) {
        lost = ClError.message(status, device.name(), doing + " " + what.kind() + " \"" + what.name + "\"");
        return new DeviceException(lost);
    }

    @Override
    void release() {
        CL.clFinish(handle);
        launches.forEach(launch -> release(launch.event));
        launches.clear();
        for (Slot slot : slots) {
            if (slot.event != null) {
                release(slot.event);
                slot.event = null;
            }
            if (slot.memory != null) {
                CL.clReleaseMemObject(slot.memory);
                slot.memory = null;
            }
        }
        CL.clReleaseCommandQueue(handle);
        arena.close();
    }

    @Override
    String kind() {
        return "queue";
    }
}
