package org.vecformer.engine.kernel.opencl;

import java.util.List;
import java.util.Objects;
import org.vecformer.engine.tensor.Tensor;

/**
 * What is done to rows alone, on a device: embeddings, layer norms, the gathering of rows ({@code rows.cl}), and what is
 * wanted of rows of logits ({@code select.cl}). For one session's thread.
 * <p>
 * Whatever returns a number waits for the device, and reads at most some thousand bytes.
 */
final class RowKernels implements AutoCloseable {

    /** The most numbers that {@link #topK} can be asked for: half of what a group sorts at a time. */
    static final int MOST_OF_TOP = 1024;

    /** Keys that a group of {@code select.cl} sorts. */
    private static final int BLOCK = 2048;
    /** Slices of a row that are looked through at the same time. */
    private static final int MOST_SLICES = 32;
    /** Numbers that a work item looks at before another group is worth its while. */
    private static final int FEW_NUMBERS = 4;

    private final ClDevice device;
    private final ClQueue queue;
    /** Work items of a group, a power of two. */
    private final int group;
    private final ClKernel embed;
    private final ClKernel gather;
    /** Compiled when they are first asked for: an encoder needs none of them. */
    private Selection selection;
    /** For rows of {@link #normColumns}: a model has layer norms of one length. */
    private ClKernel layerNorm;
    private int normColumns;
    private int normLanes;
    private int normLines;
    /** Ints from the host. */
    private ClBuffer indices;
    private int[] together = new int[0];
    /** Ints or floats on their way to the host. */
    private ClBuffer results;
    private int[] ints = new int[2 * MOST_SLICES];
    private final float[] floats = new float[2 * MOST_SLICES];

    RowKernels(ClDevice device, ClQueue queue) {
        this.device = device;
        this.queue = queue;
        group = Math.min(256, Integer.highestOneBit(device.description().maxWorkGroupSize()));
        ClProgram rows = device.program("rows.cl");
        embed = rows.kernel("embed");
        gather = rows.kernel("gather");
    }

    /** What is wanted of rows of logits. */
    private record Selection(ClKernel highest, ClKernel topOfRow, ClKernel topOfKeys, ClKernel sumOfExp) {

        void close() {
            List.of(highest, topOfRow, topOfKeys, sumOfExp).forEach(ClKernel::close);
        }
    }

    private Selection selection() {
        if (selection == null) {
            ClProgram select = device.program("select.cl", "GROUP=" + group);
            selection = new Selection(select.kernel("highest"), select.kernel("topOfRow"), select.kernel("topOfKeys"),
                    select.kernel("sumOfExp"));
        }
        return selection;
    }

    /** {@link org.vecformer.engine.kernel.Ops#embed}. */
    void embed(int[] ids, int[] positionIds, int[] types, int rows, DeviceMatrix tokens, DeviceMatrix positions,
            DeviceMatrix typeTable, DeviceTensor out) {
        int columns = out.columns();
        if (rows > out.rows() || tokens.inputs() != columns || positions.inputs() != columns
                || typeTable != null && typeTable.inputs() != columns) {
            throw new IllegalArgumentException("embedding %d rows of %d into %d x %d".formatted(rows, tokens.inputs(),
                    out.rows(), columns));
        }
        if (rows == 0) {
            return;
        }
        if (together.length < 3 * rows) {
            together = new int[3 * rows];
        }
        for (int r = 0; r < rows; r++) {
            together[r] = Objects.checkIndex(ids[r], tokens.outputs());
            together[rows + r] = Objects.checkIndex(positionIds[r], positions.outputs());
            together[2 * rows + r] = types[r] < 0 ? -1 : Objects.checkIndex(types[r], typeTable.outputs());
        }
        upload(together, 3 * rows);
        DeviceMatrix ofTypes = typeTable == null ? tokens : typeTable;
        embed.set(0, indices).set(1, tokens.data()).set(2, tokens.type().ordinal())
                .set(3, positions.data()).set(4, positions.type().ordinal())
                .set(5, ofTypes.data()).set(6, ofTypes.type().ordinal())
                .set(7, columns).set(8, out.data()).set(9, out.stride());
        overColumns(embed, columns, rows);
    }

