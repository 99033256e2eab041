package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WordPieceTokenizerTest {
    @TempDir
    private static Path directory;
    private static WordPieceTokenizer uncased;

    @BeforeAll
    static void load() throws IOException {
        uncased = WordPieceTokenizer.load(WordPieceFixtures.write(directory.resolve("uncased"), null));
    }

    /** Answers of the tokenizers library 0.23.2 with the same vocabulary. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"uncased|", "uncased|{}", "uncased|{\"strip_accents\":null}",
        "cased|{\"do_lower_case\":false}", "accents|{\"do_lower_case\":true,\"strip_accents\":false}",
        "stripped|{\"do_lower_case\":false,\"strip_accents\":true,\"tokenize_chinese_chars\":false}"})
    void saysWhatTheReferenceSays(String name, String config) throws IOException {
        Path files = WordPieceFixtures.write(directory.resolve(name + String.valueOf(config).hashCode()), config);
        Tokenizer tokenizer = Tokenizer.load(files);
        int checked = 0;
        for (Map<?, ?> row : Fixtures.rows(Fixtures.resource("bert-tiny-expected.jsonl"))) {
            if (row.get("tokenizer").equals(name)) {
                String text = (String) row.get("text");
                String pair = (String) row.get("pair");
                Encoding encoding = tokenizer.encode(text, pair, EncodingOptions.defaults());
                assertThat(encoding.ids()).as("%s", text).isEqualTo(Fixtures.ints(row.get("ids")));
                assertThat(encoding.typeIds()).as("%s", text).isEqualTo(Fixtures.ints(row.get("types")));
                assertThat(encoding.offsets(OffsetUnit.CODE_POINTS)).as("%s", text)
                        .isDeepEqualTo(Fixtures.pairs(row.get("offsets")));
                assertThat(IntStream.range(0, encoding.size()).map(encoding::wordOf)).as("%s", text)
                        .containsExactly(
                                Arrays.stream(Fixtures.ints(row.get("words"))).boxed().toArray(Integer[]::new));
                assertThat(tokenizer.decode(encoding.ids(), true)).as("%s", text).isEqualTo(row.get("decode"));
                if (pair == null) {
                    assertThat(tokenizer.ids(text)).as("%s", text).isEqualTo(encoding.ids());
                }
                checked++;
            }
        }
        assertThat(checked).isGreaterThan(60);
    }

    @Test
    void tokenizerJsonSaysTheSame() throws IOException {
        Tokenizer json = Tokenizer.load(WordPieceFixtures.writeJson(directory.resolve("json"), Map.of(), Map.of()));
        String bert = "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}";
        Tokenizer older = Tokenizer.load(WordPieceFixtures.writeJson(directory.resolve("older"),
                Map.of("post_processor", bert), Map.of()));
        for (Map<?, ?> row : Fixtures.rows(Fixtures.resource("bert-tiny-expected.jsonl"))) {
            if (row.get("tokenizer").equals("uncased")) {
                for (Tokenizer tokenizer : List.of(json, older)) {
                    Encoding encoding = tokenizer.encode((String) row.get("text"), (String) row.get("pair"),
                            EncodingOptions.defaults());
                    assertThat(encoding.ids()).isEqualTo(Fixtures.ints(row.get("ids")));
                    assertThat(encoding.typeIds()).isEqualTo(Fixtures.ints(row.get("types")));
                }
            }
        }
    }

    @Test
    void knowsItsVocabularyAndItsRoles() {
        assertThat(uncased.vocabularySize()).isEqualTo(WordPieceFixtures.vocabulary().size());
        assertThat(uncased.padding()).hasValue(0);
        assertThat(uncased.unknown()).hasValue(1);
        assertThat(uncased.classification()).hasValue(2);
        assertThat(uncased.separator()).hasValue(3);
        assertThat(uncased.mask()).hasValue(4);
        assertThat(uncased.beginOfText()).isEmpty();
        assertThat(uncased.endOfText()).isEmpty();
        assertThat(uncased.maximumLength()).isEmpty();
        assertThat(uncased.padsLeft()).isFalse();
        assertThat(uncased.continuingPrefix()).isEqualTo("##");
        assertThat(uncased.isSpecial(4)).isTrue();
        assertThat(uncased.isSpecial(5)).isFalse();
        assertThat(uncased.token(uncased.id("##ing").orElseThrow())).isEqualTo("##ing");
        assertThat(uncased.id("nothing")).isEmpty();
    }

    @Test
    void aPairHasTypesTextsAndWords() {
        Encoding encoding = uncased.encode("Bob is good.", "He has three kids!", EncodingOptions.defaults());
        assertThat(encoding.tokens()).containsExactly("[CLS]", "bob", "is", "good", ".", "[SEP]", "he", "has", "three",
                "kids", "!", "[SEP]");
        assertThat(encoding.typeIds()).containsExactly(0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1);
        assertThat(encoding.attentionMask()).containsOnly(1);
        assertThat(IntStream.range(0, 12).map(encoding::textOf)).containsExactly(-1, 0, 0, 0, 0, -1, 1, 1, 1, 1, 1, -1);
        assertThat(IntStream.range(0, 12).map(encoding::wordOf)).containsExactly(-1, 0, 1, 2, 3, -1, 0, 1, 2, 3, 4, -1);
        assertThat(encoding.start(9, OffsetUnit.CHARS)).isEqualTo(13);
        assertThat(encoding.truncated()).isFalse();
        Encoding bare = uncased.encode("Bob", "he", EncodingOptions.defaults().withSpecialTokens(false));
        assertThat(bare.tokens()).containsExactly("bob", "he");
        assertThat(bare.typeIds()).containsExactly(0, 1);
    }

    @Test
    void offsetsPointIntoTheTextAsItWasGiven() {
        String text = "  \u0130s CAF\u00C9\u200b! e\u0301\ud83d\ude42";
        Encoding encoding = uncased.encode(text);
        assertThat(encoding.tokens()).containsExactly("[CLS]", "is", "c", "##a", "##f", "##e", "!", "e",
                "##\ud83d\ude42",
                "[SEP]");
        List<String> parts = new ArrayList<>();
        for (int i = 0; i < encoding.size(); i++) {
            parts.add(text.substring(encoding.start(i, OffsetUnit.CHARS), encoding.end(i, OffsetUnit.CHARS)));
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            assertThat(new String(bytes, encoding.start(i, OffsetUnit.BYTES),
                    encoding.end(i, OffsetUnit.BYTES) - encoding.start(i, OffsetUnit.BYTES), StandardCharsets.UTF_8))
                    .isEqualTo(parts.getLast());
        }
        assertThat(parts).containsExactly("", "\u0130s", "C", "A", "F", "\u00C9", "!", "e", "\ud83d\ude42", "");
        assertThat(encoding.end(8, OffsetUnit.CODE_POINTS)).isEqualTo(text.codePointCount(0, text.length()));
    }

    @ParameterizedTest
    @CsvSource({"LONGEST_FIRST,9,3,3", "LONGEST_FIRST,8,3,2", "LONGEST_FIRST,7,2,2", "LONGEST_FIRST,3,0,0",
        "ONLY_FIRST,10,3,4", "ONLY_SECOND,10,6,1", "NONE,5,6,4", "LONGEST_FIRST,100,6,4", "LONGEST_FIRST,0,6,4"})
    void truncation(Truncation truncation, int maxLength, int first, int second) {
        EncodingOptions options = EncodingOptions.defaults().withTruncation(truncation).withMaxLength(maxLength);
        Encoding encoding = uncased.encode("the man is a good token", "he has three kids", options);
        assertThat(IntStream.range(0, encoding.size()).filter(i -> encoding.textOf(i) == 0)).hasSize(first);
        assertThat(IntStream.range(0, encoding.size()).filter(i -> encoding.textOf(i) == 1)).hasSize(second);
        assertThat(encoding.truncated()).isEqualTo(first + second < 10);
        assertThat(encoding.tokens().getLast()).isEqualTo("[SEP]");
    }

    @Test
    void whatCannotBeCutIsRefused() {
        EncodingOptions options = EncodingOptions.defaults();
        assertThatThrownBy(() -> uncased.encode("the man", "he has", options.withMaxLength(2)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a maximum length of 2 has no room for 3 special tokens");
        assertThatThrownBy(() -> uncased.encode("the man", "he has three kids",
                options.withMaxLength(6).withTruncation(Truncation.ONLY_FIRST)))
                .isInstanceOf(IllegalArgumentException.class).hasMessage("the first text has 2 ids, and 3 of it would"
                        + " have to go to keep within 6, expected a longer maximum length or another truncation");
        assertThatThrownBy(() -> uncased.encode("the man has kids", null,
                options.withMaxLength(4).withTruncation(Truncation.ONLY_SECOND)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("there is no second text, expected a pair of texts");
        assertThatThrownBy(() -> uncased.windows("the man has kids", null, options.withMaxLength(4).withStride(2)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("expected a smaller stride");
        assertThatThrownBy(() -> options.withMaxLength(-1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("maxLength is -1, expected 0 or more");
        assertThatThrownBy(() -> options.withTruncation(null)).isInstanceOf(NullPointerException.class);
        assertThatThrownBy(() -> uncased.encode(null)).isInstanceOf(NullPointerException.class);
    }

    @Test
    void windowsHoldAllOfALongText() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 101; i++) {
            text.append(i % 10).append(i % 3 == 0 ? " the " : " ");
        }
        EncodingOptions options = EncodingOptions.defaults().withMaxLength(12).withStride(3)
                .withTruncation(Truncation.ONLY_SECOND);
        List<Encoding> windows = uncased.windows("he has", text, options);
        int[] whole = uncased.encode(text, null, EncodingOptions.defaults().withSpecialTokens(false)).ids();
        List<Integer> joined = new ArrayList<>();
        for (Encoding window : windows) {
            assertThat(window.size()).isLessThanOrEqualTo(12);
            assertThat(window.truncated()).isTrue();
            int[] ids = IntStream.range(0, window.size()).filter(i -> window.textOf(i) == 1).map(i -> window.ids()[i])
                    .toArray();
            int shared = joined.isEmpty() ? 0 : 3;
            for (int i = 0; i < shared; i++) {
                assertThat(ids[i]).isEqualTo(joined.get(joined.size() - shared + i));
            }
            Arrays.stream(ids).skip(shared).forEach(joined::add);
        }
        assertThat(joined).containsExactlyElementsOf(Arrays.stream(whole).boxed().toList());
        assertThat(uncased.windows("he has", "three kids", options)).hasSize(1);
        assertThat(uncased.encode("he has", text, options).ids()).isEqualTo(windows.getFirst().ids());
    }

    /** Parts of both texts meet in the reference's order; its tokens for one letter each. */
    @Test
    void windowsOfTwoLongTexts() {
        EncodingOptions options = EncodingOptions.defaults().withMaxLength(7);
        List<String> windows = uncased.windows("a b c d", "k l m", options).stream()
                .map(window -> String.join("", window.tokens()).replace("[CLS]", "").replace("[SEP]", "|")).toList();
        assertThat(windows).containsExactly("ab|kl|", "cd|kl|", "cd|m|", "ab|m|");
    }

    @Test
    void padding() throws IOException {
        EncodingOptions options = EncodingOptions.defaults();
        Encoding padded = uncased.encode("he has", null, options.withPadTo(6));
        assertThat(padded.tokens()).containsExactly("[CLS]", "he", "has", "[SEP]", "[PAD]", "[PAD]");
        assertThat(padded.attentionMask()).containsExactly(1, 1, 1, 1, 0, 0);
        assertThat(padded.wordOf(5)).isEqualTo(-1);
        assertThat(padded.textOf(5)).isEqualTo(-1);
        assertThat(uncased.encode("he has", null, options.withPadTo(2)).size()).isEqualTo(4);
        assertThat(uncased.encode("he has", null, options.withPadToMultipleOf(8)).size()).isEqualTo(8);
        assertThat(uncased.encode("he has", null, options.withPadTo(9).withPadToMultipleOf(8)).size()).isEqualTo(16);
        List<Encoding> batch = Encoding.pad(List.of(uncased.encode("he"), uncased.encode("he has three kids")),
                uncased);
        assertThat(batch).extracting(Encoding::size).containsExactly(6, 6);
        assertThat(Encoding.pad(batch, uncased, 4)).extracting(Encoding::size).containsExactly(8, 8);
        assertThat(Encoding.pad(List.of(), uncased)).isEmpty();
        Tokenizer left = Tokenizer.load(WordPieceFixtures.write(directory.resolve("left"),
                "{\"padding_side\":\"left\",\"truncation_side\":\"left\"}"));
        assertThat(left.encode("he has", null, options.withPadTo(6)).tokens()).containsExactly("[PAD]", "[PAD]",
                "[CLS]", "he", "has", "[SEP]");
        assertThat(left.encode("he has three kids", null, options.withMaxLength(4)).tokens()).containsExactly("[CLS]",
                "three", "kids", "[SEP]");
        assertThat(left.windows("he has three kids", null, options.withMaxLength(5).withStride(1)).getLast().tokens())
                .containsExactly("[CLS]", "he", "has", "[SEP]");
        Path files = WordPieceFixtures.write(directory.resolve("padless"), "{\"pad_token\":null}");
        assertThatThrownBy(() -> Tokenizer.load(files).encode("he", null, options.withPadTo(6)))
                .isInstanceOf(IllegalArgumentException.class).hasMessage(
                        "the tokenizer has no padding token, so 3 ids cannot be filled up to 6");
    }

    @Test
    void decodingCleansUpUnlessAskedNotTo() {
        int[] ids = uncased.ids("he has three , good kids ! ( is it ? )");
        assertThat(uncased.decode(ids)).isEqualTo("[CLS] he has three, good kids! ( is it? ) [SEP]");
        assertThat(uncased.decode(ids, true)).isEqualTo("he has three, good kids! ( is it? )");
        assertThat(uncased.decode(ids, true, false)).isEqualTo("he has three , good kids ! ( is it ? )");
        assertThat(new String(uncased.decodeBytes(ids), StandardCharsets.UTF_8)).isEqualTo(uncased.decode(ids));
        int ing = uncased.id("##ing").orElseThrow();
        assertThat(uncased.decode(new int[]{ing, ing})).isEqualTo("##inging");
        assertThat(uncased.decode(new int[]{ing, 10_000, ing})).isEqualTo("##inging");
        assertThatThrownBy(() -> uncased.decode(new int[]{-1})).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("token id -1 is negative");
    }

    @Test
    void streamedPiecesJoinToTheWhole() {
        Random random = new Random(11);
        for (int i = 0; i < 3000; i++) {
            int[] ids = random.ints(random.nextInt(30), 0, uncased.vocabularySize() + 3).toArray();
            boolean skip = random.nextBoolean();
            StreamingDecoder decoder = uncased.streamingDecoder(skip);
            for (int round = 0; round < 2; round++) {
                StringBuilder text = new StringBuilder();
                for (int id : ids) {
                    text.append(decoder.accept(id));
                }
                assertThat(text.append(decoder.finish()).toString()).isEqualTo(uncased.decode(ids, skip));
            }
        }
    }

    /** Ids of transformers' BertTokenizerLegacy for its never_split. */
    @Test
    void someWordsAreNeverSplit() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(WordPieceFixtures.write(directory.resolve("neverSplit"),
                "{\"never_split\":[\"The\",\"U.S.\",\"##ing\"]}"));
        Encoding encoding = tokenizer.encode("The the xThe The. U.S. a.b ##ing");
        assertThat(encoding.tokens()).containsExactly("[CLS]", "The", "the", "x", "##t", "##h", "##e", "the", ".",
                "[UNK]", "a", ".", "b", "##ing", "[SEP]");
        assertThat(encoding.offsets(OffsetUnit.CHARS)[9]).containsExactly(18, 22);
        assertThat(tokenizer.ids("The the xThe The. U.S. a.b ##ing")).isEqualTo(encoding.ids());
    }

    @Test
    void addedTokensAreFoundBeforeOrAfterNormalization() throws IOException {
        Path files = WordPieceFixtures.write(directory.resolve("added"),
                "{\"added_tokens_decoder\": {\"400\": {\"content\": \"Big Word\"},"
                        + "\"401\": {\"content\": \"EXACT\", \"normalized\": false}}, \"model_max_length\": 512}");
        Files.writeString(files.resolve("added_tokens.json"), "{\"Caf\u00e9\": 402}");
        Tokenizer tokenizer = Tokenizer.load(files);
        Encoding encoding = tokenizer.encode("a big wo\u0301rd EXACT exact CAFE\u0301 [MASK]");
        assertThat(encoding.ids()).startsWith(2, tokenizer.id("a").orElseThrow(), 400, 401).endsWith(402, 4, 3);
        assertThat(Arrays.copyOf(encoding.offsets(OffsetUnit.CHARS), 4))
                .isDeepEqualTo(new int[][]{{0, 0}, {0, 1}, {2, 11}, {12, 17}});
        assertThat(tokenizer.decode(new int[]{400, 402})).isEqualTo("Big Word Caf\u00e9");
        assertThat(tokenizer.maximumLength()).hasValue(512);
        assertThat(tokenizer.vocabularySize()).isEqualTo(403);
    }

    @Test
    void longWordsAreUnknown() throws IOException {
        assertThat(uncased.encode("a".repeat(100)).size()).isEqualTo(102);
        assertThat(uncased.encode("a".repeat(101)).tokens()).containsExactly("[CLS]", "[UNK]", "[SEP]");
        // The limit counts code points.
        assertThat(uncased.encode("\ud83d\ude42".repeat(100)).size()).isEqualTo(102);
        Tokenizer shorter = Tokenizer.load(WordPieceFixtures.writeJson(directory.resolve("short"), Map.of(),
                Map.of("max_input_chars_per_word", "3")));
        assertThat(shorter.encode("the that").tokens()).containsExactly("[CLS]", "the", "[UNK]", "[SEP]");
    }

    @Test
    void anotherPrefixAndNoPrefix() throws IOException {
        for (String prefix : List.of("", "@@")) {
            String vocabulary = "{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"ab\":3,\"" + prefix + "c\":4}";
            String decoder = "{\"type\":\"WordPiece\",\"prefix\":\"" + prefix + "\",\"cleanup\":false}";
            Tokenizer tokenizer = Tokenizer.load(WordPieceFixtures.writeJson(directory.resolve("prefix" + prefix),
                    Map.of("decoder", decoder, "added_tokens", "[]", "post_processor", "null"),
                    Map.of("vocab", vocabulary, "continuing_subword_prefix", '"' + prefix + '"')));
            assertThat(tokenizer.ids("abcc x")).containsExactly(3, 4, 4, 0);
            assertThat(tokenizer.continuingPrefix()).isEqualTo(prefix);
        }
    }

    @Test
    void whichFilesAreRead() throws IOException {
        Path both = WordPieceFixtures.write(directory.resolve("both"), null);
        Fixtures.writeTiny(both);
        assertThat(Tokenizer.load(both)).isInstanceOf(BytePairTokenizer.class);
        assertThatThrownBy(() -> WordPieceTokenizer.load(both)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("expected WordPiece");
        Files.writeString(both.resolve("tokenizer_config.json"), "{\"tokenizer_class\":\"BertTokenizerFast\"}");
        assertThat(Tokenizer.load(both)).isInstanceOf(WordPieceTokenizer.class);
        assertThatThrownBy(() -> BytePairTokenizer.load(both)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("expected byte-level BPE");
        Files.writeString(both.resolve("tokenizer_config.json"), "{\"tokenizer_class\":\"GPT2Tokenizer\"}");
        assertThat(Tokenizer.load(both)).isInstanceOf(BytePairTokenizer.class);
        WordPieceFixtures.writeJson(both, Map.of(), Map.of());
        assertThat(Tokenizer.load(both)).isInstanceOf(WordPieceTokenizer.class);
        assertThat(Tokenizer.isPresent(directory.resolve("uncased"))).isTrue();
    }

    @Test
    void vocabularyFilesInAllTheirForms() throws IOException {
        List<String> tokens = WordPieceFixtures.vocabulary();
        Path files = Files.createDirectories(directory.resolve("forms"));
        Files.writeString(files.resolve("vocab.txt"), "\uFEFF" + String.join("\r\n", tokens));
        assertThat(Tokenizer.load(files).ids("the unaffable")).isEqualTo(uncased.ids("the unaffable"));
        // A blank line is an id without a token; of two equal lines the later holds, as in the reference.
        Files.writeString(files.resolve("vocab.txt"), String.join("\n", tokens) + "\n\nthe\n");
        Tokenizer tokenizer = Tokenizer.load(files);
        assertThat(tokenizer.ids("the")).containsExactly(2, tokens.size() + 1, 3);
        assertThat(tokenizer.contains(tokens.size())).isFalse();
        assertThat(tokenizer.contains(tokens.indexOf("the"))).isFalse();
        assertThat(tokenizer.vocabularySize()).isEqualTo(tokens.size() + 2);
    }

    @Test
    void tokenizerConfigHasTheLastWord() throws IOException {
        Path files = WordPieceFixtures.writeJson(directory.resolve("lastWord"), Map.of(), Map.of());
        assertThat(Tokenizer.load(files).encode("THE").tokens()).containsExactly("[CLS]", "the", "[SEP]");
        Files.writeString(files.resolve("tokenizer_config.json"), "{\"do_lower_case\":false}");
        assertThat(Tokenizer.load(files).encode("The \u00e9").tokens()).containsExactly("[CLS]", "The", "\u00e9",
                "[SEP]");
        Path named = WordPieceFixtures.write(directory.resolve("named"),
                "{\"cls_token\":\"the\",\"sep_token\":{\"content\":\"is\"},\"unk_token\":\"he\"}");
        assertThat(Tokenizer.load(named).encode("bob \u4e00").tokens()).containsExactly("the", "bob", "he", "is");
    }

    @Test
    void neverThrowsAndOffsetsPointIntoTheText() throws IOException {
        Random random = new Random(12);
        List<Tokenizer> tokenizers = List.of(uncased,
                Tokenizer.load(directory.resolve("uncased")), Tokenizer.load(WordPieceFixtures.write(
                        directory.resolve("fuzz"), "{\"do_lower_case\":false,\"never_split\":[\"the\",\"\u00e9\"],"
                                + "\"added_tokens_decoder\":{\"400\":{\"content\":\"in\u00e9\",\"lstrip\":true}}}")));
        for (int i = 0; i < 20_000; i++) {
            String text = WordPieceFixtures.randomText(random, 24);
            String pair = random.nextInt(3) == 0 ? WordPieceFixtures.randomText(random, 24) : null;
            Tokenizer tokenizer = tokenizers.get(i % tokenizers.size());
            Encoding encoding = tokenizer.encode(text, pair, EncodingOptions.defaults());
            if (pair == null) {
                assertThat(tokenizer.ids(text)).isEqualTo(encoding.ids());
            }
            int[] lastStart = new int[2];
            int[] lastEnd = new int[2];
            for (int t = 0; t < encoding.size(); t++) {
                assertThat(tokenizer.contains(encoding.ids()[t])).isTrue();
                int of = encoding.textOf(t);
                int start = encoding.start(t, OffsetUnit.CHARS);
                int end = encoding.end(t, OffsetUnit.CHARS);
                if (of < 0) {
                    assertThat(start).isZero();
                    assertThat(end).isZero();
                    continue;
                }
                assertThat(start).isGreaterThanOrEqualTo(lastStart[of]).isLessThan(end);
                assertThat(end).isGreaterThanOrEqualTo(lastEnd[of])
                        .isLessThanOrEqualTo((of == 0 ? text : pair).length());
                lastStart[of] = start;
                lastEnd[of] = end;
            }
            tokenizer.decode(encoding.ids());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", " ", "\u00e9", "the", "\n", "!", "\ud83d\ude42", "\u4e2d", "\u0301", "\u302e",
        "\ud800",
        "[MASK]", "[", "\u0130", "##"})
    void aMillionCharactersAreNoTrouble(String unit) {
        String text = unit.repeat(1_000_000 / unit.length());
        int[] ids = uncased.ids(text);
        assertThat(uncased.encode(text).ids()).isEqualTo(ids);
        assertThat(ids).hasSizeLessThanOrEqualTo(1_000_002);
    }
}
