package org.vecformer.engine.kernel.opencl;

import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.Tensor;

/**
 * The key/value cache of a session on a device: a buffer for each layer, because a device may give much less memory at
 * once than it has. In it page p, head h begins at byte {@code (p * heads + h) * headBytes()}, with the layout of
 * {@link org.vecformer.engine.tensor.KeyValuePages}: keys [headSize][32 positions], values [column panels][32
 * positions][32].
 *
 * @param queue    copies pages, in order with the kernels that read and write them
 * @param layers   a buffer for each of the model's layers
 * @param pages    how many pages there are
 * @param heads    attention heads of a layer
 * @param headSize numbers of a head
 * @param type     how keys and values are kept: F32 or BF16
 */
record DeviceKeyValues(ClQueue queue, ClBuffer[] layers, int pages, int heads, int headSize, WeightType type)
        implements
            KeyValueMemory {

    /** Bytes of the keys and values of one page and head. */
    long headBytes() {
        return (long) type.blockBytes() * (headSize + Tensor.roundUp(headSize));
    }

    /** Bytes of a page in one layer. */
    private long layerPageBytes() {
        return headBytes() * heads;
    }

    /** Bytes of a layer's buffer. */
    long layerBytes() {
        return layerPageBytes() * pages;
    }

    @Override
    public long pageBytes() {
        return layerPageBytes() * layers.length;
    }

    /** Does nothing: a device's memory is taken when the session is opened. */
    @Override
    public void commit(int page) {
    }

    @Override
    public void copy(int from, int to) {
        for (ClBuffer layer : layers) {
            queue.copy(layer, from * layerPageBytes(), layer, to * layerPageBytes(), layerPageBytes());
        }
    }
}
