package org.vecformer.loader.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.vecformer.loader.convert.TinyCheckpoints.HIDDEN;
import static org.vecformer.loader.convert.TinyCheckpoints.INNER;
import static org.vecformer.loader.convert.TinyCheckpoints.VOCABULARY;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.convert.BundleFiles.Message;
import org.vecformer.loader.convert.Conversions.Loaded;

/** TensorFlow's checkpoints of BERT and GPT-2 become model directories, or one clear error. */
class TensorFlowConversionTest {
    @TempDir
    Path folder;

    private Path source() {
        return folder.resolve("source");
    }

    private Path target() {
        return folder.resolve("target");
    }

    private Map<String, Loaded> weights() throws IOException {
        return Conversions.tensors(target().resolve("model.safetensors"));
    }

    private void refused(Path path, String... words) {
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Conversions.convert(path, target()))
                .satisfies(e -> assertThat(e.getMessage()).contains(words).doesNotContain("\n"));
        assertThat(folder.toFile().list()).doesNotContain("target")
                .noneMatch(name -> name.endsWith(".tmp"));
    }

    @Test
    void bertAsGooglePublishedIt() throws IOException {
        Map<String, float[]> values = TinyCheckpoints.google(source());
        Map<String, byte[]> before = Conversions.files(source());
        ConversionResult result = Conversions.convert(source(), target());
        Map<String, Loaded> weights = weights();

        assertThat(weights.get("bert.embeddings.word_embeddings.weight").floats())
                .containsExactly(values.get("bert/embeddings/word_embeddings"));
        assertThat(weights.get("bert.embeddings.LayerNorm.weight").floats())
                .containsExactly(values.get("bert/embeddings/LayerNorm/gamma"));
        assertThat(weights.get("bert.embeddings.LayerNorm.bias").floats())
                .containsExactly(values.get("bert/embeddings/LayerNorm/beta"));
        Loaded inner = weights.get("bert.encoder.layer.1.intermediate.dense.weight");
        assertThat(inner.shape()).containsExactly((long) INNER, (long) HIDDEN);
        assertThat(inner.floats()).containsExactly(
                Conversions.transposed(values.get("bert/encoder/layer_1/intermediate/dense/kernel"), HIDDEN, INNER));
        assertThat(weights.get("bert.encoder.layer.0.attention.self.key.weight").floats()).containsExactly(
                Conversions.transposed(values.get("bert/encoder/layer_0/attention/self/key/kernel"), HIDDEN, HIDDEN));
        assertThat(weights.get("cls.predictions.bias").floats())
                .containsExactly(values.get("cls/predictions/output_bias"));
        // A matrix that is no kernel is [outputs, inputs] already.
        assertThat(weights.get("cls.seq_relationship.weight").floats())
                .containsExactly(values.get("cls/seq_relationship/output_weights"));
        assertThat(weights).hasSize(values.size());

        BertConfig config = BertConfig.read(target().resolve("config.json"));
        assertThat(config.heads()).isEqualTo(4);
        assertThat(config.layers()).isEqualTo(2);
        assertThat(config.innerSize()).isEqualTo(INNER);
        assertThat(config.architectures()).containsExactly("BertForPreTraining");
        assertThat(Files.readString(target().resolve("config.json"))).contains("gelu_new");
        assertThat(Files.readString(target().resolve("vocab.txt"))).isEqualTo(TinyCheckpoints.WORDS);
        assertThat(Files.readString(target().resolve("tokenizer_config.json"))).contains("\"do_lower_case\" : true",
                "\"model_max_length\" : 16");

        assertThat(result.format()).isEqualTo("TensorFlow checkpoint");
        assertThat(result.architecture()).isEqualTo("BertForPreTraining");
        assertThat(result.tensors()).isEqualTo(values.size());
        assertThat(result.warnings()).isEmpty();
        assertThat(result.notes()).singleElement().asString().contains("do_lower_case true");
        assertThat(result.files()).containsExactly("config.json", "model.safetensors", "tokenizer_config.json",
                "vocab.txt");
        assertThat(Conversions.names(target())).isEqualTo(result.files());
        assertThat(Conversions.files(source())).containsExactlyInAnyOrderEntriesOf(before);
    }

    @Test
    void everyNameOfACheckpointGivesTheSameModel() throws IOException {
        TinyCheckpoints.google(source());
        Conversions.convert(source(), target());
        byte[] expected = Files.readAllBytes(target().resolve("model.safetensors"));
        for (String name : List.of("bert_model.ckpt", "bert_model.ckpt.index", "bert_model.ckpt.meta",
                "bert_model.ckpt.data-00000-of-00001")) {
            Path other = folder.resolve("by " + name);
            Conversions.convert(source().resolve(name), other);
            assertThat(other.resolve("model.safetensors")).as(name).hasBinaryContent(expected);
            assertThat(other.resolve("vocab.txt")).exists();
        }
    }

    @Test
    void aSavedModelAloneInAnArchiveAndInAnArchiveInAnArchive() throws IOException {
        TinyCheckpoints.savedModel(source());
        ConversionResult result = Conversions.convert(source(), target());
        // The heads are not in the shapes.
        assertThat(result.notes()).anyMatch(note -> note.contains("assumed 1 heads of 64"));
        assertThat(result.architecture()).isEqualTo("BertForMaskedLM");
        Map<String, byte[]> expected = Conversions.files(target());
        assertThat(expected).containsKeys("vocab.txt", "config.json");

        Map<String, byte[]> files = Conversions.files(source());
        Map<String, byte[]> deeper = new LinkedHashMap<>();
        files.forEach((name, bytes) -> deeper.put("models/bert/" + name, bytes));
        for (boolean stored : new boolean[]{true, false}) {
            Path zip = folder.resolve("model-" + stored + ".zip");
            Files.write(zip, Conversions.zip(stored ? files : deeper, stored));
            Conversions.convert(zip, folder.resolve("zip-" + stored));
            assertThat(Conversions.files(folder.resolve("zip-" + stored)))
                    .containsExactlyInAnyOrderEntriesOf(expected);

            Path jar = folder.resolve("model-" + stored + ".jar");
            Files.write(jar, Conversions.zip(Map.of("META-INF/MANIFEST.MF", new byte[300], "org/model",
                    Files.readAllBytes(zip)), !stored));
            Conversions.convert(jar, folder.resolve("jar-" + stored));
            assertThat(Conversions.files(folder.resolve("jar-" + stored)))
                    .containsExactlyInAnyOrderEntriesOf(expected);
        }
        Conversions.convert(source().resolve("variables/variables.index"), folder.resolve("by index"));
        assertThat(Conversions.files(folder.resolve("by index"))).containsExactlyInAnyOrderEntriesOf(expected);
        assertThat(folder.toFile().list()).noneMatch(name -> name.endsWith(".tmp"));
    }

    @Test
    void shardsSlicesPackedBlocksAndTheOtherByteOrder() throws IOException {
        for (boolean bigEndian : new boolean[]{false, true}) {
            BundleFiles files = new BundleFiles(3, bigEndian).packed(300);
            Map<String, float[]> values = TinyCheckpoints.bert(files, "");
            String words = "bert/embeddings/word_embeddings";
            values.put(words, files.addSliced(words, 0, 4, VOCABULARY, HIDDEN));
            String kernel = "bert/pooler/dense/kernel";
            values.put(kernel, files.addSliced(kernel, 1, 20, HIDDEN, HIDDEN));
            Path source = folder.resolve("source-" + bigEndian);
            files.write(source, "model.ckpt-1000");
            Path target = folder.resolve("target-" + bigEndian);
            ConversionResult result = Conversions.convert(source, target);
            Map<String, Loaded> weights = Conversions.tensors(target.resolve("model.safetensors"));
            assertThat(weights).hasSize(values.size());
            assertThat(weights.get("bert.embeddings.word_embeddings.weight").floats())
                    .containsExactly(values.get(words));
            assertThat(weights.get("bert.pooler.dense.weight").floats())
                    .containsExactly(Conversions.transposed(values.get(kernel), HIDDEN, HIDDEN));
            assertThat(weights.get("bert.encoder.layer.1.output.LayerNorm.bias").floats())
                    .containsExactly(values.get("bert/encoder/layer_1/output/LayerNorm/beta"));
            assertThat(result.architecture()).isEqualTo("BertModel");
            assertThat(result.warnings()).singleElement().asString().contains("vocab.txt");
        }
    }

    /** Numbers that TensorFlow's own tests of the encoding state, and the bounds between lengths. */
    @Test
    void keysOfSlices() {
        assertThat(OrderedKey.ofSlice("a", new long[]{0, 64, -65}, new long[]{-1, 63, 8192})).containsExactly(
                0, 'a', 0, 1, 1, 3, 0x80, 0x7F, 0xC0, 0x40, 0xBF, 0x3F, 0xBF, 0xE0, 0x20, 0x00);
        assertThat(OrderedKey.ofSlice("\0", new long[]{Long.MAX_VALUE}, new long[]{Long.MIN_VALUE})).containsExactly(
                0, 0, 0xFF, 0, 1, 1, 1, 0xFF, 0xC0, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x3F, 0x80,
                0, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void trainingStateIsLeftOutAndTheUnknownIsNamed() throws IOException {
        BundleFiles files = new BundleFiles();
        Map<String, float[]> values = TinyCheckpoints.bert(files, "");
        files.add("bert/pooler/dense/kernel/adam_m", HIDDEN, HIDDEN);
        files.add("bert/pooler/dense/kernel/adam_v", HIDDEN, HIDDEN);
        files.add("global_step", BundleFiles.INT64, new byte[8]);
        files.add("bert/encoder/layer_0/mystery", 3);
        files.add("_CHECKPOINTABLE_OBJECT_GRAPH", BundleFiles.STRING, new byte[5]);
        files.write(source(), "model.ckpt");
        ConversionResult result = Conversions.convert(source(), target());
        assertThat(weights()).hasSize(values.size());
        assertThat(result.notes()).anyMatch(note -> note.contains("left out 3 variables of the training's state"));
        assertThat(result.warnings()).anySatisfy(warning -> assertThat(warning).contains("left out 2 variables",
                "bert/encoder/layer_0/mystery F32 [3]", "_CHECKPOINTABLE_OBJECT_GRAPH"));
    }

    @Test
    void headsOfFineTunedModels() throws IOException {
        BundleFiles squad = new BundleFiles();
        Map<String, float[]> values = TinyCheckpoints.bert(squad, "");
        TinyCheckpoints.add(values, squad, "cls/squad/output_weights", 2, HIDDEN);
        TinyCheckpoints.add(values, squad, "cls/squad/output_bias", 2);
        squad.write(source(), "model.ckpt");
        assertThat(Conversions.convert(source(), target()).architecture()).isEqualTo("BertForQuestionAnswering");
        assertThat(weights().get("qa_outputs.weight").floats())
                .containsExactly(values.get("cls/squad/output_weights"));

        BundleFiles classes = new BundleFiles();
        TinyCheckpoints.bert(classes, "");
        classes.add("output_weights", 3, HIDDEN);
        classes.add("output_bias", 3);
        classes.write(folder.resolve("classes"), "model.ckpt");
        Conversions.convert(folder.resolve("classes"), folder.resolve("classifier"));
        BertConfig config = BertConfig.read(folder.resolve("classifier/config.json"));
        assertThat(config.architectures()).containsExactly("BertForSequenceClassification");
        assertThat(config.labels()).containsExactly("LABEL_0", "LABEL_1", "LABEL_2");
    }

    @Test
    void gpt2AsOpenAiPublishedIt() throws IOException {
        Map<String, float[]> values = TinyCheckpoints.gpt2(source());
        ConversionResult result = Conversions.convert(source(), target());
        Map<String, Loaded> weights = weights();
        assertThat(weights).hasSize(values.size());
        Loaded attention = weights.get("transformer.h.1.attn.c_attn.weight");
        assertThat(attention.shape()).containsExactly((long) HIDDEN, 3L * HIDDEN);
        assertThat(attention.floats()).containsExactly(values.get("model/h1/attn/c_attn/w"));
        assertThat(weights.get("transformer.ln_f.weight").floats()).containsExactly(values.get("model/ln_f/g"));
        assertThat(weights.get("transformer.wpe.weight").floats()).containsExactly(values.get("model/wpe"));
        Gpt2Config config = Gpt2Config.read(target().resolve("config.json"));
        assertThat(config.heads()).isEqualTo(2);
        assertThat(config.contextLength()).isEqualTo(16);
        assertThat(config.eosTokenIds()).containsExactly(10);
        assertThat(target().resolve("vocab.json")).hasSameBinaryContentAs(source().resolve("encoder.json"));
        assertThat(target().resolve("merges.txt")).hasSameBinaryContentAs(source().resolve("vocab.bpe"));
        assertThat(result.notes()).isEmpty();
        assertThat(result.warnings()).isEmpty();
    }

    @Test
    void aConfigThatIsGivenHasTheWord() throws IOException {
        TinyCheckpoints.savedModel(source());
        Path config = Files.writeString(folder.resolve("config"),
                "{\"num_attention_heads\": 8, \"do_lower_case\": false}");
        ConversionResult result = Conversions.convert(source(), target(),
                ConversionOptions.defaults().withConfig(config));
        assertThat(BertConfig.read(target().resolve("config.json")).heads()).isEqualTo(8);
        assertThat(Files.readString(target().resolve("tokenizer_config.json"))).contains("\"do_lower_case\" : false");
        assertThat(result.notes()).isEmpty();
        Files.writeString(config, "{\"num_attention_heads\": 7}");
        assertThatThrownBy(() -> Conversions.convert(source(), folder.resolve("other"),
                ConversionOptions.defaults().withConfig(config))).isInstanceOf(FormatException.class)
                .hasMessageContaining("num_attention_heads is 7");
        Files.writeString(config, "{\"hidden_size\": 128}");
        assertThatThrownBy(() -> Conversions.convert(source(), folder.resolve("other"),
                ConversionOptions.defaults().withConfig(config))).isInstanceOf(FormatException.class)
                .hasMessageContaining("hidden_size is 128").hasMessageContaining("64");
    }

    @Test
    void vocabulariesTellWhetherTextsAreLowerCased() {
        assertThat(BertVariables.isUncased(TinyCheckpoints.WORDS)).isTrue();
        assertThat(BertVariables.isUncased(TinyCheckpoints.WORDS + "Man\nHome\n")).isFalse();
    }

    @Test
    void typesAreRoundedAndWhatDoesNotFitIsKept() throws IOException {
        BundleFiles files = new BundleFiles();
        Map<String, float[]> values = TinyCheckpoints.bert(files, "");
        ByteBuffer large = ByteBuffer.allocate(4 * HIDDEN).order(ByteOrder.LITTLE_ENDIAN);
        large.putFloat(0, 65520f);
        files.add("bert/pooler/dense/bias", BundleFiles.FLOAT, large.array(), HIDDEN);
        files.write(source(), "model.ckpt");
        ConversionResult result = Conversions.convert(source(), target(),
                ConversionOptions.defaults().withDtype(DType.F16));
        Map<String, Loaded> weights = weights();
        assertThat(weights.get("bert.pooler.dense.bias").dtype()).isEqualTo(DType.F32);
        assertThat(result.warnings()).anyMatch(warning -> warning.contains("kept as float32")
                && warning.contains("bert.pooler.dense.bias"));
        Loaded kernel = weights.get("bert.encoder.layer.0.output.dense.weight");
        assertThat(kernel.dtype()).isEqualTo(DType.F16);
        float[] expected = Conversions.transposed(values.get("bert/encoder/layer_0/output/dense/kernel"), INNER,
                HIDDEN);
        for (int i = 0; i < expected.length; i++) {
            assertThat(kernel.shorts()[i]).isEqualTo(Float.floatToFloat16(expected[i]));
        }
        assertThat(Files.readString(target().resolve("config.json"))).contains("\"torch_dtype\" : \"float16\"");
    }

    @Test
    void whatIsMissingOrContradictsIsNamed() throws IOException {
        BundleFiles files = new BundleFiles();
        TinyCheckpoints.bert(files, "");
        files.index().remove(key("bert/encoder/layer_1/attention/self/value/bias"));
        files.write(source(), "model.ckpt");
        refused(source(), "there is no variable for bert.encoder.layer.1.attention.self.value.bias");

        BundleFiles odd = new BundleFiles();
        TinyCheckpoints.bert(odd, "");
        odd.add("bert/encoder/layer_1/attention/self/value/bias", HIDDEN + 1);
        odd.write(folder.resolve("odd"), "model.ckpt");
        refused(folder.resolve("odd"), "[65], expected [64]");

        BundleFiles other = new BundleFiles();
        other.add("dense/kernel", 3, 4);
        other.write(folder.resolve("other"), "model.ckpt");
        refused(folder.resolve("other"), "neither a BERT nor a GPT-2", "dense/kernel");

        TinyCheckpoints.google(folder.resolve("two"));
        new BundleFiles().write(folder.resolve("two"), "other.ckpt");
        refused(folder.resolve("two"), "there are 2 checkpoints", "bert_model.ckpt.index", "other.ckpt.index");

        TinyCheckpoints.google(folder.resolve("half"));
        Files.delete(folder.resolve("half/bert_model.ckpt.data-00000-of-00001"));
        refused(folder.resolve("half/bert_model.ckpt.index"), "bert_model.ckpt.data-00000-of-00001",
                "there is no such file");

        Files.createDirectories(folder.resolve("nothing"));
        Files.writeString(folder.resolve("nothing/tf_model.h5"), "x");
        refused(folder.resolve("nothing"), "there is no checkpoint", "tf_model.h5 is a Keras file");
        refused(folder.resolve("nothing/tf_model.h5"), "this is a Keras file");
        assertThatExceptionOfType(NoSuchFileException.class)
                .isThrownBy(() -> Conversions.convert(folder.resolve("nowhere"), target()));
    }

    private static byte[] key(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void versionOneIsRefusedByName() throws IOException {
        // One table whose header is a SavedTensorSlices message.
        BundleFiles old = new BundleFiles();
        old.raw(new byte[0], new Message().message(1, new Message().number(2, 1)).bytes());
        Files.createDirectories(source());
        Files.write(source().resolve("bert_model.ckpt"), old.table());
        refused(source().resolve("bert_model.ckpt"), "version 1", "expected version 2");
        refused(source(), "version 1", "expected version 2");
        Files.write(folder.resolve("model.ckpt-00000-of-00001"), old.table());
        refused(folder.resolve("model.ckpt"), "version 1");
    }

    @Test
    void placesThatOverlapOrLieOutside() throws IOException {
        for (Message entry : List.of(
                new Message().number(1, 1).message(2, new Message().message(2, new Message().number(1, 4)))
                        .number(4, 0).number(5, 16),
                new Message().number(1, 1).number(4, 1L << 62).number(5, 4),
                new Message().number(1, 1).number(4, 0).number(5, -1),
                new Message().number(1, 1).number(3, 7).number(5, 4),
                new Message().number(1, 1)
                        .message(2, new Message().message(2, new Message().number(1, 1L << 62))
                                .message(2, new Message().number(1, 1L << 62)))
                        .number(5, 4))) {
            BundleFiles files = new BundleFiles();
            TinyCheckpoints.bert(files, "");
            files.raw(key("bert/pooler/dense/bias"), entry.bytes());
            files.write(source(), "model.ckpt");
            refused(source(), "bert/pooler/dense/bias");
        }
    }

    @Test
    void damagedDataIsNoticed() throws IOException {
        TinyCheckpoints.google(source());
        Path data = source().resolve("bert_model.ckpt.data-00000-of-00001");
        byte[] bytes = Files.readAllBytes(data);
        bytes[bytes.length / 2] ^= 1;
        Files.write(data, bytes);
        refused(source(), "the checksum (CRC-32C) of");
    }

    @Test
    void theNewDirectoryMustBeFree() throws IOException {
        TinyCheckpoints.google(source());
        Files.createDirectories(target());
        Files.writeString(target().resolve("mine"), "precious");
        assertThatExceptionOfType(FileAlreadyExistsException.class)
                .isThrownBy(() -> Conversions.convert(source(), target())).withMessageContaining("not empty");
        assertThat(Conversions.names(target())).containsExactly("mine");
        assertThatExceptionOfType(FileAlreadyExistsException.class)
                .isThrownBy(() -> Conversions.convert(source(), target().resolve("mine")));
        assertThatExceptionOfType(FormatException.class)
                .isThrownBy(() -> Conversions.convert(source(), source().resolve("new")))
                .withMessageContaining("would lie in the source");
        assertThat(source().resolve("new")).doesNotExist();
        // An empty one is taken, and folders above are made.
        Files.delete(target().resolve("mine"));
        Conversions.convert(source(), target());
        assertThat(target().resolve("model.safetensors")).exists();
        Conversions.convert(source(), folder.resolve("a/b/c"));
        assertThat(folder.resolve("a/b/c/model.safetensors")).exists();
    }

    @Test
    void failureLeavesNothing() throws IOException {
        TinyCheckpoints.google(source());
        Path config = Files.writeString(folder.resolve("config"), "{");
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Conversions.convert(source(),
                folder.resolve("a/b/c"), ConversionOptions.defaults().withConfig(config)));
        assertThat(Conversions.names(folder)).containsExactly("config", "source");
    }

    @Test
    void cancellingAtAnyMomentLeavesNothing() throws IOException {
        TinyCheckpoints.savedModel(source());
        Path jar = folder.resolve("model.jar");
        byte[] zip = Conversions.zip(Conversions.files(source()), true);
        Files.write(jar, Conversions.zip(Map.of("inner", zip), false));
        List<Long> steps = new ArrayList<>();
        new CheckpointConverter(jar, folder.resolve("whole"), ConversionOptions.defaults(),
                (bytes, total) -> steps.add(bytes)).convert();
        assertThat(steps).hasSizeGreaterThan(20).isSorted();
        for (int stop = 1; stop < steps.size(); stop++) {
            int last = stop;
            CheckpointConverter[] converter = new CheckpointConverter[1];
            int[] calls = {0};
            converter[0] = new CheckpointConverter(jar, target(), ConversionOptions.defaults(), (_, _) -> {
                if (++calls[0] == last) {
                    converter[0].cancel();
                }
            });
            assertThatExceptionOfType(CancellationException.class).isThrownBy(converter[0]::convert);
            assertThat(Conversions.names(folder)).containsExactly("model.jar", "source", "whole");
        }
    }
}
