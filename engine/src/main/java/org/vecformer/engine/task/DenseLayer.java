package org.vecformer.engine.task;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.vecformer.loader.Activation;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.SentenceConfig;
import org.vecformer.loader.TensorInfo;

/**
 * A layer behind the pooling, activation(W x + b), as sentence-transformers' {@code Dense}. Immutable and thread-safe;
 * its weights are on the heap.
 */
public final class DenseLayer {

    /** What an array can have. */
    private static final long MAX_ELEMENTS = Integer.MAX_VALUE - 8;

    private final float[] weight;
    private final float[] bias;
    private final int inputs;
    private final int outputs;
    private final Optional<Activation> activation;

    private DenseLayer(float[] weight, float[] bias, SentenceConfig.Dense config) {
        this.weight = weight;
        this.bias = bias;
        inputs = config.inputs();
        outputs = config.outputs();
        activation = config.activation();
    }

    /**
     * Reads a layer's weights.
     *
     * @throws FormatException if the file is damaged, or its tensors are not float32 or not of the config's shape
     * @throws IOException     if it cannot be read
     */
    public static DenseLayer load(SentenceConfig.Dense config) throws IOException {
        try (Safetensors file = Safetensors.open(config.weights())) {
            float[] weight = floats(file, "linear.weight", List.of((long) config.outputs(), (long) config.inputs()));
            float[] bias = config.bias()
                    ? floats(file, "linear.bias", List.of((long) config.outputs()))
                    : new float[config.outputs()];
            return new DenseLayer(weight, bias, config);
        }
    }

    private static float[] floats(Safetensors file, String name, List<Long> shape) throws IOException {
        Path path = file.path();
        TensorInfo tensor = file.find(name).orElseThrow(() -> new FormatException(path,
                "there is no tensor " + name + ", expected it in the weights of a dense layer"));
        if (tensor.dtype() != DType.F32 || !tensor.shape().equals(shape)) {
            throw new FormatException(path,
                    "tensor " + name + " is " + tensor.describe() + ", expected F32 " + shape);
        }
        if (tensor.elements() > MAX_ELEMENTS) {
            throw new FormatException(path, "tensor " + name + " is " + tensor.describe() + ", expected at most "
                    + MAX_ELEMENTS + " numbers");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(tensor.byteSize(), Float.BYTES);
            file.read(tensor, 0, data);
            return data.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        }
    }

    /** Width of its input. */
    public int inputs() {
        return inputs;
    }

    /** Width of its output. */
    public int outputs() {
        return outputs;
    }

    float[] apply(float[] x) {
        float[] y = new float[outputs];
        for (int row = 0; row < outputs; row++) {
            double sum = bias[row];
            int offset = row * inputs;
            for (int i = 0; i < inputs; i++) {
                sum += (double) weight[offset + i] * x[i];
            }
            y[row] = (float) (activation.isPresent() ? activate(activation.get(), sum) : sum);
        }
        return y;
    }

    private static double activate(Activation activation, double x) {
        return switch (activation) {
            case TANH -> StrictMath.tanh(x);
            case RELU -> Math.max(x, 0);
            default -> throw new IllegalStateException("a dense layer with the activation " + activation);
        };
    }
}
