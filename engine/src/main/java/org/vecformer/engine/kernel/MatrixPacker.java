package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.vecformer.engine.tensor.Tensor.PANEL;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.loader.BlockQuantizer;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.MatrixLayout;
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

    /** All windows together, as far as each is no smaller or larger than is good for reading. */
    private static final long WINDOWS_BYTES = 8 << 20;
    private static final long MIN_WINDOW_BYTES = 512 << 10;
    private static final long MAX_WINDOW_BYTES = 2 << 20;
    /** Inputs of a copied column at a time: what a panel has of them stays in the first-level cache. */
    private static final int COPIED = 128;
    private static final int HALF_EXPONENT = 0x7C00;

    private final Checkpoint checkpoint;
    private final SegmentAllocator weights;
    private final WorkerPool pool;
    private final LongConsumer progress;
    private final Arena scratch = Arena.ofShared();
    private final Worker[] workers;
    private final long windowBytes;

    /** What a thread works with, made when it is needed. */
    private static final class Worker {
        private MemorySegment window = MemorySegment.NULL;
        private MemorySegment scales = MemorySegment.NULL;
        private BlockQuantizer tile;
        private int[] words;

        private BlockQuantizer tile() {
            if (tile == null) {
                tile = new BlockQuantizer();
                words = new int[PANEL * WeightType.BLOCK];
            }
            return tile;
        }
    }

    /**
     * @param weights  gives the memory to pack them into
     * @param progress told the bytes read since the last call, by any thread
     */
    public MatrixPacker(Checkpoint checkpoint, SegmentAllocator weights, WorkerPool pool, LongConsumer progress) {
        this.checkpoint = checkpoint;
        this.weights = weights;
        this.pool = pool;
        this.progress = progress;
        windowBytes = Math.clamp(WINDOWS_BYTES / pool.threads(), MIN_WINDOW_BYTES, MAX_WINDOW_BYTES);
        workers = Stream.generate(Worker::new).limit(pool.threads()).toArray(Worker[]::new);
    }

    /**
     * Packs a tensor whose shape the caller has checked to be inputs x outputs in the given order: of a floating type,
     * or as {@link Quantization} says.
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
        boolean inputsFirst = order == Order.INPUTS_FIRST;
        int rows = inputsFirst ? inputs : outputs;
        long columns = inputsFirst ? outputs : inputs;
        Quantization stored = quantization(tensor.dtype());
        int bits = stored == null ? tensor.dtype().bits() : stored.bits();
        int windowRows = Math.clamp(windowBytes * Byte.SIZE / (columns * bits) / PANEL * PANEL, PANEL, 1 << 20);
        AtomicBoolean held = new AtomicBoolean(true);
        run(Math.ceilDiv(rows, windowRows), (from, to, index) -> {
            Worker worker = workers[index];
            for (int i = from; i < to; i++) {
                int row = i * windowRows;
                int height = Math.min(windowRows, rows - row);
                worker.window = read(tensor, row * columns * bits / Byte.SIZE, height * columns * bits / Byte.SIZE,
                        worker.window);
                if (stored != null) {
                    TensorInfo scales = checkpoint.find(tensor.name() + Quantization.SCALES).orElseThrow();
                    long blockRow = row * columns / WeightType.BLOCK;
                    worker.scales = read(scales, blockRow * Short.BYTES,
                            height * columns / WeightType.BLOCK * Short.BYTES, worker.scales);
                }
                MatrixLayout layout = inputsFirst
                        ? new MatrixLayout(true, height, outputs)
                        : new MatrixLayout(false, inputs, height);
                int k = inputsFirst ? row : 0;
                int n = inputsFirst ? first : first + row;
                if (tensor.dtype() == DType.F32 && packed.type() == WeightType.F32) {
                    copy(worker.window, layout, packed, k, n);
                } else if (!packTiles(tensor, stored, layout, worker, packed, k, n)) {
                    held.set(false);
                    return;
                }
            }
        });
        return held.get();
    }

    /**
     * Reads bytes of a tensor.
     *
     * @param room memory that may be used again
     * @return the memory that was used, which has them at its beginning
     */
    private MemorySegment read(TensorInfo tensor, long offset, long bytes, MemorySegment room) throws IOException {
        MemorySegment window = room.byteSize() < bytes
                ? scratch.allocate(Math.max(bytes, Math.min(windowBytes, tensor.byteSize())), PackedMatrix.ALIGNMENT)
                : room;
        checkpoint.read(tensor, offset, window.asSlice(0, bytes));
        progress.accept(bytes);
        return window;
    }

    /** Copies float32 numbers of a window to where input k and output n begin. */
    private static void copy(MemorySegment window, MatrixLayout layout, PackedMatrix m, int k, int n) {
        int inputs = Math.toIntExact(layout.inputs());
        int outputs = Math.toIntExact(layout.outputs());
        if (layout.inputsFirst()) {
            for (int r = 0; r < inputs; r++) {
                for (int column = 0; column < outputs; column += PANEL) {
                    MemorySegment.copy(window, ((long) r * outputs + column) * Float.BYTES, m.data(),
                            address(m, k + r, n + column), (long) Math.min(PANEL, outputs - column) * Float.BYTES);
                }
            }
            return;
        }
        for (int first = 0; first < outputs; first += PANEL) {
            for (int from = 0; from < inputs; from += COPIED) {
                for (int r = first; r < Math.min(outputs, first + PANEL); r++) {
                    copyColumn(window, ((long) r * inputs + from) * Float.BYTES, Math.min(COPIED, inputs - from),
                            m.data(), address(m, k + from, n + r));
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

    /**
     * Packs a window tile by tile to where input k and output n begin.
     *
     * @param stored how the file has it quantized; null if not
     * @return false if something cannot be quantized
     */
    private boolean packTiles(TensorInfo tensor, Quantization stored, MatrixLayout layout, Worker worker,
            PackedMatrix m, int k, int n) throws FormatException {
        BlockQuantizer tile = worker.tile();
        Quantization wanted = m.type().quantized() ? Quantization.valueOf(m.type().name()) : null;
        for (int output = 0; output < layout.outputs(); output += BlockQuantizer.WIDTH) {
            int width = (int) Math.min(BlockQuantizer.WIDTH, layout.outputs() - output);
            for (int input = 0; input < layout.inputs(); input += WeightType.BLOCK) {
                int depth = (int) Math.min(WeightType.BLOCK, layout.inputs() - input);
                if (stored == null) {
                    tile.fill(worker.window, tensor.dtype(), layout, input, depth, output, width);
                } else {
                    String fault = tile.read(stored, worker.window, worker.scales, layout, input, output, width);
                    if (fault != null) {
                        throw new FormatException(checkpoint.file(tensor.name()),
                                "the " + stored + " matrix " + FormatException.quote(tensor.name()) + " has " + fault);
                    }
                    if (wanted != stored) {
                        tile.dequantize(width);
                    }
                }
                if (wanted == null) {
                    store(tile, m, k + input, depth, n + output, width);
                } else if (wanted == stored || tile.quantize(wanted, width)) {
                    QuantizedPanels.store(tile, m, k + input, n + output, width, worker.words);
                } else {
                    return false;
                }
            }
        }
        return true;
    }

    /** How the integers of a tensor are to be read; null if it has floating-point numbers. */
    private static Quantization quantization(DType dtype) {
        return Stream.of(Quantization.values()).filter(value -> value.dtype() == dtype).findFirst().orElse(null);
    }

    /** Writes a tile's numbers, rounded to the matrix' type, to where input k and output n begin. */
    private static void store(BlockQuantizer tile, PackedMatrix m, int k, int depth, int n, int width) {
        long step = m.type().blockBytes();
        for (int column = 0; column < width; column++) {
            long at = address(m, k, n + column);
            for (int i = 0; i < depth; i++) {
                set(m, at + i * step, tile.numbers()[i][column]);
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
                workers[worker].window = read(tensor, 0, tensor.byteSize(), workers[worker].window);
                float[] values = new float[length];
                tensor.dtype().widen(workers[worker].window, 0, values, 0, length);
                MemorySegment.copy(values, 0, data, JAVA_FLOAT_UNALIGNED, (long) t * length * Float.BYTES, length);
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
        set(m, address(m, k, n), value);
    }

    private static void set(PackedMatrix m, long at, float value) {
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
