package org.vecformer.engine.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.Backend;
import org.vecformer.engine.kernel.MatrixPacker;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.MatrixLayout;
import org.vecformer.loader.Quantization;
import org.vecformer.loader.TensorInfo;

/**
 * Takes a model's tensors out of a checkpoint by name: checks type and shape against what the config promises, before
 * anything is read, and packs them. Names are given without the prefix that a checkpoint may have ("transformer.").
 */
final class Weights implements AutoCloseable {

    private static final int MOST_LABELS = 1 << 20;
    /**
     * Bytes of weights from which kernels are compiled while the weights are read: a model of tens of
     * millions of parameters.
     */
    private static final long WORTH_WARMING = 64L << 20;

    private final Checkpoint checkpoint;
    private final String prefix;
    private final LoadOptions options;
    private final WeightMemory memory;
    private final MatrixPacker packer;
    private final Optional<Quantization> quantization;
    /** What compiles its kernels for the weights meanwhile; null if that is not worth it. */
    private final Backend warming;
    private long parameters;
    private long bytes;

    /**
     * @param prefixes    the prefixes a checkpoint may have, "" among them
     * @param probe       a name that every checkpoint of this kind of model has, by which the prefix is found
     * @param memory      the model's
     */
    Weights(Backend backend, Checkpoint checkpoint, WeightMemory memory, LoadOptions options, List<String> prefixes,
            String probe) throws FormatException {
        this.memory = memory;
        this.checkpoint = checkpoint;
        this.options = options;
        prefix = prefixes.stream().filter(p -> checkpoint.find(p + probe).isPresent()).findFirst()
                .orElseThrow(() -> new FormatException("the checkpoint " + source() + " has no tensor " + probe
                        + " (with any of the prefixes " + prefixes + "): it is not a model of this kind"));
        quantization = Quantization.of(checkpoint);
        AtomicLong done = new AtomicLong();
        long total = checkpoint.names().stream().mapToLong(name -> checkpoint.find(name).orElseThrow().byteSize())
                .sum();
        warming = options.warmUp() && total > WORTH_WARMING ? backend : null;
        memory.expect(checkpoint.names().stream().mapToLong(name -> bytesInMemory(checkpoint.find(name).orElseThrow()))
                .sum());
        packer = new MatrixPacker(checkpoint, memory.room(), backend.pool(),
                count -> options.progress().loaded(done.addAndGet(count), total));
    }

    private String source() {
        return checkpoint.names().stream().findFirst().map(name -> checkpoint.file(name).toString()).orElse("(empty)");
    }

    /** The rows of a matrix whose size the config does not tell: a classifier's labels. */
    int rows(String name) throws FormatException {
        TensorInfo tensor = find(name);
        if (tensor.shape().size() != 2 || tensor.shape().getFirst() < 1 || tensor.shape().getFirst() > MOST_LABELS) {
            throw new FormatException(checkpoint.file(tensor.name()),
                    "tensor " + tensor.name() + " has shape " + tensor.shape()
                            + ", expected [labels, hidden size] with 1 to " + MOST_LABELS + " labels");
        }
        return Math.toIntExact(tensor.shape().getFirst());
    }

    /** A matrix in the given order, under its name with or without the prefix. */
    WeightMatrix matrix(String name, MatrixPacker.Order order, int inputs, int outputs) throws IOException {
        TensorInfo tensor = operand(name, order, inputs, outputs);
        return kept(packer.matrix(tensor, order, type(tensor), inputs, outputs));
    }

    /** A matrix that the model multiplies with, which may be quantized in the file. */
    private TensorInfo operand(String name, MatrixPacker.Order order, int inputs, int outputs) throws FormatException {
        var layout = new MatrixLayout(order == MatrixPacker.Order.INPUTS_FIRST, inputs, outputs);
        TensorInfo tensor = find(name);
        if (quantization.isEmpty() || tensor.dtype().isFloat()) {
            return tensor(name, layout.shape(1));
        }
        quantization.get().scales(checkpoint, tensor, layout);
        parameters += (long) inputs * outputs;
        return tensor;
    }

