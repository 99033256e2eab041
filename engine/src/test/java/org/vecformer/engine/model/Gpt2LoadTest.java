package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.ModelFiles;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.TensorInfo;

/** Loading: broken checkpoints are refused in a sentence that tells what is wrong, whole ones are what they say. */
class Gpt2LoadTest {

    private static final TestModels.Shape SHAPE = TestModels.Shape.ODD;
    private static final String WEIGHTS = "model.safetensors";

    private static Engine engine;

    @TempDir
    private Path directory;

    @BeforeAll
    static void open() {
        engine = TestBackends.open(2);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static Gpt load(Path directory, LoadOptions options) throws IOException {
        return Gpt.load(engine, ModelFiles.of(directory), options);
    }

    private static Gpt load(Path directory) throws IOException {
        return load(directory, LoadOptions.defaults());
    }

    // ---- broken checkpoints

    @ParameterizedTest
    @ValueSource(strings = {"wte.weight", "h.0.ln_1.weight", "h.0.ln_1.bias", "h.1.attn.c_attn.weight",
        "h.1.attn.c_attn.bias", "h.0.attn.c_proj.weight", "h.1.mlp.c_fc.weight", "h.1.mlp.c_proj.bias",
        "ln_f.weight", "ln_f.bias"})
    void aMissingTensorIsNamed(String name) throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        rewrite(directory, tensors -> assertThat(tensors.remove(name)).isNotNull());
        assertRefused(directory, WEIGHTS, "has no tensor " + name, "config calls for");
    }

