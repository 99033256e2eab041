package org.vecformer.loader.convert;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vecformer.loader.BlockQuantizer;
import org.vecformer.loader.MatrixLayout;
import org.vecformer.loader.Quantization;
import org.vecformer.loader.SafetensorsWriter;

/** A matrix on its way into a quantized file: collected whole, beside the heap, then quantized. */
final class QuantizedTensor implements ElementSink, AutoCloseable {
    private final Arena arena = Arena.ofConfined();
    private final SourceTensor source;
    private final MatrixLayout layout;
    private final Quantization quantization;
    private final MemorySegment numbers;
    private long collected;

    /** @param layout that of the new tensor, which has all elements of the source */
    QuantizedTensor(SourceTensor source, MatrixLayout layout, Quantization quantization) throws IOException {
        this.source = source;
        this.layout = layout;
        this.quantization = quantization;
        try {
            this.numbers = Bytes.allocate(arena, source.byteSize(), source.name());
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    @Override
    public void write(MemorySegment elements) {
        MemorySegment.copy(elements, 0, numbers, collected, elements.byteSize());
        collected += elements.byteSize();
    }

    /** Appends the integers, then the scales. */
    void finish(SafetensorsWriter writer, Pulse pulse) throws IOException {
        long count = source.elements();
        MemorySegment integers = Bytes.allocate(arena, count * quantization.bits() / Byte.SIZE, source.name());
        MemorySegment scales = Bytes.allocate(arena, count / Quantization.BLOCK * Short.BYTES, source.name());
        BlockQuantizer tile = new BlockQuantizer();
        for (long output = 0; output < layout.outputs(); output += BlockQuantizer.WIDTH) {
            int width = (int) Math.min(BlockQuantizer.WIDTH, layout.outputs() - output);
            for (long input = 0; input < layout.inputs(); input += Quantization.BLOCK) {
                tile.fill(numbers, source.dtype(), layout, input, Quantization.BLOCK, output, width);
                if (!tile.quantize(quantization, width)) {
                    throw new IllegalStateException(source.name() + " was found to be finite");
                }
                tile.write(quantization, integers, scales, layout, input, output, width);
            }
            pulse.done(0);
        }
        writer.append(integers);
        writer.append(scales);
    }

    @Override
    public void close() {
        arena.close();
    }
}
