package org.vecformer.loader.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.convert.Conversions.Loaded;

/**
 * What torch.save wrote becomes safetensors, number by number. The files were made by torch itself:
 * make_fixtures.py in the same folder of the test resources.
 */
class TorchConversionTest {
    @TempDir
    Path folder;

    private Path source;
    private Path target;

    @BeforeEach
    void folders() throws IOException {
        source = Files.createDirectories(folder.resolve("source"));
        target = folder.resolve("target");
    }

    private static byte[] resource(String name) {
        try (InputStream in = TorchConversionTest.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void put(String name, byte[] bytes) throws IOException {
        Files.createDirectories(source.resolve(name).getParent());
        Files.write(source.resolve(name), bytes);
    }

    private void putConfig() throws IOException {
        put("config.json", "{\"model_type\": \"gpt2\", \"architectures\": [\"GPT2LMHeadModel\"]}".getBytes(
                StandardCharsets.UTF_8));
    }

    private Map<String, Loaded> weights() throws IOException {
        return Conversions.tensors(target.resolve("model.safetensors"));
    }

    private void refused(String... words) {
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Conversions.convert(source, target))
                .satisfies(e -> assertThat(e.getMessage()).contains(words).doesNotContain("\n"));
        assertThat(folder.toFile().list()).containsExactly("source");
    }

    @ParameterizedTest
    @ValueSource(strings = {"views.bin", "views-legacy.bin", "views-protocol4.bin", "views-big-endian.bin"})
    void everyKindOfTensorInEveryFormat(String file) throws IOException {
        put("pytorch_model.bin", resource(file));
        putConfig();
        ConversionResult result = Conversions.convert(source, target);
        Path expectedFile = Files.write(folder.resolve("expected.safetensors"), resource("views.safetensors"));
        Map<String, Loaded> expected = new LinkedHashMap<>(Conversions.tensors(expectedFile));
        // One storage, two names, and a model that ties them.
        assertThat(expected.remove("lm_head.weight").bytes()).isEqualTo(expected.get("embeddings.weight").bytes());
        Map<String, Loaded> weights = weights();
        assertThat(weights.keySet()).isEqualTo(expected.keySet());
        expected.forEach((name, tensor) -> {
            assertThat(weights.get(name).dtype()).as(name).isEqualTo(tensor.dtype());
            assertThat(weights.get(name).shape()).as(name).isEqualTo(tensor.shape());
            assertThat(weights.get(name).bytes()).as(name).isEqualTo(tensor.bytes());
        });
        assertThat(result.format()).isEqualTo("PyTorch checkpoint");
        assertThat(result.architecture()).isEqualTo("GPT2LMHeadModel");
        assertThat(result.notes()).singleElement().asString().contains("lm_head.weight");
        assertThat(target.resolve("config.json")).hasSameBinaryContentAs(source.resolve("config.json"));
    }

    @Test
    void aModelThatIsNotTiedKeepsBothNames() throws IOException {
        put("pytorch_model.bin", resource("views.bin"));
        put("config.json", "{\"tie_word_embeddings\": false}".getBytes(StandardCharsets.UTF_8));
        Conversions.convert(source, target);
        assertThat(weights().get("lm_head.weight").bytes()).isEqualTo(weights().get("embeddings.weight").bytes());
    }

    @Test
    void shards() throws IOException {
        for (String name : List.of("config.json", "pytorch_model.bin.index.json", "pytorch_model-00001-of-00002.bin",
                "pytorch_model-00002-of-00002.bin")) {
            put(name, resource("sharded/" + name));
        }
        Conversions.convert(source, target);
        assertThat(weights().get("transformer.wte.weight").floats()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
                11);
        assertThat(weights().get("transformer.wpe.weight").shape()).containsExactly(2L, 4L);
        Conversions.convert(source.resolve("pytorch_model.bin.index.json"), folder.resolve("by index"));
        assertThat(folder.resolve("by index/model.safetensors"))
                .hasSameBinaryContentAs(target.resolve("model.safetensors"));

        Files.delete(source.resolve("pytorch_model-00002-of-00002.bin"));
        assertThatExceptionOfType(FormatException.class)
                .isThrownBy(() -> Conversions.convert(source, folder.resolve("other")))
                .withMessageContaining("pytorch_model-00002-of-00002.bin");
        put("pytorch_model.bin.index.json",
                "{\"weight_map\": {\"a\": \"../secret.bin\"}}".getBytes(StandardCharsets.UTF_8));
        assertThatExceptionOfType(FormatException.class)
                .isThrownBy(() -> Conversions.convert(source, folder.resolve("other")))
                .withMessageContaining("../secret.bin");
    }

    @Test
    void aTrainingCheckpoint() throws IOException {
        put("best.pt", resource("nested.bin"));
        putConfig();
        ConversionResult result = Conversions.convert(source.resolve("best.pt"), target);
        assertThat(weights()).containsOnlyKeys("a.weight");
        assertThat(result.warnings()).singleElement().asString().contains("epoch", "best");
    }

    @Test
    void filesThatBelongToTheModelComeAlong() throws IOException {
        put("pytorch_model.bin", resource("nested.bin"));
        putConfig();
        List<String> companions = List.of("tokenizer.json", "vocab.txt", "special_tokens_map.json", "modules.json",
                "sentence_bert_config.json", "1_Pooling/config.json", "2_Dense/model.safetensors", "LICENSE");
        for (String name : companions) {
            put(name, name.getBytes(StandardCharsets.UTF_8));
        }
        put("optimizer.pt", new byte[10]);
        put(".git/config", new byte[10]);
        put("checkpoint-500/pytorch_model.bin", new byte[10]);
        ConversionResult result = Conversions.convert(source, target);
        assertThat(Conversions.files(target).keySet()).containsExactlyInAnyOrderElementsOf(result.files())
                .hasSize(companions.size() + 2);
        for (String name : companions) {
            assertThat(target.resolve(name)).hasSameBinaryContentAs(source.resolve(name));
        }
    }

    @Test
    void theTypeChangesAndTheConfigSaysSo() throws IOException {
        put("pytorch_model.bin", resource("views.bin"));
        put("config.json", "{\"model_type\": \"gpt2\", \"dtype\": \"float32\", \"x\": 1e-05}".getBytes(
                StandardCharsets.UTF_8));
        Conversions.convert(source, target, ConversionOptions.defaults().withDtype(DType.BF16));
        Map<String, Loaded> weights = weights();
        assertThat(weights.get("plain").dtype()).isEqualTo(DType.BF16);
        assertThat(weights.get("double").dtype()).isEqualTo(DType.BF16);
        // What is no floating-point number stays.
        assertThat(weights.get("position_ids").dtype()).isEqualTo(DType.I64);
        assertThat(weights.get("flags").dtype()).isEqualTo(DType.BOOL);
        assertThat(Files.readString(target.resolve("config.json"))).contains("\"dtype\" : \"bfloat16\"",
                "\"x\" : 1e-05").doesNotContain("torch_dtype");
        // And once more, from safetensors.
        Conversions.convert(target, folder.resolve("wide"), ConversionOptions.defaults().withDtype(DType.F32));
        float[] wide = Conversions.tensors(folder.resolve("wide/model.safetensors")).get("plain").floats();
        short[] narrow = weights.get("plain").shorts();
        for (int i = 0; i < wide.length; i++) {
            assertThat(wide[i]).isEqualTo(Float.intBitsToFloat(narrow[i] << 16));
        }
        assertThat(Conversions.tensors(folder.resolve("wide/model.safetensors")).get("position_ids").bytes())
                .isEqualTo(weights.get("position_ids").bytes());
    }

    @Test
    void nothingOfAPickleIsRun() throws IOException {
        put("pytorch_model.bin", resource("evil.bin"));
        putConfig();
        refused("system", "nothing of it is run");
    }

    @Test
    void withoutAConfigThereIsNoModel() throws IOException {
        put("pytorch_model.bin", resource("nested.bin"));
        refused("there is no config.json beside it");
    }

    @Test
    void inAnArchive() throws IOException {
        put("pytorch_model.bin", resource("views.bin"));
        putConfig();
        Conversions.convert(source, target);
        Map<String, byte[]> deeper = new LinkedHashMap<>();
        Conversions.files(source).forEach((name, bytes) -> deeper.put("model/" + name, bytes));
        Path zip = Files.write(folder.resolve("model.zip"), Conversions.zip(deeper, false));
        Conversions.convert(zip, folder.resolve("from zip"));
        assertThat(Conversions.files(folder.resolve("from zip")))
                .containsExactlyInAnyOrderEntriesOf(Conversions.files(target));
        Path safetensors = Files.write(folder.resolve("safetensors.zip"),
                Conversions.zip(Conversions.files(target), false));
        Conversions.convert(safetensors, folder.resolve("from safetensors"));
        assertThat(Conversions.files(folder.resolve("from safetensors")))
                .containsExactlyInAnyOrderEntriesOf(Conversions.files(target));
        assertThat(folder.toFile().list()).noneMatch(name -> name.endsWith(".tmp"));
    }

    @Test
    void namesInAnArchiveThatLeadOutOfIt() throws IOException {
        put("pytorch_model.bin", resource("nested.bin"));
        putConfig();
        Map<String, byte[]> entries = new LinkedHashMap<>(Conversions.files(source));
        for (String name : List.of("1_Pooling/..", "1_Pooling/../../out.json", "../vocab.txt", "/vocab.txt",
                "2_Dense/.hidden")) {
            entries.put(name, new byte[]{1});
        }
        Path zip = Files.write(folder.resolve("model.zip"), Conversions.zip(entries, true));
        ConversionResult result = Conversions.convert(zip, target);
        assertThat(result.files()).containsExactly("config.json", "model.safetensors");
        assertThat(Conversions.names(folder)).containsExactly("model.zip", "source", "target");
        assertThat(Conversions.names(target)).isEqualTo(result.files());
    }

    @Test
    void otherFilesAreNamed() throws IOException {
        Path gzip = Files.write(folder.resolve("model.tar.gz"), new byte[]{0x1f, (byte) 0x8b, 8, 0});
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Conversions.convert(gzip, target))
                .withMessageContaining("a gzip file, to be unpacked first");
    }

