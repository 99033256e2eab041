package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.vecformer.engine.tensor.Tensor.PANEL;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.loader.BlockQuantizer;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.DType;
import org.vecformer.loader.Quantization;
import org.vecformer.loader.TensorInfo;

/**
 * Reads weights from a checkpoint into the layout of {@link PackedMatrix}: window by window, the windows in parallel,
 * each repacked on its way, so that a matrix exists once and the file never as a whole.
 */
public final class MatrixPacker implements AutoCloseable {

    /** How a file lays a matrix out. */
    public enum Order {
        /** Rows are inputs, as GPT-2's Conv1D has it: element (k, n) at k * outputs + n. */
        INPUTS_FIRST,
        /** Rows are outputs, as linear layers and embeddings have it: element (k, n) at n * inputs + k. */
        OUTPUTS_FIRST
    }

    private static final long WINDOW_BYTES = 2 << 20;
    private static final int BLOCK_ROWS = 128;
    private static final int HALF_EXPONENT = 0x7C00;

    private final Checkpoint checkpoint;
    private final Arena weights;
    private final WorkerPool pool;
    private final LongConsumer progress;
    private final Arena scratch = Arena.ofShared();
    private final MemorySegment[] windows;
    private final Tile[] tiles;

    /**
     * @param weights  the model's arena, which the packed weights live in
     * @param progress told the bytes read since the last call, by any thread
     */
    public MatrixPacker(Checkpoint checkpoint, Arena weights, WorkerPool pool, LongConsumer progress) {
        this.checkpoint = checkpoint;
        this.weights = weights;
        this.pool = pool;
        this.progress = progress;
        windows = new MemorySegment[pool.threads()];
        tiles = new Tile[pool.threads()];
    }

    /**
     * Packs a tensor whose shape the caller has checked to be inputs x outputs in the given order, of a floating type.
     *
     * @param type how to keep the numbers; a matrix that this type cannot hold is kept as float32: as binary16 one with a
     *             number beyond 65504, quantized one whose inputs are no multiple of 32 or that has a number that is not
     *             finite or not below 2^100
     */
    public PackedMatrix matrix(TensorInfo tensor, Order order, WeightType type, int inputs, int outputs)
            throws IOException {
        return matrices(List.of(tensor), order, type, inputs, outputs);
    }

    /**
     * Packs matrices of the same inputs, whose rows are outputs, side by side into one: BERT's queries, keys and
     * values, which are three matrices in a file and one product in a model. Only if the outputs of each are a multiple
     * of 32 can they be quantized.
     *
     * @param outputs of each of them
     */
    public PackedMatrix matrices(List<TensorInfo> tensors, WeightType type, int inputs, int outputs)
            throws IOException {
        return matrices(tensors, Order.OUTPUTS_FIRST, type, inputs, outputs);
    }

    private PackedMatrix matrices(List<TensorInfo> tensors, Order order, WeightType type, int inputs, int outputs)
            throws IOException {
        boolean wholeBlocks = inputs % WeightType.BLOCK == 0 && (tensors.size() == 1 || outputs % PANEL == 0);
        if (!type.quantized() || wholeBlocks) {
            PackedMatrix packed = allocate(type, inputs, tensors.size() * outputs);
            boolean held = true;
            for (int i = 0; i < tensors.size(); i++) {
                held &= pack(tensors.get(i), order, packed, i * outputs, outputs);
            }
            if (held && (type != WeightType.F16 || isFinite(packed))) {
                return packed;
            }
        }
        // No model that computes anything has such weights, so reading twice does not matter.
        return matrices(tensors, order, WeightType.F32, inputs, outputs);
    }

    /** The kernels widen finite halves only. */
    private static boolean isFinite(PackedMatrix halves) {
        for (long at = 0; at < halves.byteSize(); at += Short.BYTES) {
            if ((halves.data().get(JAVA_SHORT_UNALIGNED, at) & HALF_EXPONENT) == HALF_EXPONENT) {
                return false;
            }
        }
        return true;
    }

