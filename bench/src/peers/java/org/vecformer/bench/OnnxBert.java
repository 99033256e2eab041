package org.vecformer.bench;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.vecformer.loader.Activation;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.TensorInfo;

/**
 * Any float32 BERT as an ONNX file (onnx.proto3 of the ONNX project), of the operators that ONNX Runtime's own optimizer
 * puts in place of an exported graph (com.microsoft: EmbedLayerNormalization, Attention, SkipLayerNormalization,
 * BiasGelu; ContribOperators.md): what suits it best.
 */
final class OnnxBert {

    private static final String FUSED = "com.microsoft";
    private static final int FLOAT = 1;
    private static final int INT32 = 6;
    private static final int INT64 = 7;

    private final BertConfig config;
    private final Checkpoint checkpoint;
    private final String prefix;
    private final Proto graph = new Proto();

    private OnnxBert(BertConfig config, Checkpoint checkpoint) {
        this.config = config;
        this.checkpoint = checkpoint;
        prefix = checkpoint.names().contains("bert.embeddings.word_embeddings.weight") ? "bert." : "";
    }

    /** The file's bytes. Inputs and output are named as exported models have them. */
    static byte[] of(ModelFiles files) throws IOException {
        BertConfig config = BertConfig.read(files.config());
        if (config.activation() != Activation.GELU || config.decoder()) {
            throw new IOException("the model " + files + " has the activation " + config.activation()
                    + (config.decoder() ? " and is a decoder" : "")
                    + "; its peer can be written for gelu encoders only");
        }
        try (Checkpoint checkpoint = Checkpoint.open(files)) {
            return new OnnxBert(config, checkpoint).model().toBytes();
        }
    }

    private Proto model() throws IOException {
        for (String name : List.of("input_ids", "token_type_ids", "attention_mask")) {
            graph.message(11, value(name, INT64, null));
            graph.message(1, node("Cast", "", List.of(name), "int32." + name).message(5, attribute("to", INT32)));
        }
        graph.message(12, value("last_hidden_state", FLOAT, config.hiddenSize()));
        for (String kind : List.of("word", "position", "token_type")) {
            vectorOrTable("embeddings." + kind + "_embeddings.weight");
        }
        norm("embeddings.LayerNorm");
        graph.message(1, node("EmbedLayerNormalization", FUSED,
                List.of("int32.input_ids", "int32.token_type_ids", "embeddings.word_embeddings.weight",
                        "embeddings.position_embeddings.weight", "embeddings.token_type_embeddings.weight",
                        "embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"),
                "x0", "unused").message(5, epsilon()));
        for (int i = 0; i < config.layers(); i++) {
            block("encoder.layer." + i + ".", "x" + i, i + 1 < config.layers() ? "x" + (i + 1) : "last_hidden_state");
        }
        graph.text(2, "bert");
        return new Proto().number(1, 8).text(2, "vecformer bench").message(7, graph)
                .message(8, new Proto().text(1, "").number(2, 17)).message(8, new Proto().text(1, FUSED).number(2, 1));
    }

    private void block(String name, String x, String out) throws IOException {
        int hidden = config.hiddenSize();
        String self = name + "attention.self.";
        float[][] weights = new float[3][];
        float[] biases = new float[3 * hidden];
        List<String> parts = List.of("query", "key", "value");
        for (int p = 0; p < parts.size(); p++) {
            weights[p] = read(self + parts.get(p) + ".weight", hidden, hidden);
            System.arraycopy(read(self + parts.get(p) + ".bias", hidden), 0, biases, p * hidden, hidden);
        }
        initializer(self + "weight", transposed(hidden, weights), hidden, 3 * hidden);
        initializer(self + "bias", biases, 3 * hidden);
        graph.message(1, node("Attention", FUSED,
                List.of(x, self + "weight", self + "bias", "int32.attention_mask"), name + "attended")
                .message(5, attribute("num_heads", config.heads())));
        linear(name + "attention.output.dense", hidden, hidden, name + "attended", name + "projected");
        skip(name + "attention.output", name + "projected", x, name + "y");
        linear(name + "intermediate.dense", hidden, config.innerSize(), name + "y", name + "up");
        graph.message(1, node("BiasGelu", FUSED, List.of(name + "up", name + "intermediate.dense.bias"),
                name + "activated"));
        linear(name + "output.dense", config.innerSize(), hidden, name + "activated", name + "down");
        skip(name + "output", name + "down", name + "y", out);
    }

