package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.atIndex;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.TensorInfo;

/** The other commands. */
class CommandsTest {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);

    @TempDir
    Path folder;

    @Test
    void tokenizeAsJson() {
        assertThat(CommandRun.of("tokenize", "Once upon ✓", "--json").line())
                .isEqualTo("{\"ids\":[567,510,221,159,251,242],\"tokens\":[\"Once\",\"Ġupon\",\"Ġ\",\"â\",\"ľ\",\"ĵ\"],"
                        + "\"token_type_ids\":[0,0,0,0,0,0],\"attention_mask\":[1,1,1,1,1,1],"
                        + "\"offsets\":[[0,4],[4,9],[9,10],[10,11],[10,11],[10,11]]}");
        assertThat(CommandRun.of("tokenize", "Once upon").out()).isEqualTo("567\tOnce\n510\tĠupon\n");
        assertThat(CommandRun.of("tokenize", "", "--json").object()).containsEntry("ids", List.of());
    }

    @Test
    void pairsAreCutAndFilledUp() throws IOException {
        Path padded = CommandRun.copyOfModel(folder.resolve("padded"), "vocab.json", "merges.txt");
        Files.writeString(padded.resolve("special_tokens_map.json"), "{\"pad_token\": \"<|endoftext|>\"}");
        Map<String, Object> pair = CommandRun
                .of("tokenize", "Once upon a time", "--pair", " a", "--max-length", "8", "--padding", "max_length",
                        "--json", "--model",
                        padded.toString())
                .object();
        assertThat(pair.get("ids"))
                .isEqualTo(List.of(567, 510, 259, 445, 259, 0, 0, 0));
        assertThat(pair.get("token_type_ids")).isEqualTo(List.of(0, 0, 0, 0, 1, 0, 0, 0));
        assertThat(pair.get("attention_mask")).isEqualTo(List.of(1, 1, 1, 1, 1, 0, 0, 0));
        assertThat((List<?>) pair.get("offsets")).element(7).isEqualTo(List.of(0, 0));
    }

    @Test
    void tokenizeReadsLines() {
        CommandRun run = CommandRun.withInput("{\"text\":\"Once\",\"pair\":\" upon\"}\r\n{\"text\":\"\\ud83d\\ude00\"}",
                "tokenize", "--jsonl");
        assertThat(run.objects().get(0)).containsEntry("ids", List.of(567, 510)).containsEntry("token_type_ids",
                List.of(0, 1));
        assertThat((List<?>) run.objects().get(1).get("offsets")).allMatch(List.of(0, 1)::equals);
        assertThat(CommandRun.withInput("{\"ids\":[1]}", "tokenize", "--jsonl").status()).isEqualTo(1);
    }

    @Test
    void detokenize() {
        assertThat(CommandRun.of("detokenize", "567,510,259,445").out()).isEqualTo("Once upon a time\n");
        assertThat(CommandRun.of("detokenize", "567", "510", "--json").line()).isEqualTo("{\"text\":\"Once upon\"}");
        assertThat(CommandRun.withInput("[567, 510]\n", "detokenize", "-").out()).isEqualTo("Once upon\n");
        assertThat(CommandRun.withInput("{\"ids\":[567]}\n{\"ids\":[]}\n", "detokenize", "--jsonl").out())
                .isEqualTo("{\"text\":\"Once\"}\n{\"text\":\"\"}\n");
        CommandRun broken = CommandRun.of("detokenize", "159,251");
        assertThat(broken.out()).isEqualTo("\uFFFD\n");
        assertThat(broken.err()).contains("UTF-8");
        CommandRun unknown = CommandRun.of("detokenize", "4096");
        assertThat(unknown.status()).isEqualTo(1);
        assertThat(unknown.err()).hasLineCount(1).contains("4096");
        for (String bad : List.of("x", "1,,2", "1,", "-1", "1.5", "99999999999")) {
            CommandRun run = CommandRun.of("detokenize", "--", bad);
            assertThat(run.status()).as(bad).isEqualTo(2);
            assertThat(run.err()).hasLineCount(1).contains("is not a token id");
        }
    }

    @Test
    void forwardWritesTheNumbers() throws IOException {
        Path file = folder.resolve("numbers.safetensors");
        // More positions than a step of the engine has rows.
        String ids = "567,510,259,445" + ",12,418".repeat(80);
        CommandRun run = CommandRun.of("forward", "--ids", ids, "--output", file.toString(), "--all-hidden", "--json");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.object()).containsOnlyKeys("output", "ids", "tensors");
        try (Safetensors numbers = Safetensors.open(file)) {
            assertThat(numbers.tensors()).extracting(TensorInfo::name).containsExactlyInAnyOrder("logits",
                    "last_hidden_state",
                    "hidden_0", "hidden_1", "hidden_2", "hidden_3", "hidden_4");
            assertThat(numbers.find("logits").orElseThrow().shape()).isEqualTo(List.of(164L, 4096L));
            assertThat(read(numbers, "last_hidden_state")).isEqualTo(read(numbers, "hidden_4"))
                    .isNotEqualTo(read(numbers, "hidden_3"));
            // The reference's most likely tokens behind "Once upon a time".
            float[] logits = read(numbers, "logits");
            assertThat(logits[3 * 4096 + 12]).isCloseTo(12.569063f, within(2e-4f));
            assertThat(logits[3 * 4096 + 418]).isCloseTo(11.462572f, within(2e-4f));
        }
        CommandRun few = CommandRun.of("forward", "Once upon a time", "--output", file.toString(), "--quiet");
        assertThat(few.out()).isEmpty();
        try (Safetensors numbers = Safetensors.open(file)) {
            assertThat(numbers.tensors()).hasSize(2);
            assertThat(read(numbers, "logits")[3 * 4096 + 12]).isCloseTo(12.569063f, within(2e-4f));
        }
        CommandRun long1 = CommandRun.of("forward", "--ids", "1" + ",1".repeat(512), "--output", file.toString());
        assertThat(long1.status()).isEqualTo(1);
        assertThat(long1.err()).hasLineCount(1).contains("513").contains("512");
        assertThat(CommandRun.of("forward", "", "--output", file.toString()).status()).isEqualTo(1);
        assertThat(CommandRun.of("forward", "x").err()).hasLineCount(1).contains("--output");
    }

    static float[] read(Safetensors file, String name) throws IOException {
        TensorInfo tensor = file.find(name).orElseThrow();
        byte[] bytes = new byte[(int) tensor.byteSize()];
        file.read(tensor, 0, MemorySegment.ofArray(bytes));
        return MemorySegment.ofArray(bytes).toArray(FLOAT);
    }

    @Test
    void infoListsTheTensorsOfAFile() throws IOException {
        Path file = Files.write(folder.resolve("x.safetensors"), safetensors(
                "{\"__metadata__\":{\"k\":\"v\"},\"a\\u001b[31m\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},\"s\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[8,9]}}",
                9));
        assertThat(CommandRun.of("info", "--tensors", file.toString(), "--json").line()).isEqualTo(
                "{\"tensors\":[{\"name\":\"a\\u001B[31m\",\"dtype\":\"F32\",\"shape\":[2,1]},{\"name\":\"s\",\"dtype\":\"U8\",\"shape\":[]}],\"metadata\":{\"k\":\"v\"}}");
        assertThat(CommandRun.of("info", "--tensors", file.toString()).out())
                .isEqualTo("a?[31m F32 [2, 1]\ns U8 []\nmetadata k: v\n");
        for (byte[] bad : new byte[][]{{}, {1}, safetensors("{", 0),
            safetensors("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 4)}) {
            Path broken = Files.write(folder.resolve("bad.safetensors"), bad);
            CommandRun run = CommandRun.of("info", "--tensors", broken.toString(), "--json");
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.out()).isEmpty();
            assertThat(run.err()).hasLineCount(1).contains("bad.safetensors");
        }
        for (String nothing : List.of(folder.toString(), folder.resolve("none").toString())) {
            CommandRun run = CommandRun.of("info", "--tensors", nothing);
            assertThat(run.status()).isEqualTo(1);
            assertThat(run.err()).hasLineCount(1).contains(nothing);
        }
    }

    private static byte[] safetensors(String header, int data) {
        byte[] text = header.getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return java.nio.ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length)
                .put(text).array();
    }

    @Test
    void infoAnswersEveryReferenceFileAsExpected() throws IOException {
        Path reference = Path.of(System.getProperty("vecformer.shared", "../../shared")).resolve("oracle/safetensors");
        assumeTrue(Files.isDirectory(reference), "skipped: the reference files (../shared) are not here");
        int checked = 0;
        for (String line : Files.readAllLines(reference.resolve("manifest.jsonl"))) {
            Map<String, Object> row = CommandRun.asObject(CommandRun.json(line));
            Path file = reference.resolve((String) row.get("file"));
            if (!Files.exists(file)) {
                continue;
            }
            checked++;
            CommandRun run = CommandRun.of("info", "--tensors", file.toString(), "--json");
            if (row.get("expected").equals("ok")) {
                assertThat(run.status()).as(file + ": " + run.err()).isZero();
                Map<String, Object> found = new HashMap<>();
                for (Object tensor : (List<?>) run.object().get("tensors")) {
                    Map<String, Object> fields = CommandRun.asObject(tensor);
                    found.put((String) fields.get("name"), List.of(fields.get("dtype"), fields.get("shape")));
                }
                Map<String, Object> expected = new HashMap<>();
                CommandRun.asObject(row.get("tensors")).forEach((name, tensor) -> expected.put(name,
                        List.of(CommandRun.asObject(tensor).get("dtype"), CommandRun.asObject(tensor).get("shape"))));
                assertThat(found).as(file.toString()).isEqualTo(expected);
            } else {
                assertThat(run.status()).as(file.toString()).isEqualTo(1);
                assertThat(run.err()).as(file.toString()).hasLineCount(1).contains(file.getFileName().toString());
                assertThat(run.out()).isEmpty();
            }
        }
        assertThat(checked).isGreaterThan(200);
    }

    @Test
    void infoDescribesTheModelAndWhatComputesIt() {
        Map<String, Object> info = CommandRun.of("info", "--json", "--threads", "1").object();
        assertThat(info).containsEntry("model", "storyteller").containsEntry("parameters", 4339200)
                .containsEntry("weights", "bf16")
                .containsEntry("threads", 1).containsEntry("tokens", 4096);
        assertThat(CommandRun.asObject(info.get("config"))).containsEntry("n_layer", 4).containsEntry("vocab_size",
                4096);
        assertThat((int) CommandRun.asObject(info.get("memory")).get("weight_bytes")).isBetween(8_600_000, 9_000_000);
        assertThat(CommandRun.of("info", "--json", "--backend", "scalar").object()).containsEntry("backend", "scalar")
                .containsEntry("vector_bits", 0);
        assertThat(CommandRun.of("info", "--json", "--weights", "f32").object()).containsEntry("weights", "f32");
    }

    @Test
    void benchWritesALineForEachTest() {
        CommandRun run = CommandRun.of("bench", "-p", "70", "-n", "3", "-b", "2", "-r", "2", "--json", "--threads",
                "2");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.objects()).hasSize(2).allSatisfy(test -> {
            assertThat(test).containsKeys("model", "weights", "backend", "threads", "test", "tokens_per_second",
                    "stddev");
            assertThat((double) test.get("tokens_per_second")).isPositive();
            assertThat((double) test.get("stddev")).isPositive();
            assertThat((double) test.get("median")).isBetween((double) test.get("least"), (double) test.get("most"));
            assertThat((double) test.get("limit_value")).isPositive();
            assertThat((double) test.get("share")).isPositive();
            assertThat((double) test.get("load_seconds")).isPositive();
            assertThat(test).containsEntry("threads", 2).containsEntry("weights", "bf16")
                    .containsEntry("repetitions", 2);
        }).extracting(test -> test.get("test"), test -> test.get("limit"), test -> test.get("limit_unit"),
                test -> test.containsKey("first_token_seconds")).containsExactly(
                        tuple("pp70b2", "FMA peak", "GFLOP/s", true), tuple("tg3b2", "read bandwidth", "GB/s", false));
    }

    @Test
    void benchAsATable() {
        CommandRun run = CommandRun.of("bench", "-p", "5", "-n", "2", "-r", "1", "--threads", "1");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.out().lines()).hasSize(3).satisfies(first -> assertThat(first).startsWith("model "), atIndex(0))
                .satisfies(pp -> assertThat(pp).matches(".* pp5 .* % of the FMA peak of [0-9.]+ GFLOP/s"), atIndex(1))
                .satisfies(tg -> assertThat(tg).matches(".* tg2 .* % of the read bandwidth of [0-9.]+ GB/s"),
                        atIndex(2));
    }

    @Test
    void wrongUsageIsOneLineAndStatusTwo() {
        String[][] lines = {{"generat"}, {"--foo"}, {"generate", "a", "b"}, {"generate", "--seed"},
            {"generate", "--top-k", "x"},
            {"tokenize"}, {"detokenize"}, {"generate", "--seed", "1", "--seed", "2"}, {"--threads", "2", "generate"},
            {"generate", "--max-new-tokens", "99999999999"}, {"forward", "--output", "x"}};
        for (String[] line : lines) {
            CommandRun run = CommandRun.of(line);
            assertThat(run.status()).as(String.join(" ", line)).isEqualTo(2);
            assertThat(run.err()).as(String.join(" ", line)).hasLineCount(1).startsWith("gpt2");
            assertThat(run.out()).isEmpty();
        }
        CommandRun nothing = CommandRun.of();
        assertThat(nothing.status()).isEqualTo(2);
        assertThat(nothing.err()).contains("generate").contains("no command");
    }

    @Test
    void helpGoesToStandardOutput() {
        CommandRun run = CommandRun.of("--help");
        assertThat(run.status()).isZero();
        assertThat(run.out()).contains("generate", "tokenize", "detokenize", "forward", "info", "bench");
        assertThat(CommandRun.of("generate", "--help").out()).contains("--max-new-tokens").contains("Example:");
        assertThat(CommandRun.of("--version").out()).startsWith("vecformer ");
    }
}
