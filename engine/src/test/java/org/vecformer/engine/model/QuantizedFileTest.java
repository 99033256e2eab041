package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.QuantizedModels;
import org.vecformer.engine.QuantizedModels.Contents;
import org.vecformer.engine.QuantizedModels.Data;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestBerts;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.MatrixPacker.Order;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.Quantization;

/** Files with quantized matrices: the same in memory as what is quantized while it is loaded, or refused. */
class QuantizedFileTest {

    private static final String MATRIX = "h.1.mlp.c_fc.weight";
    private static final String SCALES = MATRIX + ".scales";

    private static Engine engine;

    @TempDir
    private Path folder;

    @BeforeAll
    static void open() {
        engine = TestBackends.open(2);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private Path source() throws IOException {
        return TestModels.write(folder.resolve("source"), TestModels.Shape.EVEN, 1, DType.F32);
    }

    private Path quantized(Quantization quantization) throws IOException {
        return QuantizedModels.convert(source(), folder.resolve("quantized"), quantization);
    }

    private static void change(Path directory, Consumer<Contents> change) throws IOException {
        Contents contents = QuantizedModels.read(directory);
        change.accept(contents);
        QuantizedModels.write(directory, contents);
    }

    private static void assertRefused(Path directory, String... parts) {
        for (WeightType type : new WeightType[]{null, WeightType.F32, WeightType.INT8, WeightType.INT4}) {
            assertThatExceptionOfType(FormatException.class)
                    .isThrownBy(() -> Gpt
                            .load(engine, ModelFiles.of(directory), LoadOptions.defaults().withWeights(type)).close())
                    .satisfies(e -> assertThat(e.getMessage()).contains(parts).doesNotContain("\n"));
        }
    }

    private interface Taking {
        WeightMatrix take(Weights weights) throws IOException;
    }

    private static byte[] packed(Path directory, List<String> prefixes, String probe, WeightType type, Taking taking)
            throws IOException {
        try (WeightMemory memory = engine.compute().openWeights();
                Checkpoint checkpoint = Checkpoint.open(ModelFiles.of(directory));
                Weights weights = new Weights(engine.compute(), checkpoint, memory,
                        LoadOptions.defaults().withWeights(type), prefixes, probe)) {
            PackedMatrix matrix = (PackedMatrix) taking.take(weights);
            assertThat(matrix.type()).isEqualTo(type);
            return matrix.data().toArray(ValueLayout.JAVA_BYTE);
        }
    }

    @ParameterizedTest
    @EnumSource(Quantization.class)
    void aConvertedMatrixIsTheSameInMemory(Quantization quantization) throws IOException {
        WeightType type = WeightType.valueOf(quantization.name());
        List<Taking> matrices = List.of(w -> w.matrix("wte.weight", Order.OUTPUTS_FIRST, 128, 257),
                w -> w.matrix("h.0.attn.c_attn.weight", Order.INPUTS_FIRST, 128, 384),
                w -> w.matrix("h.1.mlp.c_proj.weight", Order.INPUTS_FIRST, 512, 128));
        Path source = source();
        Path converted = QuantizedModels.convert(source, folder.resolve("converted"), quantization);
        for (Taking matrix : matrices) {
            assertThat(packed(converted, List.of(""), "wte.weight", type, matrix))
                    .isEqualTo(packed(source, List.of(""), "wte.weight", type, matrix));
        }
        Path bert = TestBerts.write(folder.resolve("bert"), TestBerts.Shape.EVEN, "BertForMaskedLM", 0, 1, DType.BF16);
        Path convertedBert = QuantizedModels.convert(bert, folder.resolve("converted-bert"), quantization);
        String name = "encoder.layer.1.attention.self.";
        Taking sideBySide = w -> w.sideBySide(List.of(name + "query", name + "key", name + "value"), 128, 128).weight();
        String probe = "embeddings.word_embeddings.weight";
        assertThat(packed(convertedBert, List.of("bert.", ""), probe, type, sideBySide))
                .isEqualTo(packed(bert, List.of("bert.", ""), probe, type, sideBySide));
    }

    /** What is looked up and never multiplied stays as the file has it, the tied embeddings are quantized. */
    @ParameterizedTest
    @EnumSource(Quantization.class)
    void memoryAndParametersAreCounted(Quantization quantization) throws IOException {
        WeightType type = WeightType.valueOf(quantization.name());
        TestModels.Shape s = TestModels.Shape.EVEN;
        long h = s.hidden();
        long matrices = PackedMatrix.byteSize(type, s.hidden(), s.vocabulary());
        for (int i = 0; i < s.layers(); i++) {
            matrices += PackedMatrix.byteSize(type, s.hidden(), 3 * s.hidden())
                    + PackedMatrix.byteSize(type, s.hidden(), s.hidden())
                    + PackedMatrix.byteSize(type, s.hidden(), s.inner())
                    + PackedMatrix.byteSize(type, s.inner(), s.hidden());
        }
        long positions = PackedMatrix.byteSize(WeightType.F32, s.hidden(), s.context());
        long vectors = Float.BYTES * (s.layers() * (4 * h + 3 * h + h + s.inner() + h) + 2 * h);
        Path source = source();
        long parameters;
        try (Gpt model = Gpt.load(engine, ModelFiles.of(source), LoadOptions.defaults())) {
            parameters = model.parameters();
        }
        Path converted = QuantizedModels.convert(source, folder.resolve("converted"), quantization);
        for (Path directory : List.of(source, converted)) {
            try (Gpt model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults().withWeights(type))) {
                assertThat(model.weights()).isEqualTo(type);
                assertThat(model.parameters()).isEqualTo(parameters);
                assertThat(model.weightBytes()).isEqualTo(matrices + positions + vectors);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Quantization.class)
    void missingOrWrongScalesAreRefused(Quantization quantization) throws IOException {
        Path directory = quantized(quantization);
        change(directory, c -> assertThat(c.tensors().remove(SCALES)).isNotNull());
        assertRefused(directory, "model.safetensors", "no tensor \"" + SCALES + '"', "scales");
        change(directory, c -> c.tensors().put(SCALES, new Data(DType.BF16, List.of(4L, 511L), new byte[4 * 511 * 2])));
        assertRefused(directory, SCALES, "BF16 [4, 511]", "expected BF16 [4, 512]");
        change(directory, c -> c.tensors().put(SCALES, new Data(DType.BF16, List.of(512L, 4L), new byte[4 * 512 * 2])));
        assertRefused(directory, SCALES, "BF16 [512, 4]", "expected BF16 [4, 512]");
        change(directory, c -> c.tensors().put(SCALES, new Data(DType.F16, List.of(4L, 512L), new byte[4 * 512 * 2])));
        assertRefused(directory, SCALES, "F16 [4, 512]", "expected BF16 [4, 512]");
    }

    @ParameterizedTest
    @CsvSource({"7F80, Infinity", "FF80, -Infinity", "7FC0, NaN", "7180, 1.2676506E30", "F180, -1.2676506E30"})
    void scalesThatAreNoneAreRefused(String bits, String shown) throws IOException {
        for (Quantization quantization : Quantization.values()) {
            Path directory = QuantizedModels.convert(source(), folder.resolve(quantization.toString()), quantization);
            change(directory, c -> MemorySegment.ofArray(c.tensors().get(SCALES).bytes())
                    .setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, 3 * 512 + 511, (short) Integer.parseInt(bits, 16)));
            assertRefused(directory, "model.safetensors", MATRIX, "scale " + shown, "2^100");
        }
    }

    @Test
    void anIntegerThatInt8DoesNotHaveIsRefused() throws IOException {
        Path directory = quantized(Quantization.INT8);
        change(directory, c -> c.tensors().get(MATRIX).bytes()[100] = -128);
        assertRefused(directory, MATRIX, "integer -128", "-127 to 127");
    }

    @ParameterizedTest
    @EnumSource(Quantization.class)
    void aMatrixOfAnotherShapeOrTypeIsRefused(Quantization quantization) throws IOException {
        Path directory = quantized(quantization);
        boolean bytes = quantization == Quantization.INT8;
        String expected = bytes ? "expected I8 [128, 512]" : "expected U8 [64, 512]";
        change(directory, c -> c.tensors().put(MATRIX,
                new Data(quantization.dtype(), List.of(100L, 512L), new byte[100 * 512])));
        assertRefused(directory, MATRIX, "[100, 512]", expected);
        DType other = bytes ? DType.U8 : DType.I8;
        change(directory, c -> c.tensors().put(MATRIX,
                new Data(other, List.of(bytes ? 128L : 64L, 512L), new byte[(bytes ? 128 : 64) * 512])));
        assertRefused(directory, MATRIX, other + " [", expected);
        change(directory, c -> c.tensors().put(MATRIX, new Data(DType.I32, List.of(128L, 512L), new byte[128 * 2048])));
        assertRefused(directory, MATRIX, "I32 [128, 512]", expected);
    }

    @Test
    void wrongMetadataAreRefused() throws IOException {
        Path directory = quantized(Quantization.INT8);
        change(directory, c -> c.metadata().put("vecformer.quantization", "int3"));
        assertRefused(directory, "model.safetensors", "vecformer.quantization", "\"int3\"", "int8 or int4");
        change(directory, c -> c.metadata().put("vecformer.quantization", "int4"));
        assertRefused(directory, "wte.weight", "I8 [257, 128]", "expected U8 [257, 64]");
        change(directory, c -> c.metadata().putAll(Map.of("vecformer.quantization", "int8", "vecformer.block", "64")));
        assertRefused(directory, "vecformer.block", "\"64\"", "\"32\"");
        change(directory, c -> c.metadata().remove("vecformer.block"));
        assertRefused(directory, "vecformer.block", "missing", "\"32\"");
        change(directory, c -> c.metadata().clear());
        assertRefused(directory, "wte.weight", "I8", "expected F32, F16, BF16 or F64");
    }

    /** Vectors and position tables are never quantized. */
    @Test
    void otherTensorsAreRefusedAsIntegers() throws IOException {
        Path directory = quantized(Quantization.INT8);
        change(directory,
                c -> c.tensors().put("wpe.weight", new Data(DType.I8, List.of(96L, 128L), new byte[96 * 128])));
        assertRefused(directory, "wpe.weight", "I8", "expected F32, F16, BF16 or F64");
        change(directory,
                c -> c.tensors().put("wpe.weight", new Data(DType.F32, List.of(96L, 128L), new byte[96 * 512])));
        change(directory, c -> c.tensors().put("ln_f.bias", new Data(DType.I8, List.of(128L), new byte[128])));
        assertRefused(directory, "ln_f.bias", "I8", "expected F32, F16, BF16 or F64");
    }
}
