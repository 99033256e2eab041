package org.vecformer.loader;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How the numbers of a quantized matrix are kept: integers in blocks of {@link #BLOCK} inputs of an output, each block
 * with a scale; a number is scale * integer, which float32 holds exactly.
 *
 * <p>In a safetensors file a quantized matrix is two tensors. One has the matrix' name and its integers, the other one
 * the name with {@value #SCALES} behind it and a BF16 for each block. Both have the matrix' order of dimensions:
 *
 * <pre>
 *                   rows are outputs (linear layers,      rows are inputs (GPT-2's Conv1D)
 *                   embeddings)
 * the matrix        [outputs, inputs]                     [inputs, outputs]
 * INT8   I8         [outputs, inputs]                     [inputs, outputs]         -127 to 127
 * INT4   U8         [outputs, inputs / 2]                 [inputs / 2, outputs]     integer + 8, from 0 to 15: the even
 *                                                         input in the low half of a byte, the next one in its high half
 * scales BF16       [outputs, inputs / 32]                [inputs / 32, outputs]    finite, below 2^100 in magnitude
 * </pre>
 *
 * The file's metadata say {@value #KEY}: int8 or int4, {@value #BLOCK_KEY}: 32, and instead of the usual "format": "pt"
 * (which promises tensors that PyTorch's code can take as they are) "format": "vecformer". What is no matrix that the
 * model multiplies with is as in any other file, and so is a matrix that cannot be quantized: because its inputs are no
 * multiple of 32, or because of a number that is not finite or not below 2^100.
 */
public enum Quantization {
    /** Integers from -127 to 127. */
    INT8(DType.I8, -127, 127),
    /** Integers from -8 to 7. */
    INT4(DType.U8, -8, 7);

    /** Inputs of a block. */
    public static final int BLOCK = 32;
    /** What the name of a matrix' scales ends with. */
    public static final String SCALES = ".scales";

    private static final String KEY = "vecformer.quantization";
    private static final String BLOCK_KEY = "vecformer.block";

    private final DType dtype;
    private final int least;
    private final int most;

    Quantization(DType dtype, int least, int most) {
        this.dtype = dtype;
        this.least = least;
        this.most = most;
    }

    /** The least integer. */
    public int least() {
        return least;
    }

    /** The greatest integer. */
    public int most() {
        return most;
    }

    /** Bits of an integer. */
    public int bits() {
        return this == INT8 ? 8 : 4;
    }

    /** The type of the tensor of integers. */
    public DType dtype() {
        return dtype;
    }

    private int inputsInByte() {
        return Byte.SIZE / bits();
    }

    /** The shape of the tensor of integers. */
    public List<Long> shape(MatrixLayout layout) {
        return layout.shape(inputsInByte());
    }

    /** Index of the byte that has the integer. */
    long index(MatrixLayout layout, long input, long output) {
        return layout.index(input, output, inputsInByte());
    }

    /** The metadata of a file that is quantized so. */
    public Map<String, String> metadata() {
        return Map.of("format", "vecformer", KEY, toString(), BLOCK_KEY, String.valueOf(BLOCK));
    }

    /**
     * How the matrices of a checkpoint are quantized, as its metadata say; empty if they are not.
     *
     * @throws FormatException if the metadata say something else
     */
    public static Optional<Quantization> of(Checkpoint checkpoint) throws FormatException {
        String name = checkpoint.metadata().get(KEY);
        if (name == null) {
            return Optional.empty();
        }
        String place = checkpoint.names().stream().findFirst().map(tensor -> checkpoint.file(tensor) + ": ").orElse("");
        Quantization quantization = Stream.of(values()).filter(value -> value.toString().equals(name)).findFirst()
                .orElseThrow(() -> new FormatException(place + "the metadata's " + KEY + " is "
                        + FormatException.quote(name) + ", expected int8 or int4"));
        String block = checkpoint.metadata().get(BLOCK_KEY);
        if (!String.valueOf(BLOCK).equals(block)) {
            throw new FormatException(place + "the metadata's " + BLOCK_KEY + " is "
                    + (block == null ? "missing" : FormatException.quote(block)) + ", expected \"" + BLOCK + '"');
        }
        return Optional.of(quantization);
    }

    /**
     * Checks that a tensor is a matrix that is quantized so, and that its scales are there.
     *
     * @return the scales
     * @throws FormatException if it is not
     */
    public TensorInfo scales(Checkpoint checkpoint, TensorInfo tensor, MatrixLayout layout) throws FormatException {
        if (layout.inputs() % BLOCK != 0) {
            throw new FormatException(checkpoint.file(tensor.name()), "tensor " + FormatException.quote(tensor.name())
                    + " is " + tensor.describe() + " and the config gives it " + layout.inputs()
                    + " inputs, expected no quantized matrix but for a multiple of " + BLOCK);
        }
        require(checkpoint, tensor, dtype, shape(layout));
        TensorInfo scales = checkpoint.find(tensor.name() + SCALES).orElseThrow(() -> new FormatException(
                checkpoint.file(tensor.name()), "there is no tensor " + FormatException.quote(tensor.name() + SCALES)
                        + ", expected the scales of the " + this + " matrix beside it"));
        require(checkpoint, scales, DType.BF16, layout.shape(BLOCK));
        return scales;
    }

    private void require(Checkpoint checkpoint, TensorInfo tensor, DType expected, List<Long> shape)
            throws FormatException {
        if (tensor.dtype() != expected || !tensor.shape().equals(shape)) {
            throw new FormatException(checkpoint.file(tensor.name()), "tensor " + FormatException.quote(tensor.name())
                    + " is " + tensor.describe() + ", expected " + TensorInfo.describe(expected, shape) + " of an "
                    + this + " matrix of the config's shape");
        }
    }

    /** The name as the command line and metadata spell it. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