    /** {@link org.vecformer.engine.kernel.Ops#gatherRows}. */
    void gatherRows(DeviceTensor x, int[] rows, int count, DeviceTensor out) {
        if (count > out.rows() || x.columns() != out.columns() || x.data() == out.data()) {
            throw new IllegalArgumentException("gathering %d rows of %d x %d into %d x %d".formatted(count, x.rows(),
                    x.columns(), out.rows(), out.columns()));
        }
        if (count == 0) {
            return;
        }
        for (int i = 0; i < count; i++) {
            Objects.checkIndex(rows[i], x.rows());
        }
        upload(rows, count);
        gather.set(0, x.data()).set(1, x.stride()).set(2, indices).set(3, x.columns()).set(4, out.data())
                .set(5, out.stride());
        overColumns(gather, x.columns(), count);
    }

    private void overColumns(ClKernel kernel, int columns, int rows) {
        int items = Math.min(64, group);
        queue.launch(kernel, new long[]{(long) rows * items, Math.ceilDiv(columns, items)}, new long[]{items, 1});
    }

    private void upload(int[] numbers, int count) {
        indices = atLeast(indices, (long) count * Integer.BYTES, "ids of a step");
        queue.write(indices, 0, numbers, 0, count);
    }

    private ClBuffer atLeast(ClBuffer buffer, long bytes, String what) {
        if (buffer != null && buffer.bytes() >= bytes) {
            return buffer;
        }
        ClBuffer larger = device.allocate(Math.max(1024, Long.highestOneBit(bytes) * 2), what);
        if (buffer != null) {
            buffer.close();
        }
        return larger;
    }

    /** {@link org.vecformer.engine.kernel.Ops#layerNorm}. */
    void layerNorm(DeviceTensor x, int rows, DeviceVector gain, DeviceVector bias, float epsilon, DeviceTensor out) {
        int columns = x.columns();
        if (rows > x.rows() || rows > out.rows() || columns != out.columns() || columns != gain.length()
                || columns != bias.length()) {
            throw new IllegalArgumentException(
                    "layer norm of %d rows: x is %d x %d, gain has %d, bias %d, out is %d x %d".formatted(rows,
                            x.rows(), columns, gain.length(), bias.length(), out.rows(), out.columns()));
        }
        if (rows == 0) {
            return;
        }
        if (layerNorm == null || normColumns != columns) {
            compileLayerNorm(columns);
        }
        layerNorm.set(0, x.data()).set(1, x.stride()).set(2, rows).set(3, gain.data()).set(4, bias.data())
                .set(5, epsilon).set(6, out.data()).set(7, out.stride());
        queue.launch(layerNorm, new long[]{(long) Math.ceilDiv(rows, normLines) * normLanes, normLines},
                new long[]{normLanes, normLines});
    }

    private void compileLayerNorm(int columns) {
        if (layerNorm != null) {
            layerNorm.close();
            layerNorm = null;
        }
        // Three or four numbers for a lane, so that a row of usual length has a group's lanes; short rows share a group.
        normLanes = Math.clamp(Integer.highestOneBit(Math.max(1, columns / 3)), 16, group);
        normLines = Math.max(1, Math.min(128, group) / normLanes);
        layerNorm = device.program("rows.cl", "COLUMNS=" + columns, "LANES=" + normLanes, "LINES=" + normLines)
                .kernel("layerNorm");
        normColumns = columns;
    }

    /**
     * The column of the largest number of each of the first rows, of equal ones the lowest, with one wait for all. NaN
     * counts as negative infinity; a row with nothing above that gives 0.
     */
    void argMax(DeviceTensor x, int rows, int[] columns) {
        Objects.checkFromIndexSize(0, rows, x.rows());
        if (rows == 0) {
            return;
        }
        int slice = slice(x.columns());
        int slices = Math.ceilDiv(x.columns(), slice);
        int count = 2 * slices * rows;
        results = atLeast(results, (long) count * Integer.BYTES, "what was chosen");
        selection().highest.set(0, x.data()).set(1, x.stride()).set(2, x.columns()).set(3, slice).set(4, results);
        queue.launch(selection().highest, new long[]{(long) slices * group, rows}, new long[]{group, 1});
        readInts(results, 0, count);
        for (int r = 0; r < rows; r++) {
            long best = 0;
            for (int i = 0; i < slices; i++) {
                long key = key(r * slices + i);
                best = Long.compareUnsigned(key, best) > 0 ? key : best;
            }
            columns[r] = value(best) > Float.NEGATIVE_INFINITY ? column(best) : 0;
        }
    }

