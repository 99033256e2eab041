package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every row of the reference files for BERT, with the real vocabularies. */
class WordPieceOracleTest {
    private static final Map<String, Tokenizer> TOKENIZERS = new HashMap<>();
    private static Path shared;
    private static Tokenizer uncased;

    @BeforeAll
    static void load(@TempDir Path directory) throws IOException {
        shared = Path.of(System.getProperty("vecformer.shared", "../../shared"));
        assumeTrue(Files.isDirectory(shared), "skipped: the reference files (../shared) are not here");
        uncased = Tokenizer.load(shared.resolve("oracle/vocab/bert-base-uncased"));
        TOKENIZERS.put("bert-base-uncased", uncased);
        for (String name : List.of("bert-base-cased", "bert-base-multilingual-cased")) {
            TOKENIZERS.put(name, configured(directory.resolve(name), name, "{\"do_lower_case\": false}"));
        }
    }

    private static Tokenizer configured(Path directory, String vocabulary, String config) throws IOException {
        Files.createDirectories(directory);
        Files.copy(shared.resolve("oracle/vocab/" + vocabulary + "/vocab.txt"), directory.resolve("vocab.txt"));
        Files.writeString(directory.resolve("tokenizer_config.json"), config);
        return Tokenizer.load(directory);
    }

    @ParameterizedTest
    @CsvSource({"uncased/blns,352", "uncased/fuzz,993", "uncased/fuzz_newer_unicode,300", "uncased/peers,1310",
        "uncased/prose_code,254", "uncased/torture,2446", "uncased/udhr,1021", "cased/blns,339", "cased/fuzz,987",
        "cased/fuzz_newer_unicode,300", "cased/peers,1318", "cased/torture,2449", "cased/udhr,347",
        "multilingual-cased/udhr,516"})
    void idsAndBack(String set, int atLeast) throws IOException {
        Tokenizer tokenizer = TOKENIZERS.get("bert-base-" + set.substring(0, set.indexOf('/')));
        List<Map<?, ?>> rows = rows("oracle/tokenizers/bert-base-" + set + ".jsonl");
        assertThat(rows).hasSizeGreaterThanOrEqualTo(atLeast);
        for (Map<?, ?> row : rows) {
            String text = (String) row.get("text");
            int[] expected = Fixtures.ints(row.get("ids"));
            assertThat(tokenizer.ids(text)).as("%s", row.get("id")).isEqualTo(expected);
            assertThat(tokenizer.encode(text).ids()).as("%s", row.get("id")).isEqualTo(expected);
            if (row.containsKey("decode")) {
                assertThat(tokenizer.decode(expected, true)).as("%s", row.get("id")).isEqualTo(row.get("decode"));
            }
        }
    }