    private PackedMatrix allocate(WeightType type, int inputs, int outputs) {
        MemorySegment data = weights.allocate(PackedMatrix.byteSize(type, inputs, outputs), PackedMatrix.ALIGNMENT);
        return new PackedMatrix(data, type, inputs, outputs);
    }

    /**
     * Packs a tensor into the matrix, from output {@code first} on.
     *
     * @return false if there was something to quantize that cannot be
     */
    private boolean pack(TensorInfo tensor, Order order, PackedMatrix packed, int first, int outputs)
            throws IOException {
        int inputs = packed.inputs();
        int rows = order == Order.INPUTS_FIRST ? inputs : outputs;
        int columns = order == Order.INPUTS_FIRST ? outputs : inputs;
        long rowBytes = (long) columns * tensor.dtype().bits() / 8;
        int windowRows = Math.clamp(WINDOW_BYTES / rowBytes / PANEL * PANEL, PANEL, 1 << 20);
        int count = Math.ceilDiv(rows, windowRows);
        AtomicBoolean held = new AtomicBoolean(true);
        run(count, (from, to, worker) -> {
            for (int i = from; i < to; i++) {
                int row = i * windowRows;
                int height = Math.min(windowRows, rows - row);
                MemorySegment window = read(tensor, row * rowBytes, height * rowBytes, windowRows * rowBytes, worker);
                if (packed.type().quantized()) {
                    if (!quantize(window, tensor.dtype(), order, packed, first, row, height, worker)) {
                        held.set(false);
                        return;
                    }
                } else if (order == Order.INPUTS_FIRST) {
                    packInputs(window, tensor.dtype(), packed, row, height);
                } else {
                    packOutputs(window, tensor.dtype(), packed, first + row, height);
                }
            }
        });
        return held.get();
    }

    /** Memory of a worker for quantizing. */
    private record Tile(BlockQuantizer blocks, int[] words) {}

    /**
     * Quantizes a window, tile by tile.
     *
     * @param first the matrix' output that the tensor's first one is
     * @param row   the tensor's row that the window's first one is
     */
    private boolean quantize(MemorySegment window, DType dtype, Order order, PackedMatrix m, int first, int row,
            int height, int worker) {
        if (tiles[worker] == null) {
            tiles[worker] = new Tile(new BlockQuantizer(), new int[PANEL * WeightType.BLOCK]);
        }
        BlockQuantizer blocks = tiles[worker].blocks();
        boolean inputsFirst = order == Order.INPUTS_FIRST;
        int inputs = inputsFirst ? height : m.inputs();
        int outputs = inputsFirst ? m.outputs() : height;
        for (int n = 0; n < outputs; n += BlockQuantizer.WIDTH) {
            int width = Math.min(BlockQuantizer.WIDTH, outputs - n);
            for (int k = 0; k < inputs; k += WeightType.BLOCK) {
                if (inputsFirst) {
                    fillRows(window, dtype, (long) k * outputs + n, outputs, width, blocks.numbers());
                } else {
                    fillColumns(window, dtype, (long) n * inputs + k, inputs, width, blocks.numbers());
                }
                if (!blocks.quantize(quantization(m.type()), width)) {
                    return false;
                }
                QuantizedPanels.store(blocks, m, inputsFirst ? row + k : k, inputsFirst ? n : first + row + n, width,
                        tiles[worker].words());
            }
        }
        return true;
    }

    private static Quantization quantization(WeightType type) {
        return type == WeightType.INT8 ? Quantization.INT8 : Quantization.INT4;
    }

    /** Fills a tile whose rows lie {@code step} numbers apart. */
    private static void fillRows(MemorySegment window, DType dtype, long from, long step, int width, float[] numbers) {
        for (int k = 0; k < WeightType.BLOCK; k++) {
            int to = k * BlockQuantizer.STRIDE;
            if (dtype == DType.F32) {
                MemorySegment.copy(window, JAVA_FLOAT_UNALIGNED, (from + k * step) * Float.BYTES, numbers, to, width);
                continue;
            }
            for (int n = 0; n < width; n++) {
                numbers[to + n] = value(window, dtype, from + k * step + n);
            }
        }
    }

