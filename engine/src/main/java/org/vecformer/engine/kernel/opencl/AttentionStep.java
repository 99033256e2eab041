package org.vecformer.engine.kernel.opencl;

import java.util.Arrays;
import org.vecformer.engine.kernel.PackedBatch;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.Tensor;

/**
 * What attention's kernels need to know about a step, as ints on the device: which row is where in its sequence, which
 * pages its sequence has, and lists of the work of each kernel ({@code attention.cl} has the layout).
 * <p>
 * Every layer of a step asks for the same. It is made anew each time, which takes the host less time than a launch, and
 * written only if it differs from what the device has.
 */
final class AttentionStep implements AutoCloseable {

    private static final int PAGE = KeyValueMemory.POSITIONS;

    /** Ints of a row: its position, positions seen, where its page table begins, 0. */
    private static final int ROW = 4;

    private final ClDevice device;
    private final ClQueue queue;
    private ClBuffer buffer;
    private int[] ints = new int[256];
    private int length;
    private int[] onDevice = new int[256];
    private int lengthOnDevice;

    /** Whether every row is alone in its sequence and attends as such: it can then append its own key and value. */
    boolean alone;
    /** Where the list of {@code storeGroups} pairs begins, of the first row and the number of rows in a page. */
    int storeList;
    int storeGroups;
    /** Where the list of the {@code decodeRows} rows begins that attend one by one. */
    int decodeList;
    int decodeRows;
    /** The most pages that one of them sees. */
    int decodePages;
    /** Where the list of {@code tiles} pairs begins, of the first row and the number of rows of a sequence. */
    int tileList;
    int tiles;
    /** The most query rows of a tile. */
    int tile;

    AttentionStep(ClDevice device, ClQueue queue) {
        this.device = device;
        this.queue = queue;
    }

    /**
     * Prepares a step.
     *
     * @return what the kernels read
     */
    ClBuffer prepare(PackedBatch batch, int heads, AttentionPlan plan) {
        int fewRows = plan.fewRows();
        int rows = batch.rows();
        length = 0;
        skip(ROW * rows);
        alone = fewRows > 0;
        decodePages = 0;
        for (int s = 0; s < batch.sequences; s++) {
            alone &= rows(batch, s) <= 1;
            putRows(batch, s, rows(batch, s) <= fewRows);
        }
        storeList = length;
        for (int s = 0; s < batch.sequences; s++) {
            putStores(batch, s);
        }
        storeGroups = (length - storeList) / 2;
        decodeList = length;
        for (int s = 0; s < batch.sequences; s++) {
            if (rows(batch, s) <= fewRows) {
                for (int row = batch.starts[s]; row < batch.starts[s + 1]; row++) {
                    put(row);
                }
            }
        }
        decodeRows = length - decodeList;
        tile = tile(batch, heads, plan);
        tileList = length;
        for (int s = 0; s < batch.sequences; s++) {
            if (rows(batch, s) > fewRows) {
                putTiles(batch, s);
            }
        }
        tiles = (length - tileList) / 2;
        send();
        return buffer;
    }

    static int rows(PackedBatch batch, int sequence) {
        return batch.starts[sequence + 1] - batch.starts[sequence];
    }

    /** How many positions a row sees. */
    static int seen(PackedBatch batch, int sequence, int row) {
        int all = batch.seenByAll[sequence];
        return all > 0 ? all : batch.past[sequence] + row - batch.starts[sequence] + 1;
    }

    private void putRows(PackedBatch batch, int s, boolean decoded) {
        int table = length;
        int end = batch.past[s] + rows(batch, s);
        int pages = Math.ceilDiv(Math.max(end, batch.seenByAll[s]), PAGE);
        skip(pages);
        System.arraycopy(batch.pages[s], 0, ints, table, pages);
        if (decoded) {
            decodePages = Math.max(decodePages, pages);
        }
        for (int row = batch.starts[s]; row < batch.starts[s + 1]; row++) {
            ints[ROW * row] = batch.past[s] + row - batch.starts[s];
            ints[ROW * row + 1] = seen(batch, s, row);
            ints[ROW * row + 2] = table;
            ints[ROW * row + 3] = 0;
        }
    }

    private void putStores(PackedBatch batch, int s) {
        for (int row = batch.starts[s]; row < batch.starts[s + 1];) {
            int slot = ints[ROW * row] % PAGE;
            int count = Math.min(PAGE - slot, batch.starts[s + 1] - row);
            put(row);
            put(count);
            row += count;
        }
    }

    /** The largest tile that leaves work for the whole device, and that some sequence fills half of. */
    private static int tile(PackedBatch batch, int heads, AttentionPlan plan) {
        int chosen = 0;
        for (int tile : plan.tiles()) {
            int longest = 0;
            int count = 0;
            for (int s = 0; s < batch.sequences; s++) {
                if (rows(batch, s) > plan.fewRows()) {
                    longest = Math.max(longest, rows(batch, s));
                    count += Math.ceilDiv(rows(batch, s), tile);
                }
            }
            if (chosen == 0 || 2 * longest > tile && (long) count * heads >= plan.groupsWanted()) {
                chosen = tile;
            }
        }
        return chosen;
    }

    /** The last rows first: they see most, and what takes longest should not begin last. */
    private void putTiles(PackedBatch batch, int s) {
        int rows = rows(batch, s);
        for (int first = Math.floorDiv(rows - 1, tile) * tile; first >= 0; first -= tile) {
            put(batch.starts[s] + first);
            put(Math.min(tile, rows - first));
        }
    }

    private void skip(int count) {
        if (length + count > ints.length) {
            ints = Arrays.copyOf(ints, Math.max(2 * ints.length, length + count));
        }
        length += count;
    }

    private void put(int value) {
        skip(1);
        ints[length - 1] = value;
    }

    private void send() {
        if (Arrays.equals(ints, 0, length, onDevice, 0, lengthOnDevice)) {
            return;
        }
        if (buffer == null || buffer.bytes() < (long) length * Integer.BYTES) {
            close();
            buffer = device.allocate((long) Tensor.roundUp(2 * length) * Integer.BYTES, "a step's page tables");
        }
        // Until it has been written the device is taken to have nothing.
        lengthOnDevice = 0;
        queue.write(buffer, 0, ints, 0, length);
        int[] written = ints;
        ints = onDevice;
        onDevice = written;
        lengthOnDevice = length;
    }

    @Override
    public void close() {
        if (buffer != null) {
            buffer.close();
            buffer = null;
            lengthOnDevice = 0;
        }
    }
}