    /** Columns of a slice of a row. */
    private int slice(int columns) {
        return Math.ceilDiv(columns, Math.clamp(columns / (FEW_NUMBERS * group), 1, MOST_SLICES));
    }

    /**
     * The k largest numbers of a row in descending order, of equal ones the lower columns first. NaN is below all numbers.
     *
     * @param k      up to {@link #MOST_OF_TOP}
     * @param ids    receives their columns
     * @param values receives the numbers
     * @return how many there are: k, or the columns if they are fewer
     */
    int topK(DeviceTensor x, int row, int k, int[] ids, float[] values) {
        Objects.checkIndex(row, x.rows());
        if (k < 1 || k > MOST_OF_TOP) {
            throw new IllegalArgumentException("the " + k + " largest numbers; expected 1 to " + MOST_OF_TOP);
        }
        int blocks = Math.ceilDiv(x.columns(), BLOCK);
        // Two halves: what one round leaves, and what the next makes of it.
        long half = 2L * blocks * k * Integer.BYTES;
        results = atLeast(results, 2 * half, "what was chosen");
        selection().topOfRow.set(0, x.data()).set(1, x.stride()).set(2, x.columns()).set(3, row).set(4, k).set(5,
                results);
        queue.launch(selection().topOfRow, new long[]{(long) blocks * group}, new long[]{group});
        int from = 0;
        while (blocks > 1) {
            int count = blocks * k;
            blocks = Math.ceilDiv(count, BLOCK);
            int to = from == 0 ? Math.toIntExact(half / (2 * Integer.BYTES)) : 0;
            selection().topOfKeys.set(0, results).set(1, from).set(2, count).set(3, k).set(4, to);
            queue.launch(selection().topOfKeys, new long[]{(long) blocks * group}, new long[]{group});
            from = to;
        }
        int found = Math.min(k, x.columns());
        readInts(results, 2L * from * Integer.BYTES, 2 * found);
        for (int i = 0; i < found; i++) {
            ids[i] = column(key(i));
            values[i] = value(key(i));
        }
        return found;
    }

    /** The i-th key that was read. */
    private long key(int i) {
        return (long) ints[2 * i] << 32 | Integer.toUnsignedLong(ints[2 * i + 1]);
    }

    private static int column(long key) {
        return ~(int) key;
    }

    private static float value(long key) {
        int rank = (int) (key >>> 32);
        return rank == 0 ? Float.NaN : Float.intBitsToFloat(rank < 0 ? rank ^ 0x8000_0000 : ~rank);
    }

    private void readInts(ClBuffer from, long offset, int count) {
        if (ints.length < count) {
            ints = new int[count];
        }
        queue.read(from, offset, ints, 0, count);
    }

    /** The logarithm of the sum of a row's exponentials; -infinity if all numbers are. */
    double logSumExp(DeviceTensor x, int row) {
        Objects.checkIndex(row, x.rows());
        int slice = slice(x.columns());
        int slices = Math.ceilDiv(x.columns(), slice);
        results = atLeast(results, 2L * slices * Float.BYTES, "what was chosen");
        selection().sumOfExp.set(0, x.data()).set(1, x.stride()).set(2, x.columns()).set(3, row).set(4, slice).set(5,
                results);
        queue.launch(selection().sumOfExp, new long[]{(long) slices * group}, new long[]{group});
        queue.read(results, 0, floats, 0, 2 * slices);
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < slices; i++) {
            largest = Math.max(largest, floats[2 * i]);
        }
        // An infinity is taken from no other one: what is relative to it is not rescaled.
        double reference = Double.isInfinite(largest) ? 0 : largest;
        double sum = 0;
        for (int i = 0; i < slices; i++) {
            double ofSlice = floats[2 * i + 1];
            sum += ofSlice == 0 ? 0 : ofSlice * Math.exp(floats[2 * i] - reference);
        }
        return reference + Math.log(sum);
    }

    @Override
    public void close() {
        embed.close();
        gather.close();
        if (layerNorm != null) {
            layerNorm.close();
        }
        if (selection != null) {
            selection.close();
        }
        for (ClBuffer buffer : new ClBuffer[]{indices, results}) {
            if (buffer != null) {
                buffer.close();
            }
        }
    }
}