    /** Fills a tile whose columns lie {@code step} numbers apart. */
    private static void fillColumns(MemorySegment window, DType dtype, long from, long step, int width,
            float[] numbers) {
        for (int n = 0; n < width; n++) {
            for (int k = 0; k < WeightType.BLOCK; k++) {
                numbers[k * BlockQuantizer.STRIDE + n] = value(window, dtype, from + n * step + k);
            }
        }
    }

    /**
     * Reads biases or gains of a floating type, widened to float32, one behind the other.
     *
     * @param length of each of them
     */
    public PackedVector vector(List<TensorInfo> tensors, int length) throws IOException {
        int total = tensors.size() * length;
        MemorySegment data = weights.allocate(PackedVector.byteSize(total), PackedMatrix.ALIGNMENT);
        run(tensors.size(), (from, to, worker) -> {
            for (int t = from; t < to; t++) {
                TensorInfo tensor = tensors.get(t);
                MemorySegment window = read(tensor, 0, tensor.byteSize(), tensor.byteSize(), worker);
                for (int i = 0; i < length; i++) {
                    data.set(JAVA_FLOAT_UNALIGNED, ((long) t * length + i) * Float.BYTES,
                            value(window, tensor.dtype(), i));
                }
            }
        });
        return new PackedVector(data, total);
    }

    @FunctionalInterface
    private interface ReadingTask {
        void run(int from, int to, int worker) throws IOException;
    }

