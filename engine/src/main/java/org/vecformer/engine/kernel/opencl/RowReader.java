package org.vecformer.engine.kernel.opencl;

import java.util.Objects;

/**
 * Copies rows out of a device's memory. A transfer waits for the device and the bus, whatever its size: who reads rows
 * one after the other, as pooling does with a batch's states, gets them from a few large transfers. For one thread at a
 * time.
 */
final class RowReader {

    /** Of one transfer: 1 MiB, which takes a bus a few times as long as a transfer of nothing. */
    private static final int MOST_FLOATS = 1 << 18;

    private final ClQueue queue;
    private long transfers;
    /** Whose rows were read last, and when: what the queue did later may have changed them. */
    private ClBuffer source;
    private long changes;
    /** The rows of the last transfer, and the one that was asked for last. */
    private int first;
    private int end;
    private int last;
    /** The last transfer's numbers if it was of several rows. */
    private float[] ahead = new float[0];

    RowReader(ClQueue queue) {
        this.queue = queue;
    }

    /** Copies a row's numbers, when they have been computed. */
    void read(DeviceTensor x, int row, float[] destination) {
        Objects.checkIndex(row, x.rows());
        boolean same = x.data() == source && queue.changes() == changes && !source.isClosed();
        if (!same || row < first || row >= end || end - first == 1) {
            int rows = same && row == last + 1
                    ? Math.clamp(MOST_FLOATS / x.stride(), 1, x.rows() - row)
                    : 1;
            transfer(x, row, rows, destination);
        }
        if (end - first > 1) {
            System.arraycopy(ahead, (row - first) * x.stride(), destination, 0, x.columns());
        }
        last = row;
    }

    private void transfer(DeviceTensor x, int row, int rows, float[] destination) {
        // Nothing is known if the transfer fails.
        source = null;
        if (rows == 1) {
            queue.read(x.data(), x.offset(row), destination, 0, x.columns());
        } else {
            int count = rows * x.stride();
            if (ahead.length < count) {
                ahead = new float[count];
            }
            queue.read(x.data(), x.offset(row), ahead, 0, count);
        }
        source = x.data();
        changes = queue.changes();
        first = row;
        end = row + rows;
        transfers++;
    }

    /** How often the device was asked. */
    long transfers() {
        return transfers;
    }
}
