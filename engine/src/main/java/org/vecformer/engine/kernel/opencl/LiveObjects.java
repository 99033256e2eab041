package org.vecformer.engine.kernel.opencl;

/**
 * What a device holds at a moment.
 *
 * @param bytes of its buffers
 */
record LiveObjects(int buffers, int programs, int kernels, int queues, int events, long bytes) {

    static final LiveObjects NONE = new LiveObjects(0, 0, 0, 0, 0, 0);
}