    /** A pickle written opcode by opcode in the place of a file's own. */
    private void pickled(String pickle) throws IOException {
        put("pytorch_model.bin", Conversions.zip(Map.of("archive/data.pkl", pickle.getBytes(
                StandardCharsets.ISO_8859_1), "archive/data/0", new byte[64]), true));
        putConfig();
    }

    /** A tensor of a storage of 16 floats. */
    private static String tensor(int offset, String sizes, String strides) {
        return "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" + "0"
                + "X\3\0\0\0cpuK\u0010tQK" + (char) offset + sizes + strides + "\u0089ccollections\nOrderedDict\n)RtR";
    }

    private static String dictionary(String tensor) {
        return "\u0080\2}X\1\0\0\0a" + tensor + "s.";
    }

    @Test
    void picklesByHand() throws IOException {
        pickled(dictionary(tensor(2, "(K\2K\3t", "(K\5K\2t")));
        Conversions.convert(source, target);
        assertThat(weights().get("a").shape()).containsExactly(2L, 3L);
    }

    @Test
    void tensorsBeyondTheirStorage() throws IOException {
        for (String tensor : List.of(tensor(0, "(K\u0011t", "(K\1t"), tensor(1, "(K\u0010t", "(K\1t"),
                tensor(0, "(K\2K\2t", "(K\u0010K\1t"), tensor(0, "(K\2t", "(K\1K\1t"),
                tensor(0, "(J\377\377\377\377t", "(K\1t"), tensor(0, "(K\2t", "(J\377\377\377\377t"),
                tensor(0, "(\u008a\10\377\377\377\377\377\377\377\177\u008a\10\377\377\377\377\377\377\377\177t",
                        "(K\0K\0t"))) {
            pickled(dictionary(tensor));
            refused("pickle is damaged");
        }
    }

