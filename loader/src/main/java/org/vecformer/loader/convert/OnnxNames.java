package org.vecformer.loader.convert;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vecformer.loader.FormatException;

/**
 * A BERT that PyTorch has exported to ONNX, under the names that it had in PyTorch: {@code bert.} before the encoder,
 * and the matrices of linear layers with outputs as rows again.
 */
final class OnnxNames implements VariableNames.Naming {
    /** What the graph of a BERT must have. */
    static final Pattern MARK = Pattern.compile("(bert\\.)?embeddings\\.word_embeddings\\.weight");

    private static final Pattern TENSOR = Pattern.compile("(?:bert\\.)?("
            + "embeddings\\.(?:word|position|token_type)_embeddings\\.weight|embeddings\\.LayerNorm\\.(?:weight|bias)"
            + "|encoder\\.layer\\.\\d{1,4}\\.(?:attention\\.self\\.(?:query|key|value)|attention\\.output\\.(?:dense"
            + "|LayerNorm)|intermediate\\.dense|output\\.(?:dense|LayerNorm))\\.(?:weight|bias)"
            + "|pooler\\.dense\\.(?:weight|bias))");
    private static final Pattern HEAD = Pattern.compile("cls\\.predictions\\.(?:bias|transform\\.(?:dense|LayerNorm)"
            + "\\.(?:weight|bias))|(?:cls\\.seq_relationship|classifier|qa_outputs)\\.(?:weight|bias)");

    private OnnxNames() {
    }

    static VariableNames of(OnnxFile file) throws FormatException {
        return new VariableNames(file, new OnnxNames());
    }

    @Override
    public TensorPlan plan(SourceTensor tensor) {
        boolean product = tensor.name().endsWith(OnnxFile.PRODUCT) && tensor.shape().size() == 2;
        String name = product
                ? tensor.name().substring(0, tensor.name().length() - OnnxFile.PRODUCT.length()).replace('/', '.')
                        + ".weight"
                : tensor.name();
        Matcher encoder = TENSOR.matcher(name);
        if (encoder.matches()) {
            name = "bert." + encoder.group(1);
        } else if (!HEAD.matcher(name).matches()) {
            return null;
        }
        return new TensorPlan(tensor, name, product ? tensor.shape().reversed() : tensor.shape(), product);
    }
}
