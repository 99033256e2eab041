package org.vecformer.loader.convert;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.vecformer.loader.Quantization;

/** The tensors of a checkpoint of any format. Belongs to one thread. */
interface WeightSource extends Closeable {

    /** What the format is called. */
    String format();

    /** How messages name the checkpoint. */
    String name();

    /** All tensors, in the order in which reading them is cheapest. */
    List<SourceTensor> tensors();

    /** What is in the checkpoint and is no tensor of numbers: one text each. */
    List<String> others();

    /** How the matrices are quantized already; empty if they are not. */
    default Optional<Quantization> quantization() {
        return Optional.empty();
    }

    /** Begins to read one of {@link #tensors}. */
    TensorReader open(SourceTensor tensor) throws IOException;
}