    @Test
    void aViewThatRepeatsIsNotUnfoldedWithoutEnd() throws IOException {
        pickled(dictionary(tensor(0, "(J\0\0\0\2J\0\0\0\2t", "(K\0K\0t")));
        refused("times as many bytes");
    }

    @Test
    void picklesThatNeverEndOrNeverBegin() throws IOException {
        // What each says wrongly: an empty file, no end, nothing to pop, no mark, nothing remembered, an unhashable key,
        // a call of what is no function, itself as its own element, an opcode that runs code, a list of lists of lists.
        Map<String, String> pickles = new LinkedHashMap<>();
        pickles.put("", "ends before its end mark");
        pickles.put("\u0080\2}", "ends before its end mark");
        pickles.put("\u0080\2.", "the stack is empty");
        pickles.put("\u0080\2t.", "there is no mark");
        pickles.put("\u0080\2h\5.", "nothing is remembered");
        pickles.put("\u0080\2}}}s.", "a key is neither");
        pickles.put("\u0080\2K\1)R.", "something else than a function");
        pickles.put("\u0080\2]q\0h\0a.", "no dictionary of tensors");
        pickles.put("\u0080\2ios\nsystem\n.", "operation 0x69");
        pickles.put("\u0080\2" + "(".repeat(900_000), "ends before its end mark");
        pickles.put("\u0080\2" + "]".repeat(1_200_000), "more than 1000000 operations");
        pickles.put("\u0080\2]" + "\u0085".repeat(900_000) + ".", "no dictionary of tensors");
        pickles.put("\u0080\2X\377\377\377\177", "a text has 2147483647 bytes");
        pickles.put("\u0080\2c__torch__\nModel\n.", "TorchScript");
        pickles.put("\u0080\7}.", "protocol 7");
        pickles.put("\u0080\2}.", "there is no tensor");
        for (var entry : pickles.entrySet()) {
            pickled(entry.getKey());
            refused(entry.getValue());
        }
    }

    @Test
    void otherPicklesAndTruncatedOnes() throws IOException {
        putConfig();
        put("pytorch_model.bin", "\u0080\2K\5.".getBytes(StandardCharsets.ISO_8859_1));
        refused("does not begin with PyTorch's number");
        byte[] legacy = resource("views-legacy.bin");
        put("pytorch_model.bin", Arrays.copyOf(legacy, legacy.length - 1));
        refused("pytorch_model.bin");
        put("pytorch_model.bin", "hello".getBytes(StandardCharsets.UTF_8));
        refused("neither a zip file nor a pickle");
    }

    @Test
    void archivesThatUnpackToTooMuch() throws IOException {
        putConfig();
        ByteArrayOutputStream big = new ByteArrayOutputStream();
        big.writeBytes(dictionary(tensor(0, "(K\1t", "(K\1t")).getBytes(StandardCharsets.ISO_8859_1));
        big.writeBytes(new byte[80 << 20]);
        put("pytorch_model.bin", Conversions.zip(Map.of("a/data.pkl", big.toByteArray(), "a/data/0", new byte[64]),
                false));
        refused("more than 100 times as many");
    }
}
