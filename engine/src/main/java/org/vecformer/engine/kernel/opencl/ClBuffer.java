package org.vecformer.engine.kernel.opencl;

import java.util.Objects;
import org.jocl.CL;
import org.jocl.cl_mem;

/** Memory of a device. {@link ClQueue} moves data to and from it. */
final class ClBuffer extends ClObject {

    final cl_mem handle;
    private final long bytes;

    ClBuffer(ClDevice device, String what, cl_mem handle, long bytes) {
        super(device, what);
        this.handle = handle;
        this.bytes = bytes;
    }

    long bytes() {
        return bytes;
    }

    void checkRange(long offset, long length) {
        checkOpen();
        Objects.checkFromIndexSize(offset, length, bytes);
    }

    @Override
    void release() {
        CL.clReleaseMemObject(handle);
    }

    @Override
    String kind() {
        return "buffer";
    }
}