    /**
     * A table whose rows are looked up and which nothing is multiplied with: of positions, of token types. It is kept as
     * the file has it where quantized weights were asked for.
     */
    WeightMatrix table(String name, int rows, int columns) throws IOException {
        TensorInfo tensor = tensor(name, List.of((long) rows, (long) columns));
        boolean quantized = options.weights() != null && options.weights().quantized();
        WeightType type = quantized ? fileType(tensor) : type(tensor);
        return kept(packer.matrix(tensor, MatrixPacker.Order.OUTPUTS_FIRST, type, columns, rows));
    }

    /** How to keep a tensor: as was asked for, or else as the file has it. */
    private WeightType type(TensorInfo tensor) {
        WeightType type = options.weights() != null ? options.weights() : fileType(tensor);
        if (warming != null) {
            warming.warmUp(type);
        }
        return type;
    }

    /** Roughly: vectors are kept as float32, and of what has more dimensions (old checkpoints' masks) nothing is taken. */
    private long bytesInMemory(TensorInfo tensor) {
        if (tensor.shape().size() > 2) {
            return 0;
        }
        WeightType type = options.weights() == null ? fileType(tensor) : options.weights();
        return tensor.elements() * type.blockBytes() / WeightType.BLOCK;
    }

    private static WeightType fileType(TensorInfo tensor) {
        return switch (tensor.dtype()) {
            case BF16 -> WeightType.BF16;
            case F16 -> WeightType.F16;
            case I8 -> WeightType.INT8;
            case U8 -> WeightType.INT4;
            default -> WeightType.F32;
        };
    }

    /**
     * Linear layers of the same shape side by side, as one layer with the outputs of all.
     *
     * @param names without ".weight" and ".bias"
     */
    Linear sideBySide(List<String> names, int inputs, int outputs) throws IOException {
        List<TensorInfo> matrices = new ArrayList<>();
        List<TensorInfo> biases = new ArrayList<>();
        for (String name : names) {
            matrices.add(operand(name + ".weight", MatrixPacker.Order.OUTPUTS_FIRST, inputs, outputs));
            biases.add(tensor(name + ".bias", List.of((long) outputs)));
        }
        // Of different types only float32 holds all.
        WeightType type = matrices.stream().map(TensorInfo::dtype).distinct().count() == 1
                ? type(matrices.getFirst())
                : Objects.requireNonNullElse(options.weights(), WeightType.F32);
        return new Linear(kept(packer.matrices(matrices, type, inputs, outputs)),
                kept(packer.vector(biases, outputs)));
    }

    WeightVector vector(String name, int length) throws IOException {
        return kept(packer.vector(List.of(tensor(name, List.of((long) length))), length));
    }

    private WeightMatrix kept(PackedMatrix matrix) {
        bytes += matrix.byteSize();
        return memory.keep(matrix);
    }

    private WeightVector kept(PackedVector vector) {
        bytes += vector.byteSize();
        return memory.keep(vector);
    }

    /** Whether there is any tensor whose name begins like this, behind the prefix or without it. */
    boolean hasAny(String beginning) {
        return checkpoint.names().stream()
                .anyMatch(name -> name.startsWith(beginning) || name.startsWith(prefix + beginning));
    }

    /** Whether there is a tensor of this name, with or without the prefix. */
    boolean has(String name) {
        return checkpoint.find(prefix + name).isPresent() || checkpoint.find(name).isPresent();
    }

    /** The tensor of this name, with the prefix or (a head) without. */
    private TensorInfo find(String name) throws FormatException {
        return checkpoint.find(prefix + name).or(() -> checkpoint.find(name)).orElseThrow(() -> new FormatException(
                "the checkpoint " + source() + " has no tensor " + prefix + name + ", which the config calls for"));
    }

    private TensorInfo tensor(String name, List<Long> shape) throws FormatException {
        TensorInfo tensor = find(name);
        String full = tensor.name();
        if (!tensor.shape().equals(shape)) {
            throw new FormatException(checkpoint.file(full), "tensor " + full + " has shape " + tensor.shape()
                    + ", expected " + shape + " from the config");
        }
        if (!tensor.dtype().isFloat()) {
            throw new FormatException(checkpoint.file(full), "tensor " + full + " has type " + tensor.dtype()
                    + ", expected F32, F16, BF16 or F64");
        }
        parameters += tensor.elements();
        return tensor;
    }

    /** Numbers taken so far. */
    long parameters() {
        return parameters;
    }

    /** Bytes they take in memory. */
    long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        packer.close();
    }
}
