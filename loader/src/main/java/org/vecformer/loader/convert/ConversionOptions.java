package org.vecformer.loader.convert;

import java.nio.file.Path;
import java.util.Optional;
import org.vecformer.loader.DType;
import org.vecformer.loader.Quantization;

/**
 * What a conversion may be told.
 *
 * @param dtype the type of all floating-point tensors of the new file: F32, F16 or BF16; empty to keep each as it is
 * @param quantization how the matrices that the model multiplies with are quantized, all else being kept as it is; empty
 *            for not at all. It and a dtype exclude each other
 * @param config a config in place of the one beside the checkpoint: Google's {@code bert_config.json}, OpenAI's
 *            {@code hparams.json} or a {@code config.json}
 */
public record ConversionOptions(Optional<DType> dtype, Optional<Quantization> quantization, Optional<Path> config) {

    /**
     * Checks the type.
     *
     * @throws IllegalArgumentException if it is none of the three, or there is a quantization too
     */
    public ConversionOptions {
        if (dtype.isPresent() && dtype.get() != DType.F32 && dtype.get() != DType.F16 && dtype.get() != DType.BF16) {
            throw new IllegalArgumentException("the type is " + dtype.get() + ", expected F32, F16 or BF16");
        }
        if (dtype.isPresent() && quantization.isPresent()) {
            throw new IllegalArgumentException("the type is " + dtype.get() + " and the quantization "
                    + quantization.get() + ", expected one of them");
        }
    }

    /** Types as they are, the config that is there. */
    public static ConversionOptions defaults() {
        return new ConversionOptions(Optional.empty(), Optional.empty(), Optional.empty());
    }

    /** With this type for floating-point tensors. */
    public ConversionOptions withDtype(DType newDtype) {
        return new ConversionOptions(Optional.of(newDtype), Optional.empty(), config);
    }

    /** With matrices quantized so. */
    public ConversionOptions withQuantization(Quantization newQuantization) {
        return new ConversionOptions(Optional.empty(), Optional.of(newQuantization), config);
    }

    /** With this config. */
    public ConversionOptions withConfig(Path newConfig) {
        return new ConversionOptions(dtype, quantization, Optional.of(newConfig));
    }
}
