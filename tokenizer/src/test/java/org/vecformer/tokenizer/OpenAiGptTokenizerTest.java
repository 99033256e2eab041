package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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

/**
 * OpenAI GPT's tokenizer with a small vocabulary, and the added tokens of a persona chat for it and for GPT-2.
 *
 * <p>The rows of openai-tiny-expected.jsonl are answers of transformers 5.18 with tokenizers 0.23.2: OpenAIGPTTokenizer
 * with the vocabulary of {@link OpenAiGptFixtures} ("plain"), the same after {@code add_special_tokens} with {@code <bos>
 * <eos> <pad>} and {@code additional_special_tokens} {@code <speaker1> <speaker2>} ("speakers"), and GPT2Tokenizer with
 * the vocabulary of {@link Fixtures} and the same tokens ("gpt2"); texts by hand and 90 made with Python's {@code
 * random.Random(7)}.
 */
class OpenAiGptTokenizerTest {
    /** How many ids the small vocabulary has. */
    private static final int SIZE = 511;

    @TempDir
    private static Path directory;
    private static OpenAiGptTokenizer plain;
    private static Tokenizer speakers;

    @BeforeAll
    static void load() throws IOException {
        plain = OpenAiGptTokenizer.load(OpenAiGptFixtures.write(directory.resolve("plain"), null));
        speakers = Tokenizer.load(OpenAiGptFixtures.writeSpeakers(
                OpenAiGptFixtures.write(directory.resolve("speakers"), OpenAiGptFixtures.CONFIG), SIZE));
    }

    private static void checkRows(Tokenizer tokenizer, String name, int atLeast) {
        int checked = 0;
        for (Map<?, ?> row : Fixtures.rows(Fixtures.resource("openai-tiny-expected.jsonl"))) {
            if (!row.get("tokenizer").equals(name)) {
                continue;
            }
            String text = (String) row.get("text");
            String pair = (String) row.get("pair");
            Encoding encoding = tokenizer.encode(text, pair, EncodingOptions.defaults());
            int[] expected = Fixtures.ints(row.get("ids"));
            assertThat(encoding.ids()).as("%s", text).isEqualTo(expected);
            assertThat(encoding.typeIds()).as("%s", text).isEqualTo(Fixtures.ints(row.get("types")));
            assertThat(IntStream.range(0, encoding.size()).map(encoding::wordOf).toArray()).as("%s", text)
                    .isEqualTo(Fixtures.ints(row.get("words")));
            assertThat(encoding.offsets(OffsetUnit.CODE_POINTS)).as("%s", text)
                    .isDeepEqualTo(Fixtures.pairs(row.get("offsets")));
            assertThat(tokenizer.decode(expected)).as("%s", text).isEqualTo(row.get("decode"));
            assertThat(tokenizer.decode(expected, true)).as("%s", text).isEqualTo(row.get("skipped"));
            if (pair == null) {
                assertThat(tokenizer.ids(text)).as("%s", text).isEqualTo(expected);
            }
            checked++;
        }
        assertThat(checked).isGreaterThanOrEqualTo(atLeast);
    }

    @Test
    void saysWhatTheReferenceSays() {
        checkRows(plain, "plain", 120);
        checkRows(speakers, "speakers", 50);
    }

    /** As transformers saves it now, as it was published first (without types, merges as lists), with no settings. */
    @Test
    void tokenizerJsonSaysTheSame() throws IOException {
        checkRows(Tokenizer.load(OpenAiGptFixtures.writeJson(directory.resolve("json"), Map.of(), Map.of())), "plain",
                120);
        Path older = Files.createDirectories(directory.resolve("older"));
        Files.writeString(older.resolve("tokenizer.json"), OpenAiGptFixtures.json(Map.of("post_processor", "null"),
                Map.of("continuing_subword_prefix", "null")).replace("\"type\":\"BPE\",", ""));
        checkRows(Tokenizer.load(older), "plain", 120);
        Path chat = OpenAiGptFixtures.writeJson(directory.resolve("chatJson"),
                Map.of("added_tokens", "[" + OpenAiGptFixtures.speakers(SIZE) + "]"), Map.of());
        Files.writeString(chat.resolve("tokenizer_config.json"), OpenAiGptFixtures.SPEAKERS_MAP
                .replace("additional_special_tokens", "extra_special_tokens")
                .replace("{", "{\"unk_token\":\"<unk>\","));
        checkRows(Tokenizer.load(chat), "speakers", 50);
    }

