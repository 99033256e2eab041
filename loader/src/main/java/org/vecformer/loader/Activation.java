package org.vecformer.loader;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The activation functions between the two matrices of a feed-forward block, with the names that configs give them. */
public enum Activation {
    /** {@code x * (1 + erf(x / sqrt(2))) / 2} (Hendrycks and Gimpel 2016). */
    GELU("gelu", "gelu_python"),
    /**
     * {@code x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2}: GPT-2's approximation of {@link #GELU}.
     */
    GELU_NEW("gelu_new", "gelu_pytorch_tanh", "gelu_fast"),
    /** {@code x / (1 + exp(-1.702 * x))}. */
    QUICK_GELU("quick_gelu"),
    /** {@code max(x, 0)}. */
    RELU("relu"),
    /** {@code x / (1 + exp(-x))}. */
    SILU("silu", "swish"),
    /** {@code tanh(x)}. */
    TANH("tanh");

    private final List<String> names;

    Activation(String... names) {
        this.names = List.of(names);
    }

    /** The function that Hugging Face's configs mean by this name. */
    public static Optional<Activation> named(String name) {
        for (Activation activation : values()) {
            if (activation.names.contains(name)) {
                return Optional.of(activation);
            }
        }
        return Optional.empty();
    }

    /** All names that {@link #named} knows. */
    public static List<String> knownNames() {
        return Stream.of(values()).flatMap(activation -> activation.names.stream()).toList();
    }
}
