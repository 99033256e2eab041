package org.vecformer.engine.kernel.opencl;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Set;
import org.jocl.CL;
import org.jocl.CLException;
import org.jocl.Pointer;
import org.jocl.cl_kernel;

/**
 * A kernel and its arguments, which stay as they are from launch to launch: only those that change are sent to the
 * driver, so setting all of them before every launch costs little. For one thread at a time.
 */
final class ClKernel extends ClObject {

    /** What an argument is; {@code values} holds its bits, for a buffer nothing. */
    private static final byte UNSET = 0;
    private static final byte INT = 1;
    private static final byte FLOAT = 2;
    private static final byte BUFFER = 3;
    private static final byte LOCAL = 4;

    final cl_kernel handle;
    private final byte[] kinds;
    private final long[] values;
    private final ClBuffer[] buffers;
    private final int maxWorkGroupSize;
    /** Names of kernels and group sizes with which the program has been launched before. */
    private final Set<String> launched;
    /** The last launch's group size. */
    private long[] lastLocal = {};
    /** Where the driver copies an argument from. */
    private final ByteBuffer argument = ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.nativeOrder());
    private final Pointer toArgument = Pointer.to(argument);

    ClKernel(ClDevice device, String name, cl_kernel handle, int arguments, int maxWorkGroupSize,
            Set<String> launched) {
        super(device, name);
        this.handle = handle;
        this.maxWorkGroupSize = maxWorkGroupSize;
        this.launched = launched;
        kinds = new byte[arguments];
        values = new long[arguments];
        buffers = new ClBuffer[arguments];
    }

    /** The most work items that a group of this kernel can have on its device. */
    int maxWorkGroupSize() {
        return maxWorkGroupSize;
    }

    /** @param value of an {@code int} or {@code uint} */
    ClKernel set(int index, int value) {
        if (kinds[index] != INT || values[index] != value) {
            argument.putInt(0, value);
            send(index, Integer.BYTES, toArgument);
            remember(index, INT, value, null);
        }
        return this;
    }

    ClKernel set(int index, float value) {
        int bits = Float.floatToRawIntBits(value);
        if (kinds[index] != FLOAT || values[index] != bits) {
            argument.putInt(0, bits);
            send(index, Float.BYTES, toArgument);
            remember(index, FLOAT, bits, null);
        }
        return this;
    }

    /** @param buffer null for a null pointer */
    ClKernel set(int index, ClBuffer buffer) {
        // Compared as objects: a driver may give a new buffer the address of one that was released.
        if (kinds[index] != BUFFER || buffers[index] != buffer) {
            device.using().lock();
            try {
                if (buffer != null) {
                    buffer.checkOpen();
                }
                argument.putLong(0, buffer == null ? 0 : buffer.handle.getNativePointer());
                send(index, Long.BYTES, toArgument);
            } finally {
                device.using().unlock();
            }
            remember(index, BUFFER, 0, buffer);
        }
        return this;
    }

    /** Local memory, shared by the items of a group. */
    ClKernel local(int index, long bytes) {
        if (kinds[index] != LOCAL || values[index] != bytes) {
            send(index, bytes, null);
            remember(index, LOCAL, bytes, null);
        }
        return this;
    }

    private void remember(int index, byte kind, long value, ClBuffer buffer) {
        kinds[index] = kind;
        values[index] = value;
        buffers[index] = buffer;
    }

    private void send(int index, long bytes, Pointer from) {
        kinds[index] = UNSET;
        device.using().lock();
        try {
            checkOpen();
            int status;
            try {
                status = CL.clSetKernelArg(handle, index, bytes, from);
            } catch (CLException e) {
                status = e.getStatus();
            }
            if (status != CL.CL_SUCCESS) {
                ClError.check(status, device.name(), "setting argument " + index + " of the kernel " + name);
            }
        } finally {
            device.using().unlock();
        }
    }

    /**
     * Whether this is the program's first launch of such groups, at which some drivers compile it to the end.
     *
     * @param local null for the driver's choice
     */
    boolean isFirstLaunch(long[] local) {
        if (Arrays.equals(local, lastLocal)) {
            return false;
        }
        lastLocal = local == null ? null : local.clone();
        return launched.add(name + Arrays.toString(local));
    }

    /** Refuses a launch that would hand the driver something that is not there. */
    void checkArguments() {
        checkOpen();
        for (int i = 0; i < kinds.length; i++) {
            if (kinds[i] == UNSET) {
                throw new IllegalStateException("argument " + i + " of the kernel " + name + " was not set");
            }
            if (buffers[i] != null) {
                buffers[i].checkOpen();
            }
        }
    }

    @Override
    void release() {
        CL.clReleaseKernel(handle);
    }

    @Override
    String kind() {
        return "kernel";
    }
}