    @Test
    void theOlderFileNames() throws IOException {
        Path files = OpenAiGptFixtures.write(directory.resolve("names"), null);
        Files.move(files.resolve("vocab.json"), files.resolve("encoder_bpe_40000.json"));
        assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class)
                .hasMessageEndingWith("vocab.json: is missing");
        Files.move(files.resolve("merges.txt"), files.resolve("vocab_40000.bpe"));
        assertThat(Tokenizer.isPresent(files)).isTrue();
        checkRows(Tokenizer.load(files), "plain", 120);
        Files.delete(files.resolve("vocab_40000.bpe"));
        assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class)
                .hasMessageEndingWith("vocab_40000.bpe: is missing");
    }

    @Test
    void theClassOrElseTheVocabularyTellsTheKind() throws IOException {
        assertThat(plain).isInstanceOf(OpenAiGptTokenizer.class);
        for (String name : List.of("OpenAIGPTTokenizer", "OpenAIGPTTokenizerFast", "PreTrainedTokenizerFast")) {
            assertThat(Tokenizer.load(OpenAiGptFixtures.write(directory.resolve(name),
                    "{\"tokenizer_class\":\"" + name + "\"}"))).isInstanceOf(OpenAiGptTokenizer.class);
        }
        Path asGpt2 = OpenAiGptFixtures.write(directory.resolve("asGpt2"), "{\"tokenizer_class\":\"GPT2Tokenizer\"}");
        assertThatThrownBy(() -> Tokenizer.load(asGpt2)).isInstanceOf(TokenizerException.class).hasMessageContaining(
                "marks the end of a word, as OpenAI GPT and CLIP do, expected a byte-level vocabulary as GPT-2 has it");
        Path gpt2 = Fixtures.writeTiny(directory.resolve("gpt2"));
        Files.writeString(gpt2.resolve("tokenizer_config.json"), OpenAiGptFixtures.CONFIG);
        assertThatThrownBy(() -> Tokenizer.load(gpt2)).isInstanceOf(TokenizerException.class).hasMessageEndingWith(
                "vocab.json: token \"Ġ\" (id 220) stands for a byte, as in GPT-2 and CLIP, expected the letters and the"
                        + " ends of words (e</w>) that OpenAI GPT has");
        Path noEnds = Fixtures.write(directory.resolve("noEnds"), Map.of("<unk>", 0, "a", 1), List.of());
        Files.writeString(noEnds.resolve("tokenizer_config.json"), OpenAiGptFixtures.CONFIG);
        assertThatThrownBy(() -> Tokenizer.load(noEnds)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("vocab.json: no token marks the end of a word, expected");
        assertThatThrownBy(() -> BytePairTokenizer.load(directory.resolve("plain")))
                .isInstanceOf(TokenizerException.class).hasMessageEndingWith(
                        "has the files of a tokenizer of kind OpenAI GPT's BPE, expected byte-level BPE");
        assertThatThrownBy(() -> OpenAiGptTokenizer.load(Fixtures.writeTiny(directory.resolve("gpt"))))
                .isInstanceOf(TokenizerException.class).hasMessageEndingWith(
                        "has the files of a tokenizer of kind byte-level BPE, expected OpenAI GPT's BPE");
    }

    /** CLIP has bytes and ends of words. */
    @Test
    void clipIsRefused() throws IOException {
        Map<String, Integer> vocabulary = Fixtures.vocabulary();
        vocabulary.put("e</w>", 1000);
        Path files = Fixtures.write(directory.resolve("clip"), vocabulary, List.of());
        assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("\"e</w>\" (id 1000) marks the end of a word");
        Path json = Fixtures.writeTokenizerJson(directory.resolve("clipJson"), Map.of(),
                Map.of("end_of_word_suffix", "\"</w>\""));
        assertThatThrownBy(() -> Tokenizer.load(json)).isInstanceOf(TokenizerException.class).hasMessageContaining(
                "field model.end_of_word_suffix is \"</w>\", expected null or \"\", as byte-level BPE has it");
    }

    @Test
    void knowsItsVocabularyAndItsRoles() {
        assertThat(plain.vocabularySize()).isEqualTo(SIZE);
        assertThat(plain.unknown()).hasValue(0);
        assertThat(plain.isSpecial(0)).isTrue();
        assertThat(plain.beginOfText()).isEmpty();
        assertThat(plain.endOfText()).isEmpty();
        assertThat(plain.padding()).isEmpty();
        assertThat(plain.maximumLength()).isEmpty();
        assertThat(plain.continuingPrefix()).isEmpty();
        assertThat(plain.token(plain.id("the</w>").orElseThrow())).isEqualTo("the</w>");
    }

    @Test
    void addedTokensOfAPersonaChat() {
        assertThat(speakers.vocabularySize()).isEqualTo(SIZE + 5);
        assertThat(speakers.beginOfText()).hasValue(SIZE);
        assertThat(speakers.endOfText()).hasValue(SIZE + 1);
        assertThat(speakers.padding()).hasValue(SIZE + 2);
        assertThat(speakers.id("<speaker2>")).hasValue(SIZE + 4);
        assertThat(speakers.isSpecial(SIZE + 3)).isTrue();
        int hello = speakers.ids("<speaker1>Hello")[1];
        assertThat(speakers.ids("<speaker1>Hello")).startsWith(SIZE + 3).doesNotContain(0);
        assertThat(speakers.ids("Hello")[0]).isEqualTo(hello);
        assertThat(speakers.decode(speakers.ids("<bos> Hi you <speaker1>fine<eos>"), true)).isEqualTo("hi you fine");
        // Special tokens are looked for in the text as it was given.
        assertThat(speakers.ids("<SPEAKER1>")).doesNotContain(SIZE + 3);
        Encoding batch = Encoding.pad(List.of(speakers.encode("the"), speakers.encode("the in")), speakers).getFirst();
        assertThat(batch.tokens()).containsExactly("the</w>", "<pad>");
        assertThatThrownBy(() -> plain.encode("the", null, EncodingOptions.defaults().withPadTo(9)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("no padding token");
    }

    /** Old files, new files, and special tokens that no file gives an id. */
    @Test
    void gpt2HasThemToo() throws IOException {
        checkRows(Tokenizer.load(OpenAiGptFixtures.writeSpeakers(Fixtures.writeTiny(directory.resolve("gpt2Old")),
                1000)), "gpt2", 45);
        Path map = Fixtures.writeTiny(directory.resolve("gpt2Map"));
        Files.writeString(map.resolve("special_tokens_map.json"), OpenAiGptFixtures.SPEAKERS_MAP);
        checkRows(Tokenizer.load(map), "gpt2", 45);
        Path decoder = Fixtures.writeTiny(directory.resolve("gpt2Decoder"));
        Files.writeString(decoder.resolve("tokenizer_config.json"),
                OpenAiGptFixtures.SPEAKERS_MAP.replaceFirst("\\{", "{\"added_tokens_decoder\":{"
                        + IntStream.range(0, 5).mapToObj(i -> "\"" + (1000 + i) + "\":{\"content\":\""
                                + List.of("<bos>", "<eos>", "<pad>", "<speaker1>", "<speaker2>").get(i)
                                + "\",\"normalized\":false,\"special\":true}").reduce((a, b) -> a + "," + b).get()
                        + "},"));
        checkRows(Tokenizer.load(decoder), "gpt2", 45);
        Tokenizer json = Tokenizer.load(Fixtures.writeTokenizerJson(directory.resolve("gpt2Json"),
                Map.of("added_tokens", "[" + Fixtures.added(999, Fixtures.END, "\"special\":true") + ","
                        + OpenAiGptFixtures.speakers(1000) + "]"),
                Map.of()));
        checkRows(json, "gpt2", 45);
        assertThat(Tokenizer.load(decoder).padding()).hasValue(1002);
    }

    /** As pytorch-pretrained-bert saved a persona chat. */
    @Test
    void specialTokensALineEach() throws IOException {
        Path files = OpenAiGptFixtures.write(directory.resolve("lines"), null);
        Path lines = files.resolve("special_tokens.txt");
        Files.writeString(lines, "");
        assertThat(Tokenizer.load(files).vocabularySize()).isEqualTo(SIZE);
        Files.writeString(lines, "<bos>\n<eos>\r\n<pad>\n<speaker1>\n<speaker2>\n");
        Tokenizer tokenizer = Tokenizer.load(files);
        assertThat(tokenizer.id("<bos>")).hasValue(SIZE);
        assertThat(tokenizer.id("<speaker2>")).hasValue(SIZE + 4);
        assertThat(tokenizer.isSpecial(SIZE + 1)).isTrue();
        assertThat(tokenizer.ids("<bos>Hello <speaker1>the")).isEqualTo(speakers.ids("<bos>Hello <speaker1>the"));
        Files.writeString(lines, "<bos>\n" + "x".repeat(600));
        assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("special_tokens.txt").hasMessageContaining("has 600 characters");
    }

    /** A token that a file describes keeps its description; one that is only named is looked for in the given text. */
    @Test
    void whatFilesSayOfAnAddedToken() throws IOException {
        Path files = OpenAiGptFixtures.writeSpeakers(OpenAiGptFixtures.write(directory.resolve("described"),
                "{\"max_len\":512,\"added_tokens_decoder\":{\"" + (SIZE + 3) + "\":{\"content\":\"<speaker1>\","
                        + "\"normalized\":true,\"special\":true}}}"),
                SIZE);
        Tokenizer tokenizer = Tokenizer.load(files);
        assertThat(tokenizer.ids("<SPEAKER1>the")).containsExactly(SIZE + 3, tokenizer.id("the</w>").orElseThrow());
        assertThat(tokenizer.ids("<SPEAKER2>the")).doesNotContain(SIZE + 4);
        assertThat(tokenizer.maximumLength()).hasValue(512);
        Files.writeString(files.resolve("tokenizer_config.json"), "{\"max_len\":\"many\"}");
        assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class)
                .hasMessageEndingWith("tokenizer_config.json: field max_len is \"many\", expected a number of ids");
    }

    @Test
    void offsetsPointIntoTheTextAsItWasGiven() {
        String text = "  Éj \ud83d\ude42the\u200b e\u0301N";
        Encoding encoding = plain.encode(text);
        assertThat(encoding.tokens()).containsExactly("e", "j</w>", "<unk>", "the</w>", "en</w>");
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        String[] parts = {"É", "j", "\ud83d\ude42", "the", "e\u0301N"};
        for (int i = 0; i < parts.length; i++) {
            assertThat(text.substring(encoding.start(i, OffsetUnit.CHARS), encoding.end(i, OffsetUnit.CHARS)))
                    .isEqualTo(parts[i]);
            int start = encoding.start(i, OffsetUnit.BYTES);
            assertThat(new String(bytes, start, encoding.end(i, OffsetUnit.BYTES) - start, StandardCharsets.UTF_8))
                    .isEqualTo(parts[i]);
        }
    }

    @Test
    void cutsToSizeAndToWindows() {
        EncodingOptions options = EncodingOptions.defaults().withMaxLength(3);
        assertThat(plain.encode("the in of and to", null, options).tokens()).containsExactly("the</w>", "in</w>",
                "of</w>");
        assertThat(plain.encode("the in of", "and to", options).tokens()).containsExactly("the</w>", "in</w>",
                "and</w>");
        List<Encoding> windows = plain.windows("the in of and to", null, options.withStride(1));
        assertThat(windows).hasSize(2);
        assertThat(windows.get(1).tokens()).containsExactly("of</w>", "and</w>", "to</w>");
    }

    @Test
    void aSpaceComesWithTheNextToken() {
        int the = plain.id("the</w>").orElseThrow();
        int in = plain.id("in").orElseThrow();
        StreamingDecoder decoder = plain.streamingDecoder();
        assertThat(decoder.accept(the)).isEqualTo("the");
        assertThat(decoder.accept(in)).isEqualTo(" in");
        assertThat(decoder.accept(the)).isEqualTo("the");
        assertThat(decoder.finish()).isEmpty();
        assertThat(decoder.accept(in)).isEqualTo("in");
        assertThat(decoder.finish()).isEmpty();
        assertThat(plain.decode(new int[]{the, in, the})).isEqualTo("the inthe");
        assertThat(new String(plain.decodeBytes(new int[]{the, the}), StandardCharsets.UTF_8)).isEqualTo("the the");
        assertThat(new String(plain.tokenBytes(the, false), StandardCharsets.UTF_8)).isEqualTo("the ");
        assertThat(new String(plain.tokenBytes(in, true), StandardCharsets.UTF_8)).isEqualTo("in");
        assertThat(plain.tokenBytes(10_000, true)).isEmpty();
        assertThat(plain.decode(new int[]{the, 10_000})).isEqualTo("the");
        assertThat(plain.decode(new int[0])).isEmpty();
        assertThatThrownBy(() -> plain.decode(new int[]{-1})).isInstanceOf(IllegalArgumentException.class)
                .hasMessage("token id -1 is negative");
    }

    @Test
    void streamedPiecesJoinToTheWhole() {
        Random random = new Random(13);
        for (int i = 0; i < 3000; i++) {
            int[] ids = random.ints(random.nextInt(30), 0, speakers.vocabularySize() + 3).toArray();
            boolean skip = random.nextBoolean();
            StreamingDecoder decoder = speakers.streamingDecoder(skip);
            for (int round = 0; round < 2; round++) {
                StringBuilder text = new StringBuilder();
                for (int id : ids) {
                    text.append(decoder.accept(id));
                }
                assertThat(text.append(decoder.finish()).toString()).isEqualTo(speakers.decode(ids, skip));
            }
            StringBuilder bytes = new StringBuilder();
            for (int id : ids) {
                bytes.append(new String(speakers.tokenBytes(id, bytes.isEmpty()), StandardCharsets.UTF_8));
            }
            assertThat(bytes.toString()).isIn(speakers.decode(ids), speakers.decode(ids) + " ");
        }
    }

    /** Tokens with the mark in their middle, as no training makes them; the reference's answers. */
    @Test
    void marksInOddPlaces() throws IOException {
        Map<String, Integer> vocabulary = OpenAiGptFixtures.vocabulary();
        vocabulary.put("a</w>b", SIZE);
        vocabulary.put("</w>", SIZE + 1);
        vocabulary.put("a</w></w>", SIZE + 2);
        Tokenizer odd = Tokenizer.load(Fixtures.write(directory.resolve("odd"), vocabulary,
                OpenAiGptFixtures.merges()));
        assertThat(odd.decode(new int[]{SIZE, SIZE})).isEqualTo("a bab");
        assertThat(odd.decode(new int[]{SIZE + 2, SIZE + 1, SIZE + 2})).isEqualTo("a   a");
        StreamingDecoder decoder = odd.streamingDecoder();
        assertThat(decoder.accept(SIZE) + decoder.accept(SIZE) + decoder.finish()).isEqualTo("a bab");
    }

    /** The unknown token may be any token, even one that merges. */
    @Test
    void otherUnknownTokens() throws IOException {
        Tokenizer other = Tokenizer.load(OpenAiGptFixtures.write(directory.resolve("other"),
                "{\"unk_token\":\"e</w>\"}"));
        int e = other.id("e</w>").orElseThrow();
        assertThat(other.unknown()).hasValue(e);
        assertThat(other.ids("\ud83d\ude42 a\ud83d\ude42\ud83d\ude43")).containsExactly(e, other.id("a").orElseThrow(),
                e, e);
        Path merging = Fixtures.write(directory.resolve("merging"),
                Map.of("<unk>", 0, "a</w>", 1, "<unk>a</w>", 2, "b", 3, "<unk>a</w>b", 4),
                List.of("<unk> a</w>"));
        Encoding encoding = Tokenizer.load(merging).encode("xa bxa xb");
        assertThat(encoding.ids()).containsExactly(2, 3, 2, 0, 0);
        assertThat(encoding.offsets(OffsetUnit.CHARS)).isDeepEqualTo(
                new int[][]{{0, 2}, {3, 4}, {4, 6}, {7, 8}, {8, 9}});
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "unk_token|\"nothing\"|field model.unk_token is \"nothing\", expected a token of the vocabulary",
        "end_of_word_suffix|\"@@\"|field model.end_of_word_suffix is \"@@\", expected \"</w>\", as OpenAI GPT has it",
        "continuing_subword_prefix|\"##\"|field model.continuing_subword_prefix is \"##\", expected null or \"\", as",
        "fuse_unk|true|field model.fuse_unk is true, expected false, as GPT-2 and OpenAI GPT have it",
        "ignore_merges|true|field model.ignore_merges is true, expected false",
        "byte_fallback|true|field model.byte_fallback is true, expected false",
        "dropout|0.1|field model.dropout is 0.1, expected null or 0",
        "merges|null|field model.merges is null, expected a list of merges",
        "merges|[\"zz a\"]|field model.merges[0] merges \"zz\" and \"a\", but the token \"zz\" is not in the vocabulary",
        "vocab|null|field model.vocab is null, expected an object from tokens to ids"})
    void modelsThatAreNotSupported(String field, String json, String message) throws IOException {
        Path files = OpenAiGptFixtures.writeJson(directory.resolve("bad" + Math.abs(message.hashCode())), Map.of(),
                Map.of(field, json));
        assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tokenizer.json: " + message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "normalizer|null|field normalizer is null, expected one step of type \"BertNormalizer\"",
        "normalizer|{\"type\":\"NFC\"}|field normalizer.type is \"NFC\", expected \"BertNormalizer\"",
        "pre_tokenizer|{\"type\":\"Whitespace\"}|field pre_tokenizer.type is \"Whitespace\", expected \"BertPreTokenizer\"",
        "decoder|null|field decoder is null, expected one step of type \"BPEDecoder\"",
        "decoder|{\"type\":\"BPEDecoder\",\"suffix\":\"@\"}|field decoder.suffix is \"@\", expected \"</w>\"",
        "post_processor|{\"type\":\"ByteLevel\"}|field post_processor.type is \"ByteLevel\", expected \"TemplateProcessing\"",
        "added_tokens|[{\"id\":0,\"content\":\"x\"}]|the added token \"x\" has the id 0, expected"})
    void partsThatAreNotSupported(String part, String json, String message) throws IOException {
        Path files = OpenAiGptFixtures.writeJson(directory.resolve("bad" + Math.abs(message.hashCode())),
                Map.of(part, json), Map.of());
        assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class)
                .hasMessageContaining("tokenizer.json: " + message);
    }

    @Test
    void filesWithoutAnUnknownToken() throws IOException {
        Map<String, Integer> vocabulary = OpenAiGptFixtures.vocabulary();
        vocabulary.remove("<unk>");
        Path files = Fixtures.write(directory.resolve("noUnknown"), vocabulary, OpenAiGptFixtures.merges());
        assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class).hasMessageEndingWith(
                "the vocabulary has no token <unk> and tokenizer_config.json names no other unk_token, expected one for"
                        + " the characters that the vocabulary lacks");
        Files.writeString(files.resolve("tokenizer_config.json"), "{\"unk_token\":\"<oov>\"}");
        assertThat(Tokenizer.load(files).ids("\ud83d\ude42")).containsExactly(SIZE);
        Files.writeString(files.resolve("tokenizer_config.json"), "{\"unk_token\":null}");
        assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class);
        // A tokenizer.json may leave it to tokenizer_config.json.
        Tokenizer json = Tokenizer.load(OpenAiGptFixtures.writeJson(directory.resolve("jsonUnknown"), Map.of(),
                Map.of("unk_token", "null")));
        assertThat(json.ids("\ud83d\ude42")).containsExactly(0);
    }

    @Test
    void mergesThatNameUnknownTokens() throws IOException {
        Path files = OpenAiGptFixtures.write(directory.resolve("merges"), null);
        for (String merge : List.of("zz a</w>", "a zz", "z q</w>")) {
            Files.writeString(files.resolve("merges.txt"), "#version: 0.2\n" + merge + "\n");
            assertThatThrownBy(() -> Tokenizer.load(files)).isInstanceOf(TokenizerException.class)
                    .hasMessageContaining("merges.txt: line 2 merges").hasMessageContaining("is not in the vocabulary");
        }
    }

    @Test
    void mutationsGiveATokenizerOrASentence() throws IOException {
        Path files = OpenAiGptFixtures.writeJson(directory.resolve("mutations"), Map.of(), Map.of());
        byte[] whole = Files.readAllBytes(files.resolve("tokenizer.json"));
        Random random = new Random(14);
        for (int i = 0; i < 400; i++) {
            byte[] mutated = whole.clone();
            for (int n = random.nextInt(3); n >= 0; n--) {
                mutated[random.nextInt(mutated.length)] = (byte) (random.nextBoolean()
                        ? random.nextInt(256)
                        : "{}[],:\"0129 -\\".charAt(random.nextInt(14)));
            }
            Files.write(files.resolve("tokenizer.json"), mutated);
            try {
                assertThat(Tokenizer.load(files).encode("the end \ud83d\ude42").size()).isPositive();
            } catch (TokenizerException e) {
                assertThat(e).hasMessageContaining("tokenizer.json").message().doesNotContain("\n");
            }
        }
    }

    @Test
    void neverThrowsAndOffsetsPointIntoTheText() {
        Random random = new Random(15);
        for (int i = 0; i < 20_000; i++) {
            String text = WordPieceFixtures.randomText(random, 24).replace("[MASK]", "<speaker1>");
            Encoding encoding = speakers.encode(text);
            assertThat(speakers.ids(text)).isEqualTo(encoding.ids());
            int lastStart = 0;
            int lastEnd = 0;
            for (int t = 0; t < encoding.size(); t++) {
                int start = encoding.start(t, OffsetUnit.CHARS);
                int end = encoding.end(t, OffsetUnit.CHARS);
                assertThat(start).isGreaterThanOrEqualTo(lastStart).isLessThan(end);
                assertThat(end).isGreaterThanOrEqualTo(lastEnd).isLessThanOrEqualTo(text.length());
                lastStart = start;
                lastEnd = end;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", " ", "\u00e9", "the", "\n", "!", "\ud83d\ude42", "\u4e2d", "\u0301", "\ud800", "<",
        "<speaker1>", "\u0130"})
    void aMillionCharactersAreNoTrouble(String unit) {
        String text = unit.repeat(1_000_000 / unit.length());
        int[] ids = speakers.ids(text);
        assertThat(speakers.encode(text).ids()).isEqualTo(ids);
        assertThat(ids).hasSizeLessThanOrEqualTo(1_000_000);
        assertThat(Arrays.stream(ids).distinct().count()).isLessThanOrEqualTo(6);
    }
}