    @Test
    void offsetsAndTokens() throws IOException {
        for (Map<?, ?> row : rows("oracle/tokenizers/bert-base-uncased/offsets.jsonl")) {
            Encoding encoding = uncased.encode((String) row.get("text"));
            assertThat(encoding.tokens()).as("%s", row.get("id")).isEqualTo(row.get("tokens"));
            assertThat(encoding.offsets(OffsetUnit.CODE_POINTS)).as("%s", row.get("id"))
                    .isDeepEqualTo(Fixtures.pairs(row.get("offsets_codepoints")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-base-uncased", "bert-base-cased"})
    void decoding(String name) throws IOException {
        WordPieceTokenizer tokenizer = (WordPieceTokenizer) TOKENIZERS.get(name);
        for (Map<?, ?> row : rows("oracle/tokenizers/" + name + "/decode.jsonl")) {
            int[] ids = Fixtures.ints(row.get("ids"));
            assertThat(tokenizer.decode(ids)).as("%s", row.get("id")).isEqualTo(row.get("text"));
            assertThat(tokenizer.decode(ids, true)).as("%s", row.get("id")).isEqualTo(row.get("text_skip_special"));
            assertThat(tokenizer.decode(ids, false, false)).as("%s", row.get("id"))
                    .isEqualTo(row.get("text_no_cleanup"));
            for (boolean skip : new boolean[]{false, true}) {
                StreamingDecoder decoder = tokenizer.streamingDecoder(skip);
                StringBuilder text = new StringBuilder();
                for (int id : ids) {
                    text.append(decoder.accept(id));
                }
                assertThat(text.append(decoder.finish()).toString()).as("%s", row.get("id"))
                        .isEqualTo(row.get(skip ? "text_skip_special" : "text"));
            }
        }
    }

    @Test
    void pairsTruncationAndPadding() throws IOException {
        List<Map<?, ?>> rows = rows("oracle/tokenizers/bert-base-uncased/pairs_trunc_pad.jsonl");
        assertThat(rows).hasSizeGreaterThan(150);
        for (Map<?, ?> row : rows) {
            String text = (String) row.get("text");
            String pair = (String) row.get("pair");
            EncodingOptions options = options((Map<?, ?>) row.get("args"));
            if (row.get("windows") instanceof List<?> windows) {
                checkWindows((String) row.get("id"), uncased.windows(text, pair, options), windows);
                check(row.get("id") + " first", uncased.encode(text, pair, options), (Map<?, ?>) windows.getFirst());
            } else {
                check((String) row.get("id"), uncased.encode(text, pair, options), row);
            }
        }
    }

    /**
     * The reference (tokenizers 0.23.2) stops encoding with the word that reaches the maximum length, and so loses the
     * end of a long text that windows are for: its last window is the beginning of ours, and ours go on.
     */
    private static void checkWindows(String id, List<Encoding> windows, List<?> expected) {
        assertThat(windows).as(id).hasSizeGreaterThanOrEqualTo(expected.size());
        int last = expected.size() - 1;
        for (int i = 0; i < last; i++) {
            check(id + " window " + i, windows.get(i), (Map<?, ?>) expected.get(i));
        }
        Map<?, ?> lastExpected = (Map<?, ?>) expected.get(last);
        int[] ids = Fixtures.ints(lastExpected.get("input_ids"));
        int length = Arrays.stream(Fixtures.ints(lastExpected.get("attention_mask"))).sum();
        assertThat(Arrays.copyOf(windows.get(last).ids(), length - 1)).as(id).isEqualTo(Arrays.copyOf(ids, length - 1));
        assertThat(Arrays.copyOf(windows.get(last).offsets(OffsetUnit.CODE_POINTS), length - 1)).as(id)
                .isDeepEqualTo(Arrays.copyOf(Fixtures.pairs(lastExpected.get("offsets")), length - 1));
    }

    private static EncodingOptions options(Map<?, ?> args) {
        EncodingOptions options = EncodingOptions.defaults();
        for (Map.Entry<?, ?> arg : args.entrySet()) {
            options = switch ((String) arg.getKey()) {
                case "max_length" -> options.withMaxLength(((Long) arg.getValue()).intValue());
                case "truncation" -> options.withTruncation(arg.getValue().equals(true)
                        ? Truncation.LONGEST_FIRST
                        : Truncation.valueOf(((String) arg.getValue()).toUpperCase()));
                case "padding" -> arg.getValue().equals("max_length")
                        ? options.withPadTo(((Long) args.get("max_length")).intValue())
                        : options;
                case "pad_to_multiple_of" -> options.withPadToMultipleOf(((Long) arg.getValue()).intValue());
                case "stride" -> options.withStride(((Long) arg.getValue()).intValue());
                case "add_special_tokens" -> options.withSpecialTokens((Boolean) arg.getValue());
                case "return_overflowing_tokens" -> options;
                default -> throw new AssertionError(arg);
            };
        }
        return options;
    }

    private static void check(String id, Encoding encoding, Map<?, ?> expected) {
        assertThat(encoding.ids()).as(id).isEqualTo(Fixtures.ints(expected.get("input_ids")));
        assertThat(encoding.typeIds()).as(id).isEqualTo(Fixtures.ints(expected.get("token_type_ids")));
        assertThat(encoding.attentionMask()).as(id).isEqualTo(Fixtures.ints(expected.get("attention_mask")));
        if (expected.containsKey("offsets")) {
            assertThat(encoding.offsets(OffsetUnit.CODE_POINTS)).as(id)
                    .isDeepEqualTo(Fixtures.pairs(expected.get("offsets")));
            assertThat(IntStream.range(0, encoding.size()).map(i -> encoding.textOf(i) < 0 ? 1 : 0).toArray()).as(id)
                    .isEqualTo(Fixtures.ints(expected.get("special_tokens_mask")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert-base-uncased", "bert-base-cased"})
    void batches(String name) throws IOException {
        Tokenizer tokenizer = TOKENIZERS.get(name);
        for (Map<?, ?> row : rows("oracle/tokenizers/" + name + "/batch_padding.jsonl")) {
            assertThat(row.get("args")).isEqualTo(Map.of("padding", "longest", "truncation", true, "max_length", 48L));
            List<Encoding> batch = new ArrayList<>();
            for (Object text : (List<?>) row.get("texts")) {
                batch.add(tokenizer.encode((String) text, null, EncodingOptions.defaults().withMaxLength(48)));
            }
            batch = Encoding.pad(batch, tokenizer);
            for (int i = 0; i < batch.size(); i++) {
                Map<String, Object> expected = new HashMap<>();
                for (String column : List.of("input_ids", "token_type_ids", "attention_mask")) {
                    expected.put(column, ((List<?>) row.get(column)).get(i));
                }
                check(row.get("id") + " " + i, batch.get(i), expected);
            }
        }
    }

    @Test
    void squadQuestions() throws IOException {
        List<Map<?, ?>> rows = rows("oracle/tokenizers/peers_expected/swift_squad_bert_uncased.jsonl");
        assertThat(rows).hasSizeGreaterThan(1000);
        for (Map<?, ?> row : rows) {
            String text = (String) row.get("text");
            Encoding encoding = uncased.encode(text, null, EncodingOptions.defaults().withSpecialTokens(false));
            assertThat(encoding.ids()).as("%s", row.get("id")).isEqualTo(Fixtures.ints(row.get("ids")));
            if (row.containsKey("wordpiece")) {
                assertThat(encoding.tokens()).as("%s", row.get("id")).isEqualTo(row.get("wordpiece"));
            }
            if (row.containsKey("basic")) {
                assertThat(words(BertNormalizer.UNCASED, text)).as("%s", row.get("id")).isEqualTo(row.get("basic"));
            }
        }
    }

    @Test
    void basicTokenizer() throws IOException {
        for (Map<?, ?> row : rows("oracle/tokenizers/peers_expected/bert_basic_tokenizer.jsonl")) {
            boolean lowerCase = (Boolean) row.get("do_lower_case");
            boolean stripAccents = row.get("strip_accents") == null ? lowerCase : (Boolean) row.get("strip_accents");
            BertNormalizer normalizer = new BertNormalizer(true, true, stripAccents, lowerCase);
            assertThat(words(normalizer, (String) row.get("text"))).as("%s", row.get("id"))
                    .isEqualTo(row.get("basic_tokens"));
        }
    }

    /** The normalized words of a text. */
    private static List<String> words(BertNormalizer normalizer, String text) {
        char[] chars = text.toCharArray();
        List<String> words = new ArrayList<>();
        BertNormalizer.Normalized normalized = normalizer.normalize(chars, 0, chars.length, false);
        int to = normalized.length();
        int end;
        for (int at = BertWords.start(normalized.chars(), 0, to); at < to; at = BertWords.start(normalized.chars(), end,
                to)) {
            end = BertWords.end(normalized.chars(), at, to);
            words.add(new String(normalized.chars(), at, end - at));
        }
        return words;
    }

    @Test
    void uncasedVocabularyThatKeepsCase(@TempDir Path directory) throws IOException {
        Tokenizer tokenizer = configured(directory, "bert-base-uncased", "{\"do_lower_case\": false}");
        int checked = 0;
        for (Map<?, ?> row : rows("oracle/tokenizers/peers_expected/hf_integration.jsonl")) {
            if (row.get("vocab").equals("bert-base-uncased")) {
                int[] ids = Fixtures.ints(row.get("ids"));
                Encoding encoding = tokenizer.encode((String) row.get("text"), null,
                        EncodingOptions.defaults().withSpecialTokens(false));
                assertThat(encoding.ids()).isEqualTo(ids);
                assertThat(encoding.tokens()).isEqualTo(row.get("tokens"));
                assertThat(tokenizer.decode(ids)).isEqualTo(row.get("decode_of_ids"));
                checked++;
            }
        }
        assertThat(checked).isPositive();
    }

    @Test
    void smallVocabularies(@TempDir Path directory) throws IOException {
        List<Map<?, ?>> rows = rows("oracle/tokenizers/peers_expected/wordpiece_small_vocab.jsonl");
        assertThat(rows).hasSize(8);
        for (Map<?, ?> row : rows) {
            Path files = Files.createDirectories(directory.resolve((String) row.get("id")));
            Files.writeString(files.resolve("vocab.txt"),
                    String.join("\n", ((List<?>) row.get("vocab")).toArray(String[]::new)) + "\n");
            Files.writeString(files.resolve("tokenizer_config.json"),
                    "{\"do_lower_case\": " + row.get("do_lower_case") + "}");
            Encoding encoding = Tokenizer.load(files).encode((String) row.get("text"), null,
                    EncodingOptions.defaults().withSpecialTokens((Boolean) row.get("add_special_tokens")));
            assertThat(encoding.ids()).as("%s", row.get("id")).isEqualTo(Fixtures.ints(row.get("ids")));
            assertThat(encoding.tokens()).as("%s", row.get("id")).isEqualTo(row.get("tokens"));
        }
    }

    @Test
    void knownIds() {
        assertThat(uncased.encode("Bob is a good man.", "He has three kids.", EncodingOptions.defaults()).ids())
                .containsExactly(101, 3960, 2003, 1037, 2204, 2158, 1012, 102, 2002, 2038, 2093, 4268, 1012, 102);
        assertThat(uncased.vocabularySize()).isEqualTo(30522);
        assertThat(uncased.mask()).hasValue(103);
        assertThat(uncased.padding()).hasValue(0);
        assertThat(uncased.unknown()).hasValue(100);
        assertThat(uncased.classification()).hasValue(101);
        assertThat(uncased.separator()).hasValue(102);
    }

    @ParameterizedTest
    @ValueSource(strings = {"models/all-MiniLM-L6-v2", "oracle/models/bert-tiny-mlm", "oracle/models/bert-mini-base"})
    void tokenizerJsonSaysWhatTheVocabularySays(String model, @TempDir Path directory) throws IOException {
        Files.copy(shared.resolve(model).resolve("vocab.txt"), directory.resolve("vocab.txt"));
        Tokenizer fromText = Tokenizer.load(directory);
        Tokenizer fromJson = Tokenizer.load(shared.resolve(model));
        assertThat(fromJson.vocabularySize()).isEqualTo(fromText.vocabularySize());
        for (Map<?, ?> row : rows("oracle/tokenizers/bert-base-uncased/torture.jsonl")) {
            Encoding json = fromJson.encode((String) row.get("text"), "pair", EncodingOptions.defaults());
            Encoding text = fromText.encode((String) row.get("text"), "pair", EncodingOptions.defaults());
            assertThat(json.ids()).as("%s", row.get("id")).isEqualTo(text.ids());
            assertThat(json.typeIds()).as("%s", row.get("id")).isEqualTo(text.typeIds());
        }
    }

    private static List<Map<?, ?>> rows(String file) throws IOException {
        return Fixtures.rows(Files.readString(shared.resolve(file)));
    }
}
