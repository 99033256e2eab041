package org.vecformer.loader.convert;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.Quantization;
import org.vecformer.loader.TensorInfo;

/** The tensors of safetensors files. */
final class SafetensorsWeights implements WeightSource {
    private final String name;
    private final Checkpoint checkpoint;
    private final Optional<Quantization> quantization;
    private final List<SourceTensor> tensors = new ArrayList<>();

    /**
     * Closes the checkpoint with this.
     *
     * @throws FormatException if what it says of its quantization is wrong
     */
    SafetensorsWeights(String name, Checkpoint checkpoint) throws FormatException {
        this.name = name;
        this.checkpoint = checkpoint;
        this.quantization = Quantization.of(checkpoint);
        for (String tensor : checkpoint.names()) {
            TensorInfo info = checkpoint.find(tensor).orElseThrow();
            tensors.add(new SourceTensor(tensor, info.dtype(), info.shape(), info.byteSize()));
        }
    }

    @Override
    public String format() {
        return "safetensors";
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<SourceTensor> tensors() {
        return List.copyOf(tensors);
    }

    @Override
    public List<String> others() {
        return List.of();
    }

    @Override
    public Optional<Quantization> quantization() {
        return quantization;
    }

    @Override
    public TensorReader open(SourceTensor tensor) {
        TensorInfo info = checkpoint.find(tensor.name()).orElseThrow();
        return new TensorReader() {
            private long done;

            @Override
            public void next(MemorySegment destination) throws IOException {
                checkpoint.read(info, done, destination);
                done += destination.byteSize();
            }
        };
    }

    @Override
    public void close() throws IOException {
        checkpoint.close();
    }
}
