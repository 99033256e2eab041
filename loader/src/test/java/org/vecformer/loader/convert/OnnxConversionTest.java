package org.vecformer.loader.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.TensorInfo;

/** A BERT as PyTorch exports it to ONNX becomes a model directory again; damaged files end in one clear error. */
class OnnxConversionTest {
    private static final int HIDDEN = 24;
    private static final int INNER = 40;

    @TempDir
    Path folder;

    /** A message of protocol buffers. */
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        private void varint(long value) {
            for (long rest = value;; rest >>>= 7) {
                if (rest < 0x80 && rest >= 0) {
                    bytes.write((int) rest);
                    return;
                }
                bytes.write((int) (rest & 0x7F | 0x80));
            }
        }

        Message number(int field, long value) {
            varint(field << 3);
            varint(value);
            return this;
        }

        Message bytes(int field, byte[] value) {
            varint(field << 3 | 2);
            varint(value.length);
            bytes.writeBytes(value);
            return this;
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return bytes(field, value.toBytes());
        }

        byte[] toBytes() {
            return bytes.toByteArray();
        }
    }

    private static byte[] littleEndian(float... values) {
        ByteBuffer buffer = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            buffer.putFloat(value);
        }
        return buffer.array();
    }

    /** The graph of a BERT of one layer, with its linear layers as the exporter leaves them. */
    private static final class Graph {
        final Message graph = new Message();
        /** What the converted file must have. */
        final Map<String, float[]> expected = new LinkedHashMap<>();
        private final Random random = new Random(7);
        private int products;

        private float[] random(int count) {
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                values[i] = (float) random.nextGaussian();
            }
            return values;
        }

        void tensor(String name, int... shape) {
            float[] values = random(Arrays.stream(shape).reduce(1, Math::multiplyExact));
            initializer(name, values, shape);
            expected.put("bert." + name, values);
        }

        void initializer(String name, float[] values, int... shape) {
            Message tensor = new Message();
            for (int dimension : shape) {
                tensor.number(1, dimension);
            }
            graph.message(5, tensor.number(2, 1).text(8, name).bytes(9, littleEndian(values)));
        }

        void linear(String module, int inputs, int outputs) {
            tensor(module + ".bias", outputs);
            float[] values = random(inputs * outputs);
            String name = "onnx::MatMul_" + products++;
            initializer(name, values, inputs, outputs);
            node("/" + module.replace('.', '/') + "/MatMul", "MatMul", "x", name);
            float[] transposed = new float[values.length];
            for (int i = 0; i < inputs; i++) {
                for (int o = 0; o < outputs; o++) {
                    transposed[o * inputs + i] = values[i * outputs + o];
                }
            }
            expected.put("bert." + module + ".weight", transposed);
        }

        void node(String name, String operation, String... inputs) {
            Message node = new Message();
            for (String input : inputs) {
                node.text(1, input);
            }
            graph.message(1, node.text(2, name + "_output_0").text(3, name).text(4, operation));
        }

        /** An attention that divides its scores by the square root of 8. */
        void scale() {
            Message tensor = new Message().number(2, 1).bytes(9, littleEndian((float) Math.sqrt(8)));
            String constant = "/encoder/layer.0/attention/self/Constant";
            graph.message(1, new Message().text(2, constant + "_output_0").text(3, constant).text(4, "Constant")
                    .message(5, new Message().text(1, "value").message(5, tensor)));
            node("/encoder/layer.0/attention/self/Div", "Div", "scores", constant + "_output_0");
        }

        byte[] toBytes() {
            return new Message().number(1, 8).text(2, "pytorch").message(7, graph).toBytes();
        }
    }

    private static Graph bert() {
        Graph graph = new Graph();
        graph.tensor("embeddings.word_embeddings.weight", 11, HIDDEN);
        graph.tensor("embeddings.position_embeddings.weight", 16, HIDDEN);
        graph.tensor("embeddings.token_type_embeddings.weight", 2, HIDDEN);
        norm(graph, "embeddings.LayerNorm");
        graph.scale();
        String layer = "encoder.layer.0.";
        for (String part : List.of("query", "key", "value")) {
            graph.linear(layer + "attention.self." + part, HIDDEN, HIDDEN);
        }
        graph.linear(layer + "attention.output.dense", HIDDEN, HIDDEN);
        norm(graph, layer + "attention.output.LayerNorm");
        graph.linear(layer + "intermediate.dense", HIDDEN, INNER);
        graph.linear(layer + "output.dense", INNER, HIDDEN);
        norm(graph, layer + "output.LayerNorm");
        return graph;
    }

    private static void norm(Graph graph, String name) {
        graph.tensor(name + ".weight", HIDDEN);
        graph.tensor(name + ".bias", HIDDEN);
    }

    private ConversionResult convert(Path source, Path target) throws IOException {
        return new CheckpointConverter(source, target, ConversionOptions.defaults(), (_, _) -> {
        }).convert();
    }

    @Test
    void aGraphBecomesAModelDirectory() throws IOException {
        Graph graph = bert();
        Path source = folder.resolve("tiny.onnx");
        Files.write(source, graph.toBytes());
        Files.writeString(folder.resolve("tiny-tokenizer.json"), "{}");
        Path target = folder.resolve("model");
        ConversionResult result = convert(source, target);
        check(graph, target);
        assertThat(result.notes()).anySatisfy(note -> assertThat(note).contains("3 heads"));
        assertThat(result.warnings()).isEmpty();
        assertThat(target.resolve("tokenizer.json")).hasContent("{}");
    }

    private static void check(Graph graph, Path target) throws IOException {
        BertConfig config = BertConfig.read(target.resolve("config.json"));
        assertThat(config.heads()).isEqualTo(3);
        assertThat(config.innerSize()).isEqualTo(INNER);
        assertThat(config.contextLength()).isEqualTo(16);
        try (Safetensors file = Safetensors.open(target.resolve("model.safetensors"))) {
            assertThat(file.tensors().stream().map(TensorInfo::name).toList())
                    .containsExactlyInAnyOrderElementsOf(graph.expected.keySet());
            for (Map.Entry<String, float[]> tensor : graph.expected.entrySet()) {
                assertThat(floats(file, tensor.getKey())).as(tensor.getKey()).isEqualTo(tensor.getValue());
            }
        }
    }

    private static float[] floats(Safetensors file, String name) throws IOException {
        TensorInfo tensor = file.find(name).orElseThrow();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocate(tensor.byteSize(), Float.BYTES);
            file.read(tensor, 0, data);
            return data.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    @Test
    void aGraphInAJarBecomesAModelDirectory() throws IOException {
        Graph graph = bert();
        Path jar = folder.resolve("a.jar");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            zip.putNextEntry(new ZipEntry("models/tiny.onnx"));
            zip.write(graph.toBytes());
            zip.putNextEntry(new ZipEntry("models/tiny-tokenizer.json"));
            zip.write("{}".getBytes(StandardCharsets.UTF_8));
        }
        Path target = folder.resolve("model");
        convert(jar, target);
        check(graph, target);
        assertThat(target.resolve("tokenizer.json")).hasContent("{}");
    }

    @Test
    void whatIsNoBertOrHasNoNumbersIsRefused() throws IOException {
        Graph other = new Graph();
        other.tensor("conv.weight", 2, 2);
        assertRefused(other.toBytes(), "no BERT");
        assertRefused(new Message().message(7, new Message()).toBytes(), "no initializers");
        assertRefused(new Message().number(1, 8).toBytes(), "no graph");
        assertRefused(new byte[0], "no graph");
        assertRefused("<html>not found</html>".getBytes(StandardCharsets.UTF_8), "no ONNX file");
        Graph quantized = bert();
        quantized.node("/encoder/layer.0/output/dense/MatMul_quant", "MatMulInteger", "x", "w");
        assertRefused(quantized.toBytes(), "quantized");
        Graph incomplete = new Graph();
        incomplete.tensor("embeddings.word_embeddings.weight", 11, HIDDEN);
        assertRefused(incomplete.toBytes(), "position_embeddings");
        Graph external = bert();
        external.graph.message(5, new Message().number(1, 1).number(2, 1).text(8, "w").number(14, 1));
        assertRefused(external.toBytes(), "another file");
        Graph wrongSize = bert();
        wrongSize.initializer("w", new float[3], 2, 2);
        assertRefused(wrongSize.toBytes(), "has 12 bytes, expected 16");
        Graph huge = bert();
        huge.graph.message(5, new Message().number(1, Long.MAX_VALUE).number(1, 8).number(2, 1).text(8, "w"));
        assertRefused(huge.toBytes(), "\"w\"");
    }

    private void assertRefused(byte[] file, String message) throws IOException {
        Path source = folder.resolve("bad.onnx");
        Files.write(source, file);
        Path target = folder.resolve("never");
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> convert(source, target))
                .withMessageContaining("bad.onnx").withMessageContaining(message);
        assertThat(target).doesNotExist();
    }

    /** Cut short anywhere, and with random bytes changed: an error of one sentence, or a model with other numbers. */
    @Test
    void damagedFilesNeverEndInAnythingButAnError() throws IOException {
        byte[] whole = bert().toBytes();
        Random random = new Random(5);
        List<byte[]> damaged = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            damaged.add(Arrays.copyOf(whole, random.nextInt(whole.length)));
            byte[] changed = whole.clone();
            for (int j = 0; j <= random.nextInt(6); j++) {
                changed[random.nextInt(i % 2 == 0 ? whole.length : 2000)] = (byte) random.nextInt();
            }
            damaged.add(changed);
        }
        Path source = folder.resolve("damaged.onnx");
        int refused = 0;
        for (int i = 0; i < damaged.size(); i++) {
            Files.write(source, damaged.get(i));
            Path target = folder.resolve("target" + i);
            try {
                convert(source, target);
            } catch (FormatException e) {
                assertThat(e.getMessage()).contains("damaged.onnx").doesNotContain("\n");
                assertThat(target).doesNotExist();
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(150);
        try (var left = Files.list(folder)) {
            assertThat(left.filter(path -> path.getFileName().toString().startsWith(".")).toList()).isEmpty();
        }
    }
}
