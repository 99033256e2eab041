package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostileWordPieceFilesTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "normalizer|null|field normalizer is null, expected one step of type \"BertNormalizer\"",
        "normalizer|{\"type\":\"NFD\"}|field normalizer.type is \"NFD\", expected \"BertNormalizer\"",
        "normalizer|{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFD\"},{\"type\":\"Lowercase\"}]}|field normalizer is of type \"Sequence\", expected one step of type \"BertNormalizer\"",
        "normalizer|{\"type\":\"BertNormalizer\",\"lowercase\":1}|field normalizer.lowercase is 1, expected true or false",
        "normalizer|{\"type\":\"BertNormalizer\",\"strip_accents\":\"no\"}|field normalizer.strip_accents is \"no\", expected true or false",
        "pre_tokenizer|null|field pre_tokenizer is null, expected one step of type \"BertPreTokenizer\"",
        "pre_tokenizer|{\"type\":\"Whitespace\"}|field pre_tokenizer.type is \"Whitespace\", expected \"BertPreTokenizer\"",
        "decoder|null|field decoder is null, expected one step of type \"WordPiece\"",
        "decoder|{\"type\":\"WordPiece\",\"prefix\":\"@@\"}|field decoder.prefix is \"@@\", expected \"##\", as model.continuing_subword_prefix has it",
        "decoder|{\"type\":\"WordPiece\",\"cleanup\":\"x\"}|field decoder.cleanup is \"x\", expected true or false",
        "post_processor|{\"type\":\"RobertaProcessing\"}|field post_processor.type is \"RobertaProcessing\", expected \"TemplateProcessing\" or \"BertProcessing\"",
        "post_processor|{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"},{\"type\":\"BertProcessing\"}]}|field post_processor is of type \"Sequence\", expected one step",
        "post_processor|{\"type\":\"BertProcessing\",\"cls\":[\"[CLS]\",2]}|field post_processor.sep is missing, expected a token and its id",
        "post_processor|{\"type\":\"BertProcessing\",\"cls\":[\"[CLS]\",-2],\"sep\":[\"[SEP]\",3]}|field post_processor.cls is -2, expected a token id",
        "post_processor|{\"type\":\"BertProcessing\",\"cls\":[\"[CLS]\",99999],\"sep\":[\"[SEP]\",3]}|post_processor puts the id 99999 around a text, expected an id that has a token",
        "post_processor|{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"B\"}}]}|field post_processor.single[0] is an object, expected one Sequence A and special tokens around it",
        "post_processor|{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":-1}}]}|field post_processor.single[0].Sequence.type_id is -1, expected a token type",
        "post_processor|{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\"}}],\"pair\":[{\"Sequence\":{\"id\":\"A\"}}]}|field post_processor.pair is a list of 1, expected a Sequence A and a Sequence B",
        "post_processor|{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"[X]\"}},{\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{}}|field post_processor.special_tokens.[X] is missing, expected the ids",
        "added_tokens|[{\"id\":4,\"content\":\"[MSK]\"}]|the added token \"[MSK]\" has the id 4, expected another"})
    void partsThatAreNotSupported(String part, String json, String message) throws IOException {
        WordPieceFixtures.writeJson(directory, Map.of(part, json), Map.of());
        refused().hasMessageContaining("tokenizer.json: " + message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "type|\"Unigram\"|model.type is \"Unigram\", expected \"BPE\" or \"WordPiece\"",
        "vocab|[]|model.vocab is a list of 0, expected an object", "vocab|{\"a\":-1}|model.vocab.a is -1, expected",
        "vocab|{\"a\":1,\"b\":1}|model.vocab.b has the id 1, but this id belongs to \"a\" already",
        "max_input_chars_per_word|0|model.max_input_chars_per_word is 0, expected a number from 1 to 10000",
        "max_input_chars_per_word|99999999999|model.max_input_chars_per_word is 99999999999, expected a number",
        "max_input_chars_per_word|\"1\"|model.max_input_chars_per_word is \"1\", expected a number",
        "continuing_subword_prefix|5|model.continuing_subword_prefix is 5, expected a string",
        "unk_token|[]|model.unk_token is a list of 0, expected a string"})
    void modelsThatAreNotSupported(String field, String json, String message) throws IOException {
        WordPieceFixtures.writeJson(directory, Map.of(), Map.of(field, json));
        refused().hasMessageContaining("tokenizer.json: field " + message);
    }

    @Test
    void vocabulariesWithoutTheTokensBertNeeds() throws IOException {
        WordPieceFixtures.write(directory, null);
        for (String missing : new String[]{"[UNK]", "[CLS]", "[SEP]"}) {
            Files.writeString(directory.resolve("vocab.txt"),
                    String.join("\n", WordPieceFixtures.vocabulary()).replace(missing, "[unused]"));
            refused().hasMessageContaining("the vocabulary has no token " + missing)
                    .hasMessageEndingWith("expected a WordPiece vocabulary with [UNK], [CLS] and [SEP]");
        }
        WordPieceFixtures.writeJson(directory, Map.of(), Map.of("unk_token", "\"[WHAT]\""));
        refused().hasMessageContaining("field model.unk_token is \"[WHAT]\", expected a token of the vocabulary");
    }

    @ParameterizedTest
    @ValueSource(strings = {"vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "tokenizer.json"})
    void notTheFileAtAll(String name) throws IOException {
        WordPieceFixtures.write(directory, null);
        Path file = directory.resolve(name);
        Files.writeString(file, "");
        refused().hasMessageEndingWith(name + ": is empty (0 bytes)");
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 231508\n");
        refused().hasMessageContaining(name + ": is a Git LFS pointer");
        Files.write(file, new byte[]{'a', '\n', (byte) 0xC3, '\n'});
        refused().hasMessageEndingWith(name + ": is not valid UTF-8 at byte 2");
        Files.delete(file);
        Files.createDirectory(file);
        refused().hasMessageEndingWith(name + ": is a directory, expected a file");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"do_lower_case|\"yes\"|is \"yes\", expected true or false",
        "strip_accents|0|is 0, expected true or false",
        "tokenize_chinese_chars|[]|is a list of 0, expected true or false",
        "do_basic_tokenize|false|is false, expected true", "never_split|\"a\"|is \"a\", expected a list",
        "never_split|[5]|is a list of 1, expected a list of words",
        "model_max_length|\"512\"|is \"512\", expected a number of ids", "model_max_length|-1|is -1, expected a number",
        "padding_side|\"up\"|is \"up\", expected \"left\" or \"right\"", "truncation_side|1|is 1, expected a string",
        "cls_token|5|is 5, expected an object",
        "tokenizer_class|\"XLNetTokenizer\"|is \"XLNetTokenizer\", expected \"BertTokenizer\"",
        "tokenizer_class|\"BertJapaneseTokenizer\"|is \"BertJapaneseTokenizer\", expected \"BertTokenizer\""})
    void settingsThatAreNone(String field, String json, String message) throws IOException {
        WordPieceFixtures.write(directory, "{\"" + field + "\":" + json + "}");
        refused().hasMessageContaining("tokenizer_config.json: field " + field + " " + message);
    }

    @Test
    void anAbsurdAddedToken() throws IOException {
        WordPieceFixtures.write(directory, "{\"added_tokens_decoder\":{\"400\":{\"content\":\"" + "x".repeat(100_000)
                + "\"}}}");
        refused().hasMessageContaining("has 100000 characters, expected at most 512");
        WordPieceFixtures.write(directory, "{\"added_tokens_decoder\":{\"4000000000\":{\"content\":\"x\"}}}");
        refused().hasMessageContaining("expected a token id");
    }

    @Test
    void tooManyLines() throws IOException {
        Files.writeString(directory.resolve("vocab.txt"), "\n".repeat(4_194_305));
        refused().hasMessageEndingWith("has more than 4194304 lines, expected one for each token of a vocabulary");
    }

    /** Equal in String.hashCode, and so all in one place of a hash table that trusts it. */
    @Test
    void tokensMadeToCollide() throws IOException {
        StringBuilder lines = new StringBuilder("[UNK]\n[CLS]\n[SEP]\n");
        for (int i = 0; i < 1 << 17; i++) {
            for (int bit = 0; bit < 17; bit++) {
                lines.append((i & 1 << bit) != 0 ? "Aa" : "BB");
            }
            lines.append('\n');
        }
        Files.writeString(directory.resolve("vocab.txt"), lines);
        Files.writeString(directory.resolve("tokenizer_config.json"), "{\"do_lower_case\":false}");
        assertThat(Tokenizer.load(directory).ids("BB".repeat(17))).containsExactly(1, 3, 2);
    }

    @Test
    void aVeryLongToken() throws IOException {
        WordPieceFixtures.write(directory, null);
        Files.writeString(directory.resolve("vocab.txt"),
                String.join("\n", WordPieceFixtures.vocabulary()) + "\n##" + "x".repeat(20_000_000));
        assertThat(Tokenizer.load(directory).encode("the").tokens()).containsExactly("[CLS]", "the", "[SEP]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tokenizer.json", "vocab.txt", "tokenizer_config.json"})
    void truncationsAndMutationsGiveATokenizerOrASentence(String name) throws IOException {
        WordPieceFixtures.write(directory, "{\"do_lower_case\":true,\"strip_accents\":null,\"never_split\":[\"the\"],"
                + "\"cls_token\":\"[CLS]\",\"model_max_length\":512,\"added_tokens_decoder\":{\"4\":{\"content\":"
                + "\"[MASK]\",\"special\":true,\"lstrip\":false}},\"tokenizer_class\":\"BertTokenizer\"}");
        if (name.equals("tokenizer.json")) {
            WordPieceFixtures.writeJson(directory, Map.of(), Map.of());
        }
        byte[] whole = Files.readAllBytes(directory.resolve(name));
        Random random = new Random(13);
        for (int i = 0; i < 600; i++) {
            byte[] mutated = i % 3 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
            for (int n = i % 3 == 0 ? -1 : random.nextInt(4); n >= 0; n--) {
                mutated[random.nextInt(mutated.length)] = (byte) (random.nextBoolean()
                        ? random.nextInt(256)
                        : "{}[],:\"0129 -\\\n".charAt(random.nextInt(15)));
            }
            Files.write(directory.resolve(name), mutated);
            Throwable thrown = catchThrowable(() -> {
                Tokenizer tokenizer = Tokenizer.load(directory);
                tokenizer.decode(tokenizer.encode("The caf\u00e9 [MASK] running", null,
                        EncodingOptions.defaults().withMaxLength(8)).ids());
            });
            if (thrown != null) {
                assertThat(thrown).isInstanceOf(TokenizerException.class).message().doesNotContain("\n");
            }
        }
    }

    private AbstractThrowableAssert<?, ? extends Throwable> refused() {
        return assertThatThrownBy(() -> Tokenizer.load(directory)).isInstanceOf(TokenizerException.class)
                .hasMessageNotContainingAny("\n", "Exception");
    }
}