    /** A matrix product; the bias is left to the operator behind it. */
    private void linear(String name, int inputs, int outputs, String x, String out) throws IOException {
        initializer(name + ".weight", transposed(inputs, read(name + ".weight", outputs, inputs)), inputs, outputs);
        initializer(name + ".bias", read(name + ".bias", outputs), outputs);
        graph.message(1, node("MatMul", "", List.of(x, name + ".weight"), out));
    }

    /** The layer norm of bias + x + residual. */
    private void skip(String name, String x, String residual, String out) throws IOException {
        norm(name + ".LayerNorm");
        graph.message(1, node("SkipLayerNormalization", FUSED, List.of(x, residual, name + ".LayerNorm.weight",
                name + ".LayerNorm.bias", name + ".dense.bias"), out).message(5, epsilon()));
    }

    private void norm(String name) throws IOException {
        vectorOrTable(name + ".weight");
        vectorOrTable(name + ".bias");
    }

    private void vectorOrTable(String name) throws IOException {
        TensorInfo tensor = find(name);
        int[] shape = tensor.shape().stream().mapToInt(Math::toIntExact).toArray();
        initializer(name, read(name, shape), shape);
    }

    /** Matrices with a row for each output become columns, side by side. */
    private static float[] transposed(int inputs, float[]... matrices) {
        int outputs = matrices[0].length / inputs;
        int columns = outputs * matrices.length;
        float[] all = new float[inputs * columns];
        for (int m = 0; m < matrices.length; m++) {
            for (int o = 0; o < outputs; o++) {
                for (int i = 0; i < inputs; i++) {
                    all[i * columns + m * outputs + o] = matrices[m][o * inputs + i];
                }
            }
        }
        return all;
    }

    private TensorInfo find(String name) throws IOException {
        return checkpoint.find(prefix + name)
                .orElseThrow(() -> new IOException("the model has no tensor " + prefix + name));
    }

    private float[] read(String name, int... shape) throws IOException {
        TensorInfo tensor = find(name);
        List<Long> expected = java.util.Arrays.stream(shape).asLongStream().boxed().toList();
        if (tensor.dtype() != DType.F32 || !tensor.shape().equals(expected)) {
            throw new IOException("the tensor " + name + " is " + tensor.describe() + "; expected F32 of " + expected);
        }
        float[] values = new float[Math.toIntExact(tensor.elements())];
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        checkpoint.read(tensor, 0, MemorySegment.ofBuffer(bytes));
        bytes.asFloatBuffer().get(values);
        return values;
    }

    /** TensorProto. */
    private void initializer(String name, float[] values, int... shape) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        Proto tensor = new Proto();
        for (int dimension : shape) {
            tensor.number(1, dimension);
        }
        graph.message(5, tensor.number(2, FLOAT).text(8, name).bytes(9, bytes.array()));
    }

    /** NodeProto. */
    private static Proto node(String operator, String domain, List<String> inputs, String... outputs) {
        Proto node = new Proto();
        inputs.forEach(input -> node.text(1, input));
        for (String output : outputs) {
            node.text(2, output);
        }
        return node.text(3, operator + "." + outputs[0]).text(4, operator).text(7, domain);
    }

    /** AttributeProto with an integer. */
    private static Proto attribute(String name, int value) {
        return new Proto().text(1, name).number(3, value).number(20, 2);
    }

    private Proto epsilon() {
        return new Proto().text(1, "epsilon").number(2, (float) config.layerNormEpsilon()).number(20, 1);
    }

    /** ValueInfoProto of batch x length (x columns). */
    private static Proto value(String name, int type, Integer columns) {
        Proto shape = new Proto().message(1, new Proto().text(2, "batch")).message(1, new Proto().text(2, "length"));
        if (columns != null) {
            shape.message(1, new Proto().number(1, columns));
        }
        return new Proto().text(1, name)
                .message(2, new Proto().message(1, new Proto().number(1, type).message(2, shape)));
    }
}
