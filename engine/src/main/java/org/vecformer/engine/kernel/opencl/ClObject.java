package org.vecformer.engine.kernel.opencl;

/**
 * Something that a driver holds for us until it is closed. Its handle is given to the driver only while the device's
 * {@linkplain ClDevice#using() lock} is held and {@link #checkOpen()} has passed: a released handle in a driver's hands
 * ends the JVM.
 */
abstract sealed class ClObject implements AutoCloseable permits ClBuffer, ClKernel, ClQueue {

    final ClDevice device;
    /** For messages: "the weights". */
    final String name;
    private volatile boolean closed;

    ClObject(ClDevice device, String name) {
        this.device = device;
        this.name = name;
    }

    /** Gives the handle back. Called once, while nothing else uses the device. */
    abstract void release();

    /** For messages: "buffer". */
    abstract String kind();

    final boolean isClosed() {
        return closed;
    }

    final void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the OpenCL " + kind() + " \"" + name + "\" is closed");
        }
    }

    /** Waits for calls that use the device. A second call does nothing. */
    @Override
    public final void close() {
        device.close(this);
    }

    /** The device's part of {@link #close()}. */
    final boolean markClosed() {
        boolean first = !closed;
        closed = true;
        return first;
    }
}
