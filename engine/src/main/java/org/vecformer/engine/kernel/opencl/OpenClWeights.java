package org.vecformer.engine.kernel.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.MemoryAccount;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;

/** Weights on a device: packed in this process's memory one after the other, and uploaded from there. */
final class OpenClWeights implements WeightMemory {

    private static final String WHAT = "the weights";

    private final ClDevice device;
    private final ClQueue queue;
    private final List<ClBuffer> buffers = new ArrayList<>();
    /** What the weights at hand are packed into; null between them. */
    private Arena staging;
    private final MemoryAccount.Share share;
    private final Runnable closed;

    /** @param closed told when the weights have been freed */
    OpenClWeights(ClDevice device, MemoryAccount.Share share, Runnable closed) {
        this.device = device;
        this.share = share;
        this.closed = closed;
        queue = device.openQueue();
    }

    @Override
    public void expect(long bytes) {
        share.check(bytes);
        device.checkRoom(bytes, WHAT);
    }

    @Override
    public SegmentAllocator room() {
        return (bytes, alignment) -> {
            if (staging == null) {
                staging = Arena.ofShared();
            }
            return staging.allocate(bytes, alignment);
        };
    }

    @Override
    public WeightMatrix keep(PackedMatrix matrix) {
        return new DeviceMatrix(upload(matrix.data(), matrix.byteSize()), matrix.type(), matrix.inputs(),
                matrix.outputs());
    }

    @Override
    public WeightVector keep(PackedVector vector) {
        return new DeviceVector(upload(vector.data(), vector.byteSize()), vector.length());
    }

    private ClBuffer upload(MemorySegment packed, long bytes) {
        share.take(bytes);
        ClBuffer buffer = device.allocate(bytes, WHAT);
        buffers.add(buffer);
        queue.write(buffer, 0, packed.asSlice(0, bytes));
        freeStaging();
        return buffer;
    }

    private void freeStaging() {
        if (staging != null) {
            staging.close();
            staging = null;
        }
    }

    @Override
    public void close() {
        freeStaging();
        buffers.forEach(ClBuffer::close);
        queue.close();
        share.close();
        closed.run();
    }
}