    @Test
    void aMissingOutputLayerIsNamedIfItIsNotTied() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        configure(directory, "\"n_inner\"", "\"tie_word_embeddings\": false, \"n_inner\"");
        assertRefused(directory, WEIGHTS, "has no tensor lm_head.weight", "config calls for");
        rewrite(directory, tensors -> tensors.put("lm_head.weight", zeros(DType.F32, SHAPE.vocabulary(), 31)));
        assertRefused(directory, WEIGHTS, "tensor lm_head.weight has shape [101, 31]", "expected [101, 30]");
        rewrite(directory,
                tensors -> tensors.put("lm_head.weight", zeros(DType.F32, SHAPE.vocabulary(), SHAPE.hidden())));
        try (Gpt model = load(directory)) {
            assertThat(logits(model, 5)).containsOnly(0);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"n_inner\": 37    | \"n_inner\": 38    | h.0.mlp.c_fc.weight | [30, 37]  | [30, 38]",
        "\"n_positions\": 70| \"n_positions\": 71| wpe.weight          | [70, 30]  | [71, 30]",
        "\"n_positions\": 70| \"n_positions\": 16777216 | wpe.weight   | [70, 30]  | [16777216, 30]",
        "\"n_embd\": 30     | \"n_embd\": 33     | wte.weight          | [101, 30] | [101, 33]",
        "\"n_embd\": 30     | \"n_embd\": 16777215 | wte.weight        | [101, 30] | [101, 16777215]",
        "\"vocab_size\": 101| \"vocab_size\": 100| wte.weight          | [101, 30] | [100, 30]",
        "\"vocab_size\": 101| \"vocab_size\": 2147483647 | wte.weight  | [101, 30] | [2147483647, 30]"})
    void aShapeThatTheConfigContradictsIsRefused(String old, String changed, String tensor, String found,
            String expected) throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        configure(directory, old, changed);
        assertRefused(directory, WEIGHTS, "tensor " + tensor, "shape " + found, "expected " + expected);
    }

    @Test
    void moreLayersThanTheFileHasAreRefused() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        configure(directory, "\"n_layer\": 2", "\"n_layer\": 3");
        assertRefused(directory, WEIGHTS, "has no tensor h.2.ln_1.weight");
        configure(directory, "\"n_layer\": 3", "\"n_layer\": 10000");
        assertRefused(directory, WEIGHTS, "has no tensor h.2.ln_1.weight");
    }

    @Test
    void headsThatDoNotDivideTheHiddenSizeAreRefused() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        configure(directory, "\"n_head\": 3", "\"n_head\": 4");
        assertRefused(directory, "config.json", "n_head", "4", "n_embd", "30");
    }

    @ParameterizedTest
    @CsvSource({"h.0.attn.c_attn.weight, I32", "h.0.attn.c_attn.bias, I32", "wte.weight, U32", "ln_f.bias, I32"})
    void integersAreNoWeights(String name, DType dtype) throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        rewrite(directory, tensors -> tensors.computeIfPresent(name, (_, t) -> new Data(dtype, t.shape, t.bytes)));
        assertRefused(directory, WEIGHTS, "tensor " + name, "type " + dtype, "expected F32, F16, BF16 or F64");
    }

    @Test
    void vectorsAndMatricesAreNotConfused() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        rewrite(directory, tensors -> tensors.computeIfPresent("ln_f.weight",
                (_, t) -> new Data(t.dtype, List.of(1L, 30L), t.bytes)));
        assertRefused(directory, WEIGHTS, "tensor ln_f.weight has shape [1, 30]", "expected [30]");
        TestModels.write(directory, SHAPE, 1, DType.F32);
        rewrite(directory, tensors -> tensors.computeIfPresent("h.0.mlp.c_fc.weight",
                (_, t) -> new Data(t.dtype, List.of(37L, 30L), t.bytes)));
        assertRefused(directory, WEIGHTS, "tensor h.0.mlp.c_fc.weight has shape [37, 30]", "expected [30, 37]");
    }

    @Test
    void anUnknownPrefixIsRefused() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        rewrite(directory, tensors -> prefix(tensors, "model."));
        assertRefused(directory, WEIGHTS, "has no tensor wpe.weight", "transformer.");
    }

    @Test
    void anEmptyCheckpointIsRefused() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        rewrite(directory, Map::clear);
        assertRefused(directory, "has no tensor wpe.weight");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 100, 10_000, Long.MAX_VALUE})
    void aTruncatedFileIsRefused(long missing) throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        try (FileChannel file = FileChannel.open(directory.resolve(WEIGHTS), StandardOpenOption.WRITE)) {
            file.truncate(Math.max(0, file.size() - missing));
        }
        assertRefused(directory, WEIGHTS);
    }

    private static void assertRefused(Path directory, String... parts) {
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> load(directory).close())
                .satisfies(e -> assertThat(e.getMessage()).contains(parts).doesNotContain("\n"));
    }

    @Test
    void anEngineThatMetBrokenFilesStillWorks() throws IOException {
        Path broken = directory.resolve("broken");
        TestModels.write(broken, SHAPE, 1, DType.F32);
        rewrite(broken, tensors -> tensors.remove("ln_f.bias"));
        Path whole = TestModels.write(directory.resolve("whole"), SHAPE, 1, DType.F32);
        float[] expected;
        try (Gpt model = load(whole)) {
            expected = logits(model, 5);
        }
        for (int i = 0; i < 50; i++) {
            assertRefused(broken, "ln_f.bias");
        }
        try (Gpt model = load(whole)) {
            assertThat(logits(model, 5)).isEqualTo(expected);
        }
    }

    /** By the process's address space: what is leaked here would be many times what else may grow meanwhile. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void whatWasReadOfABrokenModelIsFreed() throws IOException {
        TestModels.write(directory, new TestModels.Shape(20_000, 70, 128, 1, 2, 37), 1, DType.F32);
        rewrite(directory, tensors -> tensors.remove("ln_f.bias"));
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        for (int i = 0; i < 5; i++) {
            assertRefused(directory, "ln_f.bias");
        }
        long before = system.getCommittedVirtualMemorySize();
        int loads = 40;
        for (int i = 0; i < loads; i++) {
            assertRefused(directory, "ln_f.bias");
        }
        long weights = 20_000L * 128 * Float.BYTES;
        assertThat(system.getCommittedVirtualMemorySize() - before).isLessThan(loads * weights / 2);
    }

    // ---- whole checkpoints

    @Test
    void parametersAndBytesAreCounted() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        // 101 x 30 + 70 x 30 embeddings; a block has 2 norms of 2 x 30 and 30 x 90 + 90, 30 x 30 + 30, 30 x 37 + 37 and
        // 37 x 30 + 30; the last norm 2 x 30.
        long block = 120 + 2790 + 930 + 1147 + 1140;
        long parameters = 3030 + 2100 + 2 * block + 60;
        // In panels of 32 columns; an embedding's columns are its rows.
        long matrices = 30 * 128 + 30 * 96 + 2 * (30 * 96 + 30 * 32 + 30 * 64 + 37 * 32);
        long vectors = 2 * (4 * 32 + 96 + 32 + 64 + 32) + 2 * 32;
        try (Gpt model = load(directory)) {
            assertThat(model.parameters()).isEqualTo(parameters);
            assertThat(model.weightBytes()).isEqualTo(4 * (matrices + vectors));
            assertThat(model.weights()).isEqualTo(WeightType.F32);
        }
        try (Gpt model = load(directory, LoadOptions.defaults().withWeights(WeightType.BF16))) {
            assertThat(model.parameters()).isEqualTo(parameters);
            assertThat(model.weightBytes()).isEqualTo(2 * matrices + 4 * vectors);
            assertThat(model.weights()).isEqualTo(WeightType.BF16);
        }
        rewrite(directory, tensors -> tensors.put("lm_head.weight", zeros(DType.F32, 101, 30)));
        try (Gpt model = load(directory)) {
            assertThat(model.parameters()).as("a tied output layer counts once").isEqualTo(parameters);
        }
        configure(directory, "\"n_inner\"", "\"tie_word_embeddings\": false, \"n_inner\"");
        try (Gpt model = load(directory)) {
            assertThat(model.parameters()).isEqualTo(parameters + 3030);
        }
    }

    @Test
    void prefixesAndBuffersMakeNoDifference() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        float[] expected;
        try (Gpt model = load(directory)) {
            expected = logits(model, 40);
        }
        rewrite(directory, tensors -> {
            prefix(tensors, "transformer.");
            tensors.put("transformer.h.0.attn.bias", zeros(DType.BOOL, 1, 1, 70, 70));
            tensors.put("transformer.h.0.attn.masked_bias", zeros(DType.F32));
            tensors.put("something.else", zeros(DType.I64, 3));
        });
        try (Gpt model = load(directory)) {
            assertThat(logits(model, 40)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"BF16", "F16"})
    void convertingWhileLoadingIsConvertingTheFile(WeightType type) throws IOException {
        Path wide = TestModels.write(directory.resolve("wide"), TestModels.Shape.EVEN, 1, DType.F32);
        Path narrow = TestModels.write(directory.resolve("narrow"), TestModels.Shape.EVEN, 1, DType.F32);
        // Only matrices are kept narrow.
        rewrite(narrow, tensors -> tensors
                .replaceAll((_, t) -> t.shape.size() == 2 ? narrowed(t, DType.valueOf(type.name())) : t));
        float[] expected;
        try (Gpt model = load(narrow)) {
            assertThat(model.weights()).isEqualTo(type);
            expected = logits(model, 40);
        }
        try (Gpt model = load(wide, LoadOptions.defaults().withWeights(type))) {
            assertThat(model.weights()).isEqualTo(type);
            assertThat(logits(model, 40)).isEqualTo(expected);
        }
        try (Gpt model = load(narrow, LoadOptions.defaults().withWeights(WeightType.F32))) {
            assertThat(model.weights()).isEqualTo(WeightType.F32);
            assertThat(logits(model, 40)).as("widened in memory or on the way to the sum").isEqualTo(expected);
        }
        try (Gpt model = load(wide)) {
            assertThat(logits(model, 40)).isNotEqualTo(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"BF16", "F16"})
    void aNarrowFileIsTheSameWideInMemory(DType dtype) throws IOException {
        TestModels.write(directory, SHAPE, 1, dtype);
        try (Gpt model = load(directory);
                Gpt wide = load(directory, LoadOptions.defaults().withWeights(WeightType.F32))) {
            assertThat(model.weights()).isEqualTo(WeightType.valueOf(dtype.name()));
            assertThat(wide.weights()).isEqualTo(WeightType.F32);
            assertThat(logits(model, 40)).isEqualTo(logits(wide, 40));
        }
    }

    @Test
    void doublesAreRoundedToFloats() throws IOException {
        Path single = TestModels.write(directory.resolve("single"), SHAPE, 1, DType.F32);
        Path twice = TestModels.write(directory.resolve("double"), SHAPE, 1, DType.F64);
        try (Gpt expected = load(single); Gpt model = load(twice)) {
            assertThat(model.weights()).isEqualTo(WeightType.F32);
            assertThat(model.parameters()).isEqualTo(expected.parameters());
            assertThat(logits(model, 40)).isEqualTo(logits(expected, 40));
        }
    }

    @Test
    void progressGoesUpToAllThatIsRead() throws IOException {
        // Large enough for several windows of two megabytes.
        TestModels.write(directory, new TestModels.Shape(12_000, 70, 128, 1, 2, 37), 1, DType.F32);
        long all;
        try (Safetensors file = Safetensors.open(directory.resolve(WEIGHTS))) {
            all = file.tensors().stream().mapToLong(TensorInfo::byteSize).sum();
        }
        for (int threads : new int[]{1, 3}) {
            List<Long> told = Collections.synchronizedList(new ArrayList<>());
            LoadProgress progress = (bytes, total) -> {
                assertThat(total).isEqualTo(all);
                told.add(bytes);
            };
            try (Engine other = TestBackends.open(threads);
                    Gpt model = Gpt.load(other, ModelFiles.of(directory),
                            LoadOptions.defaults().withProgress(progress))) {
                assertThat(model.parameters() * Float.BYTES).isEqualTo(all);
            }
            if (threads == 1) {
                assertThat(told).isSorted();
            }
            assertThat(told).doesNotHaveDuplicates().contains(all);
            told.sort(null);
            assertThat(told.getLast()).isEqualTo(all);
            assertThat(told).as("16 tensors, one of them in 3 windows").hasSize(16 + 2);
        }
    }

    @Test
    void whatProgressThrowsEndsTheLoading() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        RuntimeException mine = new IllegalArgumentException("enough");
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> load(directory, LoadOptions.defaults().withProgress((bytes, total) -> {
                    if (bytes > total / 2) {
                        throw mine;
                    }
                })).close()).isSameAs(mine);
    }

    // ---- life

    @Test
    void aClosedModelSaysSo() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        Gpt model = load(directory);
        Session session = model.openSession(SessionOptions.defaults());
        Sequence sequence = session.newSequence();
        session.feed(sequence, new int[]{1, 2}, 0, 2);
        model.close();
        model.close();
        assertThatIllegalStateException().isThrownBy(() -> model.openSession(SessionOptions.defaults()).close())
                .withMessageContaining("the model is closed");
        assertThatIllegalStateException().isThrownBy(() -> session.feed(sequence, new int[]{3}, 0, 1))
                .withMessageContaining("the model is closed");
        assertThatIllegalStateException().isThrownBy(session::newSequence).withMessageContaining("the model is closed");
        session.close();
        session.close();
    }

    @Test
    void aClosedSessionSaysSo() throws IOException {
        TestModels.write(directory, SHAPE, 1, DType.F32);
        try (Gpt model = load(directory)) {
            Session session = model.openSession(SessionOptions.defaults());
            Sequence sequence = session.newSequence();
            session.close();
            session.close();
            assertThatIllegalStateException().isThrownBy(() -> session.feed(sequence, new int[]{3}, 0, 1))
                    .withMessageContaining("the session is closed");
            assertThatIllegalStateException().isThrownBy(session::newSequence)
                    .withMessageContaining("the session is closed");
            assertThatIllegalStateException().isThrownBy(() -> session.step(session.batch()))
                    .withMessageContaining("the session is closed");
            assertThat(logits(model, 5)).isNotEmpty();
        }
    }

    // ---- helpers

    /** A tensor of a file. */
    private record Data(DType dtype, List<Long> shape, byte[] bytes) {}

    private interface Change {
        void apply(Map<String, Data> tensors);
    }

    private static Data zeros(DType dtype, long... shape) {
        long count = 1;
        List<Long> dimensions = new ArrayList<>();
        for (long dimension : shape) {
            count *= dimension;
            dimensions.add(dimension);
        }
        return new Data(dtype, dimensions, new byte[Math.toIntExact(count * dtype.bits() / 8)]);
    }

    private static void prefix(Map<String, Data> tensors, String prefix) {
        Map<String, Data> renamed = new LinkedHashMap<>();
        tensors.forEach((name, data) -> renamed.put(prefix + name, data));
        tensors.clear();
        tensors.putAll(renamed);
    }

    /** Float32 to 16 bits, to the nearest, ties to even. */
    private static Data narrowed(Data wide, DType dtype) {
        MemorySegment from = MemorySegment.ofArray(wide.bytes);
        byte[] bytes = new byte[wide.bytes.length / 2];
        MemorySegment to = MemorySegment.ofArray(bytes);
        for (long i = 0; i < bytes.length / 2; i++) {
            float value = from.get(ValueLayout.JAVA_FLOAT_UNALIGNED, i * Float.BYTES);
            to.set(ValueLayout.JAVA_SHORT_UNALIGNED, i * Short.BYTES,
                    dtype == DType.F16 ? Float.floatToFloat16(value) : nearestBfloat(value));
        }
        return new Data(dtype, wide.shape, bytes);
    }

    /** By comparing the distances of both neighbours, exactly, in double. */
    private static short nearestBfloat(float value) {
        int below = Float.floatToRawIntBits(value) >>> 16;
        double down = Math.abs((double) value - Float.intBitsToFloat(below << 16));
        double up = Math.abs((double) value - Float.intBitsToFloat(below + 1 << 16));
        return (short) (up < down || up == down && (below & 1) == 1 ? below + 1 : below);
    }

    private static void configure(Path directory, String old, String changed) throws IOException {
        Path config = directory.resolve("config.json");
        String text = Files.readString(config);
        assertThat(text).contains(old);
        Files.writeString(config, text.replace(old, changed));
    }

    private static void rewrite(Path directory, Change change) throws IOException {
        Path path = directory.resolve(WEIGHTS);
        Map<String, Data> tensors = new LinkedHashMap<>();
        try (Safetensors file = Safetensors.open(path); Arena arena = Arena.ofConfined()) {
            for (TensorInfo tensor : file.tensors()) {
                MemorySegment data = arena.allocate(tensor.byteSize(), 8);
                file.read(tensor, 0, data);
                tensors.put(tensor.name(),
                        new Data(tensor.dtype(), tensor.shape(), data.toArray(ValueLayout.JAVA_BYTE)));
            }
        }
        change.apply(tensors);
        List<SafetensorsWriter.Declaration> declarations = tensors.entrySet().stream()
                .map(e -> new SafetensorsWriter.Declaration(e.getKey(), e.getValue().dtype, e.getValue().shape))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(path, declarations, Map.of())) {
            for (Data data : tensors.values()) {
                writer.append(MemorySegment.ofArray(data.bytes));
            }
            writer.finish();
        }
    }

    /** The logits of all positions of a text of so many tokens, end to end. */
    private static float[] logits(Gpt model, int length) {
        int[] ids = new Random(9).ints(length, 0, model.config().vocabularySize()).toArray();
        try (Session session = model.openSession(SessionOptions.defaults())) {
            session.batch().add(session.newSequence(), ids, 0, length, Logits.ALL);
            session.step(session.batch());
            float[] all = new float[length * model.outputs()];
            float[] row = new float[model.outputs()];
            for (int i = 0; i < length; i++) {
                session.logits(i, row);
                System.arraycopy(row, 0, all, i * row.length, row.length);
            }
            return all;
        }
    }
}
