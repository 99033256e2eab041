package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BytePairTokenizerTest {
    @TempDir
    private static Path directory;
    private static Tokenizer tiny;

    @BeforeAll
    static void load() throws IOException {
        tiny = Fixtures.tiny(directory.resolve("tiny"));
    }

    /** Answers of the tokenizers library 0.23.2 with the same 1000 ids. */
    @Test
    void saysWhatTheReferenceSays() throws IOException {
        Tokenizer fromOne = Tokenizer.load(
                Fixtures.writeTokenizerJson(directory.resolve("reference"), Map.of(), Map.of()));
        List<Map<?, ?>> rows = Fixtures.rows(Fixtures.resource("tiny-expected.jsonl"));
        assertThat(rows).hasSizeGreaterThan(40);
        for (Map<?, ?> row : rows) {
            String text = (String) row.get("text");
            for (Tokenizer tokenizer : List.of(tiny, fromOne)) {
                Encoding encoding = tokenizer.encode(text);
                assertThat(encoding.ids()).as("%s", text).isEqualTo(Fixtures.ints(row.get("ids")));
                assertThat(tokenizer.ids(text)).as("%s", text).isEqualTo(encoding.ids());
                assertThat(encoding.offsets(OffsetUnit.CODE_POINTS)).as("%s", text)
                        .isDeepEqualTo(Fixtures.pairs(row.get("offsets_codepoints")));
                assertThat(tokenizer.decode(encoding.ids())).isEqualTo(text);
            }
        }
    }

    @Test
    void knowsItsVocabulary() {
        assertThat(tiny.vocabularySize()).isEqualTo(1000);
        assertThat(tiny.token(262)).isEqualTo("Ġthe");
        assertThat(tiny.id("Ġthe")).hasValue(262);
        assertThat(tiny.id(" the")).isEmpty();
        assertThat(tiny.id(Fixtures.END)).hasValue(999);
        assertThat(tiny.isSpecial(999)).isTrue();
        assertThat(tiny.isSpecial(262)).isFalse();
        assertThat(tiny.isSpecial(1000)).isFalse();
        assertThat(tiny.endOfText()).hasValue(999);
        assertThat(tiny.beginOfText()).hasValue(999);
        assertThat(tiny.unknown()).hasValue(999);
        assertThat(tiny.padding()).isEmpty();
        assertThat(tiny.encode(" the").tokens()).containsExactly("Ġthe");
    }

    @Test
    void idsWithoutATokenDecodeToNothing() {
        assertThat(tiny.decode(new int[]{64, 1000, 50_000_000, 65})).isEqualTo("ab");
        assertThat(tiny.contains(1000)).isFalse();
        assertThat(tiny.contains(999)).isTrue();
        assertThatThrownBy(() -> tiny.token(1000)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no token has the id 1000, the vocabulary has ids from 0 to 999");
        assertThatThrownBy(() -> tiny.decode(new int[]{-1})).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("token id -1 is negative");
        StreamingDecoder decoder = tiny.streamingDecoder();
        assertThat(decoder.accept(2000)).isEmpty();
        assertThatThrownBy(() -> decoder.accept(-1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void skipsSpecialTokens() {
        int[] ids = tiny.ids("a<|endoftext|>b");
        assertThat(tiny.decode(ids)).isEqualTo("a<|endoftext|>b");
        assertThat(tiny.decode(ids, true)).isEqualTo("ab");
        assertThat(new String(tiny.decodeBytes(ids), StandardCharsets.UTF_8)).isEqualTo("a<|endoftext|>b");
    }

    @Test
    void unpairedSurrogatesBecomeReplacementCharacters() {
        for (String text : List.of("\uD83D", "\uDE42", "a\uD83Db", "\uDE42\uD83D", " \uD800 ", "\uD83D\uD83D\uDE42",
                "é\uDFFF")) {
            String replaced = new String(text.codePoints()
                    .map(c -> c >= 0xD800 && c <= 0xDFFF ? 0xFFFD : c).toArray(), 0,
                    text.codePointCount(0, text.length()));
            assertThat(tiny.ids(text)).isEqualTo(tiny.ids(replaced));
            assertThat(tiny.decode(tiny.ids(text))).isEqualTo(replaced);
            assertThat(tiny.encode(text).offsets(OffsetUnit.CHARS))
                    .isDeepEqualTo(tiny.encode(replaced).offsets(OffsetUnit.CHARS));
        }
    }

    @Test
    void everyCodePointComesBack() {
        StringBuilder text = new StringBuilder();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c < 0xD800 || c > 0xDFFF) {
                text.appendCodePoint(c);
            }
        }
        String all = text.toString();
        assertThat(tiny.decode(tiny.ids(all)).equals(all)).isTrue();
    }

    @Test
    void randomTextComesBackAndOffsetsFit() {
        Random random = new Random(2);
        for (int i = 0; i < 3000; i++) {
            String text = Fixtures.randomText(random, 30);
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            Encoding encoding = tiny.encode(text);
            int[] ids = tiny.ids(text);
            assertThat(encoding.ids()).isEqualTo(ids);
            assertThat(tiny.decode(ids)).isEqualTo(text);
            assertThat(tiny.decodeBytes(ids)).isEqualTo(bytes);
            int nextByte = 0;
            int lastChar = 0;
            for (int t = 0; t < encoding.size(); t++) {
                // Bytes are cut without gaps, each range being just what the id stands for.
                assertThat(encoding.start(t, OffsetUnit.BYTES)).isEqualTo(nextByte);
                nextByte = encoding.end(t, OffsetUnit.BYTES);
                assertThat(tiny.decodeBytes(new int[]{ids[t]}))
                        .isEqualTo(Arrays.copyOfRange(bytes, encoding.start(t, OffsetUnit.BYTES), nextByte));
                // Characters are the smallest whole ones around these bytes.
                int start = encoding.start(t, OffsetUnit.CHARS);
                int end = encoding.end(t, OffsetUnit.CHARS);
                assertThat(start).isBetween(lastChar - 2, lastChar).isLessThan(end);
                assertThat(text.substring(0, start).getBytes(StandardCharsets.UTF_8).length)
                        .isLessThanOrEqualTo(encoding.start(t, OffsetUnit.BYTES));
                assertThat(text.substring(0, end).getBytes(StandardCharsets.UTF_8).length)
                        .isGreaterThanOrEqualTo(nextByte);
                assertThat(encoding.start(t, OffsetUnit.CODE_POINTS)).isEqualTo(text.codePointCount(0, start));
                assertThat(encoding.end(t, OffsetUnit.CODE_POINTS)).isEqualTo(text.codePointCount(0, end));
                lastChar = end;
            }
            assertThat(nextByte).isEqualTo(bytes.length);
            assertThat(lastChar).isEqualTo(text.length());
        }
    }

    @Test
    void handsOutCopies() {
        Encoding encoding = tiny.encode("the end");
        int[] ids = encoding.ids();
        ids[0] = -5;
        encoding.offsets(OffsetUnit.CHARS)[0][0] = -5;
        assertThat(encoding.ids()[0]).isNotEqualTo(-5);
        assertThat(encoding.start(0, OffsetUnit.CHARS)).isZero();
        // The ids that the cache holds are not handed out either.
        tiny.ids("the")[0] = -5;
        assertThat(tiny.ids("the")[0]).isNotEqualTo(-5);
    }

    @Test
    void refusesNull() {
        assertThatThrownBy(() -> tiny.ids(null)).isInstanceOf(NullPointerException.class);
        assertThat(tiny.ids(new StringBuilder("the"))).isEqualTo(tiny.ids("the"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", " ", "é", "the", "\n", "1", "!", "\uD83D\uDE42", "ab12", " the"})
    void aMillionCharactersAreNoTrouble(String unit) {
        String text = unit.repeat(1_000_000 / unit.length());
        assertThat(tiny.decode(tiny.ids(text)).equals(text)).isTrue();
    }

    @Test
    void manyThreadsGetTheSameIds() throws Exception {
        Random random = new Random(3);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            texts.add(Fixtures.randomText(random, 60));
        }
        Tokenizer alone = Fixtures.tiny(directory.resolve("alone"));
        List<int[]> expected = texts.stream().map(alone::ids).toList();
        Tokenizer together = Fixtures.tiny(directory.resolve("together"));
        Callable<List<int[]>> work = () -> texts.stream().map(together::ids).toList();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (Future<List<int[]>> answer : threads.invokeAll(java.util.Collections.nCopies(16, work))) {
                for (int i = 0; i < texts.size(); i++) {
                    assertThat(answer.get().get(i)).isEqualTo(expected.get(i));
                }
            }
        }
    }

    @Test
    void addedTokensAreFoundAsTheReferenceFindsThem() throws IOException {
        String added = "[" + String.join(",", Fixtures.added(999, Fixtures.END, "\"special\":true"),
                Fixtures.added(1000, "éé", "\"normalized\":false"),
                Fixtures.added(1001, "[M]", "\"lstrip\":true,\"rstrip\":true"),
                Fixtures.added(1002, "word", "\"single_word\":true"), Fixtures.added(397, "ab", ""),
                Fixtures.added(1004, "abc", ""), Fixtures.added(1005, "bcd", "\"normalized\":false")) + "]";
        Tokenizer tokenizer = Tokenizer.load(
                Fixtures.writeTokenizerJson(directory.resolve("added"), Map.of("added_tokens", added), Map.of()));
        // Ids and offsets of the tokenizers library.
        assertThat(tokenizer.ids("a  [M]  b [M]  [M] ")).containsExactly(64, 1001, 65, 1001, 1001);
        assertThat(tokenizer.encode("a  [M]  b [M]  [M] ").offsets(OffsetUnit.CHARS))
                .isDeepEqualTo(new int[][]{{0, 1}, {1, 8}, {8, 9}, {9, 15}, {15, 19}});
        assertThat(tokenizer.ids("word sword word. _word wordé word"))
                .containsExactly(1002, 264, 86, 585, 220, 1002, 13, 220, 62, 86, 585, 476, 67, 127, 102, 220, 1002);
        assertThat(tokenizer.ids("abc ab abx")).containsExactly(1004, 220, 397, 220, 397, 87);
        // Not normalized comes first, although "abc" would start further left.
        assertThat(tokenizer.ids("abcd")).containsExactly(64, 1005);
        // An added token is its own text, not bytes in disguise; the reference gives U+FFFD here.
        assertThat(tokenizer.ids("ééé")).containsExactly(1000, 127, 102);
        assertThat(tokenizer.decode(tokenizer.ids("ééé"))).isEqualTo("ééé");
        assertThat(tokenizer.decode(tokenizer.ids("abc[M]<|endoftext|>"), true)).isEqualTo("abc[M]");
        assertThat(tokenizer.vocabularySize()).isEqualTo(1006);
    }

    @Test
    void addedTokensOfAllFilesAreJoined() throws IOException {
        Path files = Fixtures.writeTiny(directory.resolve("joined"));
        Files.writeString(files.resolve("added_tokens.json"), "{\"<user>\": 1000, \"<bot>\": 1001}");
        Files.writeString(files.resolve("special_tokens_map.json"),
                "{\"eos_token\": \"<eos>\", \"pad_token\": {\"content\": \"<pad>\", \"lstrip\": true},"
                        + " \"additional_special_tokens\": [\"<user>\"]}");
        Files.writeString(files.resolve("tokenizer_config.json"),
                "{\"eos_token\": {\"content\": \"<|endoftext|>\"}, \"bos_token\": null,"
                        + " \"added_tokens_decoder\": {\"1005\": {\"content\": \"<far>\", \"rstrip\": true, \"special\": false}}}");
        Tokenizer tokenizer = Tokenizer.load(files);
        assertThat(tokenizer.id("<user>")).hasValue(1000);
        assertThat(tokenizer.isSpecial(1000)).isTrue();
        assertThat(tokenizer.isSpecial(1001)).isFalse();
        assertThat(tokenizer.contains(1002)).isFalse();
        assertThat(tokenizer.id("<far>")).hasValue(1005);
        // No file gives this one an id: the next.
        assertThat(tokenizer.padding()).hasValue(1006);
        // tokenizer_config.json has the last word, a null in it too.
        assertThat(tokenizer.endOfText()).hasValue(999);
        assertThat(tokenizer.beginOfText()).isEmpty();
        assertThat(tokenizer.id("<eos>")).isEmpty();
        String text = "<user>a<bot>b<far>   c  <pad>";
        assertThat(tokenizer.ids(text)).containsExactly(1000, 64, 1001, 65, 1005, 66, 1006);
        assertThat(tokenizer.decode(tokenizer.ids(text), true)).isEqualTo("a<bot>b<far>c");
    }

    @Test
    void aSparseVocabularyWorks() throws IOException {
        Map<String, Integer> sparse = new LinkedHashMap<>();
        Fixtures.vocabulary().forEach((token, id) -> sparse.put(token, id * 7 + 3));
        Tokenizer tokenizer = Tokenizer.load(Fixtures.write(directory.resolve("sparse"), sparse, Fixtures.merges()));
        assertThat(tokenizer.vocabularySize()).isEqualTo(999 * 7 + 4);
        assertThat(tokenizer.contains(4)).isFalse();
        Random random = new Random(4);
        for (int i = 0; i < 200; i++) {
            String text = Fixtures.randomText(random, 30);
            assertThat(tokenizer.ids(text)).isEqualTo(Arrays.stream(tiny.ids(text)).map(id -> id * 7 + 3).toArray());
            assertThat(tokenizer.decode(tokenizer.ids(text))).isEqualTo(text);
        }
    }

    @Test
    void theLaterOfTwoEqualMergesHolds() throws IOException {
        Map<String, Integer> vocabulary = Fixtures.vocabulary(List.of("a b", "b c"));
        Path first = Fixtures.write(directory.resolve("once"), vocabulary, List.of("a b", "b c"));
        Path again = Fixtures.write(directory.resolve("again"), vocabulary, List.of("a b", "b c", "a b"));
        assertThat(Tokenizer.load(first).encode("abc").tokens()).containsExactly("ab", "c");
        assertThat(Tokenizer.load(again).encode("abc").tokens()).containsExactly("a", "bc");
    }

    @Test
    void mergesAreReadInAllTheirForms() throws IOException {
        Path files = Fixtures.writeTiny(directory.resolve("crlf"));
        Files.writeString(files.resolve("merges.txt"), "#version: 0.2\r\n" + String.join("\r\n", Fixtures.merges()));
        assertThat(Tokenizer.load(files).ids("in the end")).isEqualTo(tiny.ids("in the end")).hasSize(3);
        Files.writeString(files.resolve("merges.txt"), String.join("\n", Fixtures.merges()));
        assertThat(Tokenizer.load(files).ids("in the end")).isEqualTo(tiny.ids("in the end"));
        String old = "[" + String.join(",", Fixtures.merges().stream().map(Fixtures::quote).toList()) + "]";
        Path json = Fixtures.writeTokenizerJson(directory.resolve("old"), Map.of(), Map.of("merges", old));
        assertThat(Tokenizer.load(json).ids("in the end")).isEqualTo(tiny.ids("in the end"));
    }

    @ParameterizedTest
    @CsvSource({"true,3", "false,2"})
    void prefixSpace(boolean configured, int size) throws IOException {
        Path files = Fixtures.writeTiny(directory.resolve("prefix" + configured));
        Files.writeString(files.resolve("tokenizer_config.json"), "{\"add_prefix_space\": " + configured + "}");
        Encoding encoding = Tokenizer.load(files).encode("a<|endoftext|>the");
        if (configured) {
            assertThat(encoding.ids()).containsExactly(257, 999, 262);
            assertThat(encoding.offsets(OffsetUnit.CHARS)).isDeepEqualTo(new int[][]{{0, 1}, {1, 14}, {14, 17}});
            // A space of its own covers the first character, as in the reference, but no byte.
            Encoding alone = Tokenizer.load(files).encode("\nthe");
            assertThat(alone.tokens()).containsExactly("Ġ", "Ċ", "t", "he");
            assertThat(alone.offsets(OffsetUnit.CODE_POINTS))
                    .isDeepEqualTo(new int[][]{{0, 1}, {0, 1}, {1, 2}, {2, 4}});
            assertThat(alone.offsets(OffsetUnit.BYTES)).isDeepEqualTo(new int[][]{{0, 0}, {0, 1}, {1, 2}, {2, 4}});
            assertThat(Tokenizer.load(files).ids(" the")).containsExactly(262);
            assertThat(Tokenizer.load(files).ids("")).isEmpty();
        } else {
            assertThat(encoding.ids()).containsExactly(64, 999, 83, 258);
        }
    }

    /** Offsets of the tokenizers library for the post-processor's settings. */
    @Test
    void trimmedOffsets() throws IOException {
        Map<String, String> keepFirst = Map.of("post_processor", "{\"type\":\"ByteLevel\"}", "added_tokens",
                "[" + Fixtures.added(1000, "[M]", "\"lstrip\":true") + "]");
        Tokenizer first = Tokenizer.load(Fixtures.writeTokenizerJson(directory.resolve("trim1"), keepFirst, Map.of()));
        assertThat(first.encode(" hello").offsets(OffsetUnit.CHARS)).isDeepEqualTo(new int[][]{{0, 3}, {3, 5}, {5, 6}});
        assertThat(first.encode("  the").offsets(OffsetUnit.CHARS)).isDeepEqualTo(new int[][]{{0, 0}, {2, 5}});
        assertThat(first.encode("   ").offsets(OffsetUnit.CHARS)).isDeepEqualTo(new int[][]{{0, 0}, {2, 2}, {3, 3}});
        assertThat(first.encode("  [M]").offsets(OffsetUnit.CHARS)).isDeepEqualTo(new int[][]{{2, 5}});
        assertThat(first.encode(" [M]").offsets(OffsetUnit.CHARS)).isDeepEqualTo(new int[][]{{0, 4}});
        Map<String, String> all = Map.of("post_processor", "{\"type\":\"ByteLevel\",\"add_prefix_space\":false}");
        Tokenizer every = Tokenizer.load(Fixtures.writeTokenizerJson(directory.resolve("trim2"), all, Map.of()));
        assertThat(every.encode(" hello").offsets(OffsetUnit.BYTES)).isDeepEqualTo(new int[][]{{1, 3}, {3, 5}, {5, 6}});
        assertThat(every.encode("the  ").offsets(OffsetUnit.CHARS))
                .isDeepEqualTo(new int[][]{{0, 1}, {1, 3}, {4, 4}, {5, 5}});
    }

    @Test
    void wordsMayBeLeftUncut() throws IOException {
        Map<String, String> parts = Map.of("pre_tokenizer",
                "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false}]}");
        Map<String, Integer> vocabulary = Fixtures.vocabulary(List.of("Ġ t", "a Ġt"));
        Map<String, String> model = Map.of("vocab", Fixtures.json(vocabulary), "merges", "[\"Ġ t\", \"a Ġt\"]");
        Path files = Fixtures.writeTokenizerJson(directory.resolve("uncut"),
                Map.of("pre_tokenizer", parts.get("pre_tokenizer"), "added_tokens", "[]"), model);
        assertThat(Tokenizer.load(files).encode("a t").tokens()).containsExactly("aĠt");
    }

    @Test
    void aTemplatePutsIdsAroundTheText() throws IOException {
        String template = "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"<|endoftext|>\","
                + "\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"pair\":[],\"special_tokens\":"
                + "{\"<|endoftext|>\":{\"id\":\"<|endoftext|>\",\"ids\":[999],\"tokens\":[\"<|endoftext|>\"]}}}";
        Path files = Fixtures.writeTokenizerJson(directory.resolve("template"), Map.of("post_processor", template),
                Map.of());
        Encoding encoding = Tokenizer.load(files).encode(" the");
        assertThat(encoding.ids()).containsExactly(999, 262);
        assertThat(encoding.offsets(OffsetUnit.CHARS)).isDeepEqualTo(new int[][]{{0, 0}, {0, 4}});
        Path configured = Fixtures.writeTiny(directory.resolve("addBos"));
        Files.writeString(configured.resolve("tokenizer_config.json"),
                "{\"add_bos_token\":true,\"add_eos_token\":true}");
        assertThat(Tokenizer.load(configured).ids(" the")).containsExactly(999, 262, 999);
    }

    /** Ids, types, words and offsets of the tokenizers library. */
    @Test
    void pairsTruncationAndWindows() {
        EncodingOptions options = EncodingOptions.defaults();
        Encoding encoding = tiny.encode("the end's<|endoftext|> in", "\u00e9 and", options);
        assertThat(encoding.ids()).containsExactly(83, 258, 886, 338, 999, 287, 127, 102, 290);
        assertThat(encoding.typeIds()).containsExactly(0, 0, 0, 0, 0, 0, 1, 1, 1);
        assertThat(encoding.attentionMask()).containsOnly(1);
        assertThat(IntStream.range(0, 9).map(encoding::wordOf)).containsExactly(0, 0, 1, 2, 3, 4, 0, 0, 1);
        assertThat(IntStream.range(0, 9).map(encoding::textOf)).containsExactly(0, 0, 0, 0, 0, 0, 1, 1, 1);
        assertThat(encoding.offsets(OffsetUnit.CHARS)).isDeepEqualTo(new int[][]{{0, 1}, {1, 3}, {3, 7}, {7, 9},
            {9, 22}, {22, 25}, {0, 1}, {0, 1}, {1, 5}});
        List<Encoding> windows = tiny.windows("the end's in", "\u00e9",
                options.withMaxLength(6).withStride(1).withTruncation(Truncation.ONLY_FIRST));
        assertThat(windows).extracting(Encoding::ids).containsExactly(new int[]{83, 258, 886, 338, 127, 102},
                new int[]{338, 287, 127, 102});
        assertThat(windows.getLast().truncated()).isTrue();
        assertThat(tiny.encode("the end's in", "\u00e9 and", options.withMaxLength(5)).ids()).containsExactly(83, 258,
                886, 127, 102);
        assertThatThrownBy(() -> tiny.encode("the", null, options.withPadTo(9)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("no padding token");
        assertThat(tiny.continuingPrefix()).isEmpty();
        assertThat(tiny.mask()).isEmpty();
        assertThat(tiny.classification()).isEmpty();
        assertThat(tiny.separator()).isEmpty();
    }

    /** As transformers' GPT2Tokenizer puts its begin token before each text. */
    @Test
    void theBeginTokenStandsBeforeBothTexts() throws IOException {
        Path files = Fixtures.writeTiny(directory.resolve("bosPair"));
        Files.writeString(files.resolve("tokenizer_config.json"),
                "{\"add_bos_token\":true,\"pad_token\":\"<|endoftext|>\",\"model_max_length\":1e30}");
        Tokenizer tokenizer = Tokenizer.load(files);
        Encoding encoding = tokenizer.encode(" the", " in", EncodingOptions.defaults().withPadTo(6));
        assertThat(encoding.ids()).containsExactly(999, 262, 999, 287, 999, 999);
        assertThat(encoding.typeIds()).containsExactly(0, 0, 1, 1, 0, 0);
        assertThat(encoding.attentionMask()).containsExactly(1, 1, 1, 1, 0, 0);
        assertThat(tokenizer.maximumLength()).isEmpty();
    }

    /** A template that says nothing of pairs. */
    @Test
    void aPairWithoutATemplateIsRefused() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(Fixtures.writeTokenizerJson(directory.resolve("noPair"),
                Map.of("post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\","
                        + "\"type_id\":0}}],\"pair\":[],\"special_tokens\":{}}"),
                Map.of()));
        assertThat(tokenizer.ids(" the")).containsExactly(262);
        assertThatThrownBy(() -> tokenizer.encode(" the", " in", EncodingOptions.defaults()))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("expected one text");
    }

    /** The embedded model is read out of the jar. */
    @Test
    void readsOutOfAZipFile() throws IOException {
        try (FileSystem zip = FileSystems.newFileSystem(directory.resolve("model.zip"), Map.of("create", "true"))) {
            Path files = Fixtures.writeTiny(zip.getPath("/model"));
            assertThat(Tokenizer.isPresent(files)).isTrue();
            assertThat(Tokenizer.load(files).ids("in the end")).isEqualTo(tiny.ids("in the end"));
        }
    }

    @Test
    void missingBytesAreSpelledByTheUnknownToken() throws IOException {
        Map<String, Integer> vocabulary = new LinkedHashMap<>(Map.of("a", 0, "b", 1, "ab", 2, "<unk>", 3));
        Map<String, String> parts = Map.of("added_tokens", "[" + Fixtures.added(3, "<unk>", "\"special\":true") + "]");
        Path files = Fixtures.writeTokenizerJson(directory.resolve("unknown"), parts,
                Map.of("vocab", Fixtures.json(vocabulary), "merges", "[\"a b\"]", "unk_token", "\"<unk>\""));
        Encoding encoding = Tokenizer.load(files).encode("abéb");
        assertThat(encoding.ids()).containsExactly(2, 3, 3, 1);
        assertThat(encoding.offsets(OffsetUnit.CHARS)).isDeepEqualTo(new int[][]{{0, 2}, {2, 3}, {2, 3}, {3, 4}});
    }
}
