package org.vecformer.loader.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.Quantization;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;
import org.vecformer.loader.convert.Conversions.Loaded;

/** Conversions that quantize. (That a model computes with such a file's numbers is tested in the engine.) */
class QuantizedConversionTest {

    @TempDir
    Path folder;

    private static ConversionOptions to(Quantization quantization) {
        return ConversionOptions.defaults().withQuantization(quantization);
    }

    private final Map<String, float[]> values = new LinkedHashMap<>();

    /** Some tensors of a GPT-2, of which these are matrices: wte, c_attn; c_fc has 48 inputs. */
    private Path source(float first) throws IOException {
        Path directory = Files.createDirectories(folder.resolve("source"));
        Files.writeString(directory.resolve("config.json"), "{\"model_type\": \"gpt2\"}");
        List<Declaration> tensors = List.of(Declaration.f32("wte.weight", 5, 64), Declaration.f32("wpe.weight", 4, 64),
                Declaration.f32("h.10.attn.c_attn.weight", 64, 3), Declaration.f32("h.10.attn.c_attn.bias", 64),
                Declaration.f32("h.10.mlp.c_fc.weight", 48, 2), Declaration.f32("h.10.attn.bias", 32, 32));
        Random random = new Random(1);
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve("model.safetensors"), tensors,
                Map.of())) {
            for (Declaration tensor : tensors) {
                float[] numbers = new float[(int) tensor.byteSize() / Float.BYTES];
                for (int i = 0; i < numbers.length; i++) {
                    numbers[i] = (float) random.nextGaussian();
                }
                numbers[0] = tensor.name().equals("wte.weight") ? first : numbers[0];
                values.put(tensor.name(), numbers);
                writer.append(numbers);
            }
            writer.finish();
        }
        return directory;
    }

    private static Map<String, String> metadata(Path directory) throws IOException {
        try (Safetensors file = Safetensors.open(directory.resolve("model.safetensors"))) {
            return file.metadata();
        }
    }

    @ParameterizedTest
    @EnumSource(Quantization.class)
    void matricesBecomeIntegersAndScalesAndTheRestStays(Quantization quantization) throws IOException {
        Path target = folder.resolve("target");
        ConversionResult result = Conversions.convert(source(0.5f), target, to(quantization));
        assertThat(result.warnings()).isEmpty();
        assertThat(result.elements()).isEqualTo(values.values().stream().mapToLong(v -> v.length).sum());
        assertThat(metadata(target)).containsOnly(Map.entry("format", "vecformer"),
                Map.entry("vecformer.quantization", quantization.toString()), Map.entry("vecformer.block", "32"));
        Map<String, Loaded> tensors = Conversions.tensors(target.resolve("model.safetensors"));
        assertThat(tensors.keySet()).containsExactly("wte.weight", "wte.weight.scales", "wpe.weight",
                "h.10.attn.c_attn.weight", "h.10.attn.c_attn.weight.scales", "h.10.attn.c_attn.bias",
                "h.10.mlp.c_fc.weight", "h.10.attn.bias");
        int perByte = quantization == Quantization.INT8 ? 1 : 2;
        assertThat(tensors.get("wte.weight").dtype()).isEqualTo(quantization.dtype());
        assertThat(tensors.get("wte.weight").shape()).containsExactly(5L, 64L / perByte);
        assertThat(tensors.get("wte.weight.scales").dtype()).isEqualTo(DType.BF16);
        assertThat(tensors.get("wte.weight.scales").shape()).containsExactly(5L, 2L);
        assertThat(tensors.get("h.10.attn.c_attn.weight").shape()).containsExactly(64L / perByte, 3L);
        assertThat(tensors.get("h.10.attn.c_attn.weight.scales").shape()).containsExactly(2L, 3L);
        for (String name : List.of("wpe.weight", "h.10.attn.c_attn.bias", "h.10.mlp.c_fc.weight", "h.10.attn.bias")) {
            assertThat(tensors.get(name).dtype()).isEqualTo(DType.F32);
            assertThat(tensors.get(name).floats()).as(name).isEqualTo(values.get(name));
        }
        for (int n = 0; n < 5; n++) {
            for (int k = 0; k < 64; k++) {
                int at = n * 64 + k;
                assertNear(tensors.get("wte.weight"), perByte, at / perByte, k,
                        tensors.get("wte.weight.scales").shorts()[n * 2 + k / 32], values.get("wte.weight")[at]);
            }
        }
        for (int k = 0; k < 64; k++) {
            for (int n = 0; n < 3; n++) {
                assertNear(tensors.get("h.10.attn.c_attn.weight"), perByte, k / perByte * 3 + n, k,
                        tensors.get("h.10.attn.c_attn.weight.scales").shorts()[k / 32 * 3 + n],
                        values.get("h.10.attn.c_attn.weight")[k * 3 + n]);
            }
        }
    }

    private static void assertNear(Loaded integers, int perByte, int at, int k, short scaleBits, float number) {
        int held = integers.bytes()[at];
        int q = perByte == 1 ? held : (k % 2 == 0 ? held & 15 : held >> 4 & 15) - 8;
        float scale = Float.intBitsToFloat(scaleBits << 16);
        assertThat(Math.abs(scale * q - number)).isLessThanOrEqualTo(Math.abs(scale) * (perByte == 1 ? 0.501f : 1.05f));
    }

    @Test
    void aMatrixThatCannotBeQuantizedIsKeptWithAWarning() throws IOException {
        for (float hostile : new float[]{Float.NaN, Float.NEGATIVE_INFINITY, 0x1p100f}) {
            Path target = folder.resolve("target" + hostile);
            ConversionResult result = Conversions.convert(source(hostile), target, to(Quantization.INT8));
            assertThat(result.warnings()).singleElement().asString().contains("not quantized", "2^100", "wte.weight")
                    .doesNotContain("c_attn");
            Map<String, Loaded> tensors = Conversions.tensors(target.resolve("model.safetensors"));
            assertThat(tensors.get("wte.weight").floats()).isEqualTo(values.get("wte.weight"));
            assertThat(tensors.get("h.10.attn.c_attn.weight").dtype()).isEqualTo(DType.I8);
            assertThat(tensors).doesNotContainKey("wte.weight.scales");
        }
    }

    /** TensorFlow's kernels are turned round before they are quantized: the same as from safetensors. */
    @ParameterizedTest
    @EnumSource(Quantization.class)
    void aTensorFlowCheckpointGivesTheSame(Quantization quantization) throws IOException {
        Path google = folder.resolve("google");
        TinyCheckpoints.google(google);
        Conversions.convert(google, folder.resolve("exact"));
        Conversions.convert(folder.resolve("exact"), folder.resolve("twice"), to(quantization));
        Conversions.convert(google, folder.resolve("once"), to(quantization));
        Map<String, Loaded> once = Conversions.tensors(folder.resolve("once/model.safetensors"));
        Map<String, Loaded> twice = Conversions.tensors(folder.resolve("twice/model.safetensors"));
        assertThat(once.keySet()).isEqualTo(twice.keySet()).contains("bert.embeddings.word_embeddings.weight.scales",
                "bert.encoder.layer.1.output.dense.weight.scales", "cls.predictions.transform.dense.weight.scales",
                "cls.seq_relationship.weight.scales", "bert.pooler.dense.weight.scales").doesNotContain(
                        "bert.embeddings.position_embeddings.weight.scales",
                        "bert.embeddings.token_type_embeddings.weight.scales");
        once.forEach((name, tensor) -> assertThat(tensor.bytes()).as(name).isEqualTo(twice.get(name).bytes()));
    }

    @ParameterizedTest
    @EnumSource(Quantization.class)
    void whatIsQuantizedIsOnlyCopied(Quantization quantization) throws IOException {
        Path first = folder.resolve("first");
        Conversions.convert(source(0.5f), first, to(quantization));
        byte[] file = Files.readAllBytes(first.resolve("model.safetensors"));
        for (ConversionOptions same : List.of(ConversionOptions.defaults(), to(quantization))) {
            Path copy = folder.resolve("copy" + same.quantization().isPresent());
            assertThat(Conversions.convert(first, copy, same).warnings()).isEmpty();
            assertThat(metadata(copy)).isEqualTo(metadata(first));
            assertThat(Files.size(copy.resolve("model.safetensors"))).isEqualTo(file.length);
            Map<String, Loaded> copied = Conversions.tensors(copy.resolve("model.safetensors"));
            Conversions.tensors(first.resolve("model.safetensors"))
                    .forEach((name, tensor) -> assertThat(copied.get(name).bytes()).isEqualTo(tensor.bytes()));
        }
        List<ConversionOptions> others = new ArrayList<>(List.of(ConversionOptions.defaults().withDtype(DType.F32)));
        others.add(to(quantization == Quantization.INT8 ? Quantization.INT4 : Quantization.INT8));
        for (ConversionOptions other : others) {
            assertThatExceptionOfType(FormatException.class)
                    .isThrownBy(() -> Conversions.convert(first, folder.resolve("other"), other))
                    .withMessageContainingAll("model.safetensors", "quantized already (" + quantization + ")",
                            "made of");
            assertThat(folder.resolve("other")).doesNotExist();
        }
    }

    @Test
    void metadataOfAnUnknownQuantizationAreRefused() throws IOException {
        Path directory = source(1);
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve("model.safetensors"),
                List.of(Declaration.f32("wte.weight", 1)), Map.of("vecformer.quantization", "int2"))) {
            writer.append(new float[1]);
            writer.finish();
        }
        assertThatExceptionOfType(FormatException.class)
                .isThrownBy(() -> Conversions.convert(directory, folder.resolve("target")))
                .withMessageContainingAll("vecformer.quantization", "\"int2\"", "int8 or int4");
    }

    @Test
    void aTypeAndAQuantizationExcludeEachOther() {
        assertThat(to(Quantization.INT8).withDtype(DType.F16).quantization()).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> new ConversionOptions(
                java.util.Optional.of(DType.F16), java.util.Optional.of(Quantization.INT8),
                java.util.Optional.empty()));
    }
}