    private void run(int count, ReadingTask task) throws IOException {
        try {
            pool.run((from, to, worker) -> {
                try {
                    task.run(from, to, worker);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }, count, 1);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private MemorySegment read(TensorInfo tensor, long offset, long bytes, long capacity, int worker)
            throws IOException {
        if (windows[worker] == null || windows[worker].byteSize() < bytes) {
            windows[worker] = scratch.allocate(Math.max(capacity, WINDOW_BYTES), PackedMatrix.ALIGNMENT);
        }
        MemorySegment window = windows[worker].asSlice(0, bytes);
        checkpoint.read(tensor, offset, window);
        progress.accept(bytes);
        return window;
    }

    private static void packInputs(MemorySegment window, DType dtype, PackedMatrix m, int row, int height) {
        boolean copies = dtype == DType.F32 && m.type() == WeightType.F32;
        for (int r = 0; r < height; r++) {
            for (int column = 0; column < m.outputs(); column += PANEL) {
                int width = Math.min(PANEL, m.outputs() - column);
                long from = (long) r * m.outputs() + column;
                if (copies) {
                    MemorySegment.copy(window, from * Float.BYTES, m.data(), address(m, row + r, column),
                            (long) width * Float.BYTES);
                    continue;
                }
                for (int c = 0; c < width; c++) {
                    set(m, row + r, column + c, value(window, dtype, from + c));
                }
            }
        }
    }

    private static void packOutputs(MemorySegment window, DType dtype, PackedMatrix m, int row, int height) {
        boolean copies = dtype == DType.F32 && m.type() == WeightType.F32;
        for (int first = 0; first < height; first += PANEL) {
            // A block of a panel's rows stays in the first-level cache while its columns are filled.
            for (int k = 0; k < m.inputs(); k += BLOCK_ROWS) {
                int end = Math.min(m.inputs(), k + BLOCK_ROWS);
                for (int r = first; r < Math.min(height, first + PANEL); r++) {
                    long from = (long) r * m.inputs();
                    if (copies) {
                        copyColumn(window, (from + k) * Float.BYTES, end - k, m.data(), address(m, k, row + r));
                    } else {
                        convertColumn(window, dtype, from, m, k, end, row + r);
                    }
                }
            }
        }
    }

    private static void copyColumn(MemorySegment window, long from, int count, MemorySegment panel, long to) {
        for (long i = 0; i < count; i++) {
            panel.set(JAVA_FLOAT_UNALIGNED, to + i * PANEL * Float.BYTES,
                    window.get(JAVA_FLOAT_UNALIGNED, from + i * Float.BYTES));
        }
    }

    private static void convertColumn(MemorySegment window, DType dtype, long from, PackedMatrix m, int k, int end,
            int column) {
        for (int i = k; i < end; i++) {
            set(m, i, column, value(window, dtype, from + i));
        }
    }

    /** Element {@code i} of a floating tensor; a float64 is rounded to float32. */
    private static float value(MemorySegment data, DType dtype, long i) {
        return switch (dtype) {
            case F32 -> data.get(JAVA_FLOAT_UNALIGNED, i * Float.BYTES);
            case BF16 -> Narrow.lowBfloat(data.get(JAVA_SHORT_UNALIGNED, i * Short.BYTES));
            case F16 -> Float.float16ToFloat(data.get(JAVA_SHORT_UNALIGNED, i * Short.BYTES));
            case F64 -> (float) data.get(JAVA_DOUBLE_UNALIGNED, i * Double.BYTES);
            default ->
                throw new IllegalArgumentException("weights of type " + dtype + "; expected F32, F16, BF16 or F64");
        };
    }

    /** Byte address of element (k, n) of a matrix that is not quantized. */
    private static long address(PackedMatrix m, int k, int n) {
        long row = n / PANEL * m.panelBytes() + (long) k * m.type().blockBytes();
        int c = n % PANEL;
        return row + switch (m.type()) {
            case F32 -> (long) c * Float.BYTES;
            case F16, BF16 -> c % (PANEL / 2) * (long) Integer.BYTES + c / (PANEL / 2) * (long) Short.BYTES;
            case INT8, INT4 -> throw quantized();
        };
    }

    /** Sets element (k, n) of a matrix that is not quantized, rounded to its type. */
    static void set(PackedMatrix m, int k, int n, float value) {
        long at = address(m, k, n);
        switch (m.type()) {
            case F32 -> m.data().set(JAVA_FLOAT_UNALIGNED, at, value);
            case F16 -> m.data().set(JAVA_SHORT_UNALIGNED, at, Narrow.toHalf(value));
            case BF16 -> m.data().set(JAVA_SHORT_UNALIGNED, at, Narrow.toBfloat(value));
            case INT8, INT4 -> throw quantized();
        }
    }

    private static IllegalArgumentException quantized() {
        return new IllegalArgumentException("an element of a quantized matrix has no address of its own");
    }

    /** Element (k, n), widened. */
    static float get(PackedMatrix m, int k, int n) {
        if (m.type().quantized()) {
            return QuantizedPanels.get(m, k, n);
        }
        long at = address(m, k, n);
        return switch (m.type()) {
            case F32 -> m.data().get(JAVA_FLOAT_UNALIGNED, at);
            case F16 -> Float.float16ToFloat(m.data().get(JAVA_SHORT_UNALIGNED, at));
            case BF16 -> Narrow.lowBfloat(m.data().get(JAVA_SHORT_UNALIGNED, at));
            case INT8, INT4 -> throw quantized();
        };
    }

    /** Adds output {@code n}'s column, as long as the matrix has inputs, to x: an embedding. */
    static void addColumn(PackedMatrix m, int n, float[] x, int x0) {
        if (m.type().quantized()) {
            QuantizedPanels.addColumn(m, n, x, x0);
            return;
        }
        long at = address(m, 0, n);
        long step = m.type().blockBytes();
        for (int k = 0; k < m.inputs(); k++, at += step) {
            x[x0 + k] += switch (m.type()) {
                case F32 -> m.data().get(JAVA_FLOAT_UNALIGNED, at);
                case F16 -> Float.float16ToFloat(m.data().get(JAVA_SHORT_UNALIGNED, at));
                case BF16 -> Narrow.lowBfloat(m.data().get(JAVA_SHORT_UNALIGNED, at));
                case INT8, INT4 -> throw quantized();
            };
        }
    }

    /** Frees the windows; what was packed stays. */
    @Override
    public void close() {
        scratch.close();
    }
}
