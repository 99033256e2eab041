package org.vecformer.loader.convert;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.vecformer.loader.MatrixLayout;
import org.vecformer.loader.Quantization;

/**
 * Which tensors of a GPT-2 or a BERT are matrices that the model multiplies with, by their names at Hugging Face. Tables
 * of positions and token types are none.
 */
final class ModelMatrices {
    private static final Pattern INPUTS_FIRST = Pattern
            .compile("(transformer\\.)?h\\.\\d+\\.(attn\\.c_attn|attn\\.c_proj|mlp\\.c_fc|mlp\\.c_proj)\\.weight");
    private static final Pattern OUTPUTS_FIRST = Pattern.compile("((transformer\\.)?wte|lm_head|score"
            + "|classifier|qa_outputs"
            + "|(bert\\.)?(embeddings\\.word_embeddings|pooler\\.dense|encoder\\.layer\\.\\d+\\."
            + "(attention\\.self\\.(query|key|value)|attention\\.output\\.dense|intermediate\\.dense|output\\.dense))"
            + "|cls\\.(predictions\\.transform\\.dense|predictions\\.decoder|seq_relationship))\\.weight");

    private ModelMatrices() {
    }

    /** How a tensor lies if it is a matrix that can be quantized in whole blocks; empty if not. */
    static Optional<MatrixLayout> layout(String name, List<Long> shape) {
        boolean inputsFirst = INPUTS_FIRST.matcher(name).matches();
        if (shape.size() != 2 || !inputsFirst && !OUTPUTS_FIRST.matcher(name).matches()) {
            return Optional.empty();
        }
        MatrixLayout layout = inputsFirst
                ? new MatrixLayout(true, shape.get(0), shape.get(1))
                : new MatrixLayout(false, shape.get(1), shape.get(0));
        return layout.inputs() > 0 && layout.outputs() > 0 && layout.inputs() % Quantization.BLOCK == 0
                ? Optional.of(layout)
                : Optional.empty();
    }
}
