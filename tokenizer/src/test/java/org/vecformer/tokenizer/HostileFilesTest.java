package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostileFilesTest {
    private static final String POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1042301\n";

    @TempDir
    private Path directory;

    @Test
    void noFiles() {
        assertThat(Tokenizer.isPresent(directory)).isFalse();
        refused().hasMessageContaining("has no tokenizer files, expected tokenizer.json, or vocab.json and merges.txt");
    }

    @Test
    void notADirectory() throws IOException {
        Path file = Files.writeString(directory.resolve("f"), "x");
        assertThatThrownBy(() -> Tokenizer.load(file)).isInstanceOf(TokenizerException.class)
                .hasMessageEndingWith("is a file, expected a directory with tokenizer files");
        assertThatThrownBy(() -> Tokenizer.load(directory.resolve("g"))).isInstanceOf(TokenizerException.class)
                .hasMessageEndingWith("is missing, expected a directory with tokenizer files");
    }

    @ParameterizedTest
    @CsvSource({"vocab.json,merges.txt", "merges.txt,vocab.json"})
    void halfOfThePair(String gone, String left) throws IOException {
        Fixtures.writeTiny(directory);
        Files.delete(directory.resolve(gone));
        assertThat(Tokenizer.isPresent(directory)).isTrue();
        refused().hasMessageEndingWith(gone + ": is missing");
    }

    @ParameterizedTest
    @ValueSource(strings = {"vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json", "tokenizer.json"})
    void notTheFileAtAll(String name) throws IOException {
        Fixtures.writeTiny(directory);
        Path file = directory.resolve(name);
        Files.writeString(file, "");
        refused().hasMessageEndingWith(name + ": is empty (0 bytes)");
        Files.writeString(file, POINTER);
        refused().hasMessageContaining(name + ": is a Git LFS pointer");
        Files.delete(file);
        Files.createDirectory(file);
        refused().hasMessageEndingWith(name + ": is a directory, expected a file");
    }

    @ParameterizedTest
    @ValueSource(strings = {"vocab.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "tokenizer.json"})
    void notJson(String name) throws IOException {
        Fixtures.writeTiny(directory);
        write(name, " \n ");
        refused().hasMessageContaining(name + ": has no JSON value");
        write(name, "[]");
        refused().hasMessageContaining(name + ": the file is a list, expected an object");
        write(name, "{\"a\": nul}");
        refused().hasMessageContaining(name + ": is not valid JSON at line 1, column ");
        write(name, "{\"a\": ");
        refused().hasMessageContaining(name + ": is truncated, its JSON stops in the middle after 6 characters");
        write(name, "[".repeat(100_000));
        refused();
        write(name, "{\"a\":" + "[".repeat(100_000));
        refused();
        Files.write(directory.resolve(name), new byte[]{'{', '"', (byte) 0xC3, '"', ':', '1', '}'});
        refused().hasMessageEndingWith(name + ": is not valid UTF-8 at byte 2");
        Random random = new Random(9);
        byte[] noise = new byte[200];
        random.nextBytes(noise);
        Files.write(directory.resolve(name), noise);
        refused();
    }

    @Test
    void somethingAfterTheEnd() throws IOException {
        Fixtures.writeTiny(directory);
        write("vocab.json", Fixtures.json(Fixtures.vocabulary()) + "{}");
        refused().hasMessageContaining("vocab.json: goes on after the end of its JSON value");
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        Fixtures.writeTokenizerJson(directory, Map.of(), Map.of());
        byte[] whole = Files.readAllBytes(directory.resolve("tokenizer.json"));
        for (int length = 1; length < whole.length; length += 97) {
            Files.write(directory.resolve("tokenizer.json"), Arrays.copyOf(whole, length));
            refused().hasMessageContaining("tokenizer.json");
        }
    }

    /** Whatever a byte becomes: a tokenizer that works, or one sentence. */
    @Test
    void mutationsGiveATokenizerOrASentence() throws IOException {
        Fixtures.writeTokenizerJson(directory, Map.of(), Map.of());
        byte[] whole = Files.readAllBytes(directory.resolve("tokenizer.json"));
        Random random = new Random(10);
        for (int i = 0; i < 400; i++) {
            byte[] mutated = whole.clone();
            for (int n = random.nextInt(3); n >= 0; n--) {
                mutated[random.nextInt(mutated.length)] = (byte) (random.nextBoolean()
                        ? random.nextInt(256)
                        : "{}[],:\"0129 -\\".charAt(random.nextInt(14)));
            }
            Files.write(directory.resolve("tokenizer.json"), mutated);
            Throwable thrown = catchThrowable(() -> Tokenizer.load(directory).ids("the end"));
            if (thrown != null) {
                assertThat(thrown).isInstanceOf(TokenizerException.class).hasMessageContaining("tokenizer.json")
                        .message().doesNotContain("\n");
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"-1|-1", "1.5|1.5", "4194304|4194304", "99999999999|99999999999",
        "1e3|1e3", "null|null", "\"5\"|\"5\"", "[5]|a list", "true|true"})
    void idsThatAreNone(String json, String shown) throws IOException {
        Fixtures.writeTiny(directory);
        write("vocab.json", "{\"odd\": " + json + "}");
        refused().hasMessageEndingWith("vocab.json: field odd is " + shown
                + ", expected a token id from 0 to 4194303");
        Fixtures.writeTiny(directory);
        write("added_tokens.json", "{\"odd\": " + json + "}");
        refused().hasMessageContaining("added_tokens.json: field odd is ");
    }

    @Test
    void idsAndTokensThatOccurTwice() throws IOException {
        Fixtures.writeTiny(directory);
        write("vocab.json", "{\"a\": 1, \"b\": 1}");
        refused().hasMessageEndingWith(
                "vocab.json: field b has the id 1, but this id belongs to \"a\" already, expected tokens and ids to occur once");
        write("vocab.json", "{\"a\": 1, \"a\": 2}");
        refused().hasMessageEndingWith(
                "vocab.json: field a has the id 2, but this token has the id 1 already, expected tokens and ids to occur once");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "a zz|line 2 merges \"a\" and \"zz\", but the token \"zz\" is not in the vocabulary",
        "zz a|line 2 merges \"zz\" and \"a\", but the token \"zz\" is not in the vocabulary",
        "! a|line 2 merges \"!\" and \"a\", but the token \"!a\" is not in the vocabulary",
        "ab|line 2 is \"ab\", expected two tokens with one space between them",
        "a b c|line 2 is \"a b c\", expected two tokens", "' a'|line 2 is \" a\", expected two tokens",
        "'a '|line 2 is \"a \", expected two tokens"})
    void mergesThatAreNone(String line, String message) throws IOException {
        Fixtures.writeTiny(directory);
        write("merges.txt", "#version: 0.2\n" + line + "\n");
        refused().hasMessageContaining("merges.txt: " + message);
        Files.delete(directory.resolve("vocab.json"));
        Fixtures.writeTokenizerJson(directory, Map.of(), Map.of("merges", "[" + Fixtures.quote(line) + "]"));
        refused().hasMessageContaining(
                "tokenizer.json: field model.merges[0]" + message.substring("line 2".length()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[1]", "[[\"a\"]]", "[[\"a\",\"b\",\"c\"]]", "[[1,2]]", "[{}]", "7", "null"})
    void mergesOfTheWrongKind(String merges) throws IOException {
        Fixtures.writeTokenizerJson(directory, Map.of(), Map.of("merges", merges));
        refused().hasMessageContaining("tokenizer.json: field model.merges");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "normalizer|{\"type\":\"NFC\"}|field normalizer is \"NFC\", expected null, as GPT-2 has it",
        "normalizer|{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Lowercase\"}]}|field normalizer is \"Lowercase\"",
        "pre_tokenizer|null|field pre_tokenizer is null, expected one step of type \"ByteLevel\"",
        "pre_tokenizer|{\"type\":\"Whitespace\"}|field pre_tokenizer.type is \"Whitespace\", expected \"ByteLevel\"",
        "pre_tokenizer|{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Digits\"},{\"type\":\"ByteLevel\"}]}|field pre_tokenizer is of type \"Sequence\", expected one step",
        "pre_tokenizer|[]|field pre_tokenizer is a list of 0, expected an object",
        "decoder|{\"type\":\"WordPiece\"}|field decoder.type is \"WordPiece\", expected \"ByteLevel\"",
        "decoder|null|field decoder is null, expected one step of type \"ByteLevel\"",
        "post_processor|{\"type\":\"RobertaProcessing\"}|field post_processor.type is \"RobertaProcessing\", expected \"ByteLevel\" or",
        "post_processor|{\"type\":\"TemplateProcessing\",\"single\":[]}|field post_processor.single is a list of 0, expected one Sequence",
        "post_processor|{}|field post_processor.type is missing, expected",
        "model|null|field model is null, expected an object",
        "model|[]|field model is a list of 0, expected an object",
        "added_tokens|{}|field added_tokens is an object, expected a list",
        "added_tokens|[1]|field added_tokens[0] is 1, expected an object",
        "added_tokens|[{\"content\":\"x\"}]|field added_tokens[0].id is null, expected a token id",
        "added_tokens|[{\"id\":1000}]|field added_tokens[0].content is missing, expected a string",
        "added_tokens|[{\"id\":1000,\"content\":\"x\",\"lstrip\":1}]|field added_tokens[0].lstrip is 1, expected true or false",
        "added_tokens|[{\"id\":5,\"content\":\"xx\"}]|the added token \"xx\" has the id 5, expected another, since this one belongs to \"&\"",
        "added_tokens|[{\"id\":5,\"content\":\"!\"}]|the added token \"!\" has the id 5, expected 0 as elsewhere",
        "added_tokens|[{\"id\":1000,\"content\":\"xx\"},{\"id\":1000,\"content\":\"yy\"}]|the added token \"yy\" has the id 1000, expected another"})
    void partsThatAreNotSupported(String part, String json, String message) throws IOException {
        Fixtures.writeTokenizerJson(directory, Map.of(part, json), Map.of());
        refused().hasMessageContaining("tokenizer.json: " + message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "type|\"Unigram\"|\"Unigram\", expected \"BPE\" or \"WordPiece\"",
        "type|null|null, expected \"BPE\" or \"WordPiece\"",
        "vocab|[[\"a\",0]]|a list of 1, expected an object from tokens to ids", "dropout|0.1|0.1, expected null or 0",
        "unk_token|5|5, expected a string", "byte_fallback|true|true, expected false",
        "fuse_unk|true|true, expected false", "ignore_merges|true|true, expected false",
        "end_of_word_suffix|\"</w>\"|\"</w>\", expected null or \"\"",
        "continuing_subword_prefix|\"##\"|\"##\", expected null or \"\""})
    void modelsThatAreNotSupported(String field, String json, String message) throws IOException {
        Fixtures.writeTokenizerJson(directory, Map.of(), Map.of(field, json));
        refused().hasMessageContaining("tokenizer.json: field model." + field + " is " + message);
    }

    @Test
    void theFirstFilesNamedNoType() throws IOException {
        String json = Fixtures.tokenizerJson(Map.of(), Map.of()).replace("\"type\":\"BPE\",", "");
        Files.writeString(directory.resolve("tokenizer.json"), json);
        assertThat(Tokenizer.load(directory).ids(" the")).containsExactly(262);
    }

    @ParameterizedTest
    @ValueSource(strings = {"RobertaTokenizer", "CLIPTokenizer", "XLMTokenizer", "Qwen2Tokenizer"})
    void otherTokenizersWithTheSameFileNames(String name) throws IOException {
        Fixtures.writeTiny(directory);
        write("tokenizer_config.json", "{\"tokenizer_class\": \"" + name + "\"}");
        refused().hasMessageEndingWith(
                "tokenizer_config.json: field tokenizer_class is \"" + name
                        + "\", expected \"GPT2Tokenizer\" or \"OpenAIGPTTokenizer\"");
    }

    @Test
    void wordsWithASuffix() throws IOException {
        Map<String, Integer> vocabulary = new LinkedHashMap<>(Fixtures.vocabulary());
        vocabulary.put("e</w>", 1000);
        Fixtures.write(directory, vocabulary, List.of());
        refused().hasMessageContaining("vocab.json: token \"e</w>\" (id 1000) marks the end of a word");
    }

    @Test
    void missingBytes() throws IOException {
        Map<String, Integer> vocabulary = new LinkedHashMap<>(Fixtures.vocabulary(List.of()));
        vocabulary.remove("Ċ");
        Fixtures.write(directory, vocabulary, List.of());
        refused().hasMessageContaining("has no token \"Ċ\" for the byte 10");
    }

    @Test
    void contradictionsBetweenFiles() throws IOException {
        Fixtures.writeTiny(directory);
        write("added_tokens.json", "{\"<x>\": 1000}");
        write("tokenizer_config.json", "{\"added_tokens_decoder\": {\"1001\": {\"content\": \"<x>\"}}}");
        refused().hasMessageContaining(
                "tokenizer_config.json: the added token \"<x>\" has the id 1001, expected 1000 as elsewhere");
        write("tokenizer_config.json", "{\"added_tokens_decoder\": {\"x\": {\"content\": \"<x>\"}}}");
        refused().hasMessageContaining(
                "tokenizer_config.json: field added_tokens_decoder.x is \"x\", expected a token id");
        write("tokenizer_config.json", "{\"eos_token\": 5}");
        refused().hasMessageContaining("tokenizer_config.json: field eos_token is 5, expected");
        write("tokenizer_config.json", "{\"add_prefix_space\": \"yes\"}");
        refused().hasMessageContaining(
                "tokenizer_config.json: field add_prefix_space is \"yes\", expected true or false");
        write("tokenizer_config.json", "{\"bos_token\": null, \"add_bos_token\": true}");
        refused().hasMessageContaining(
                "tokenizer_config.json: field add_bos_token is true, expected a bos_token as well");
    }

    @Test
    void aHugeFileIsNotRead() throws IOException {
        Fixtures.writeTiny(directory);
        try (var channel = Files.newByteChannel(directory.resolve("merges.txt"),
                java.nio.file.StandardOpenOption.WRITE)) {
            channel.position(1L << 33).write(StandardCharsets.US_ASCII.encode("x"));
        }
        refused().hasMessageContaining("merges.txt: has 8589934593 bytes, expected at most 268435456");
    }

    private void write(String name, String content) throws IOException {
        Files.writeString(directory.resolve(name), content);
    }

    private AbstractThrowableAssert<?, ? extends Throwable> refused() {
        return assertThatThrownBy(() -> Tokenizer.load(directory)).isInstanceOf(TokenizerException.class)
                .hasMessageNotContainingAny("\n", "Exception");
    }
}
