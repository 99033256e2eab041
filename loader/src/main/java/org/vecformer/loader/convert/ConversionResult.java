package org.vecformer.loader.convert;

import java.nio.file.Path;
import java.util.List;

/**
 * What a conversion made.
 *
 * @param directory the new model directory
 * @param format what was read: {@code TensorFlow checkpoint}, {@code PyTorch checkpoint} or {@code safetensors}
 * @param architecture the class name that the new config gives first, {@code BertForMaskedLM} for example; empty if it
 *            gives none
 * @param tensors how many tensors were written
 * @param elements how many numbers they have together
 * @param bytes the size of the new weights file
 * @param files the names of all files of the directory
 * @param notes what was assumed and what was left out on purpose, one sentence each
 * @param warnings what deserves a look, one sentence each: tensors that the model does not have, for example
 */
public record ConversionResult(Path directory, String format, String architecture, int tensors, long elements,
        long bytes, List<String> files, List<String> notes, List<String> warnings) {

    /** Copies the lists. */
    public ConversionResult {
        files = List.copyOf(files);
        notes = List.copyOf(notes);
        warnings = List.copyOf(warnings);
    }
}
