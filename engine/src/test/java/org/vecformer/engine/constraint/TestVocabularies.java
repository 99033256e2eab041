package org.vecformer.engine.constraint;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vecformer.tokenizer.Tokenizer;

/** Small tokenizers made on the spot. */
final class TestVocabularies {
    /** What byte pairs are joined to, each from two that are there already; the space comes with what follows. */
    private static final List<String> TOKENS = List.of("tr", "ue", "true", "fa", "fal", "se", "false", "nu", "ll",
            "null",
            "\":", "\",", "{\"", "\"}", "[\"", "\"]", " \"", "na", "me", "name", "ag", "age", "12", "123", "00", ", ",
            ": ", "\\\"", "ab", "abc", "aab", "é", "éa", "\u4f60", "10", "20", "}}", "]]", "--", "el", "hel", "lo",
            "hello", " w", " wo", "rl", "rld", " world", "id", "\n\n", "a\n", "T1", "Z\"", "\\u", "20", "{}", "[]");

    private TestVocabularies() {
    }

    /** All bytes and some longer tokens, one of which holds the first half of a character of four bytes. */
    static Tokenizer bytes() {
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (int value = 0; value < 256; value++) {
            ids.put(spelled(new byte[]{(byte) value}), ids.size());
        }
        List<String> merges = new ArrayList<>();
        for (String token : TOKENS) {
            String whole = spelled(token.getBytes(StandardCharsets.UTF_8));
            add(whole, ids, merges);
        }
        add(spelled(new byte[]{(byte) 0xF0, (byte) 0x9F}), ids, merges);
        ids.put("<|endoftext|>", ids.size());
        return load(Map.of("vocab.json", json(ids), "merges.txt", "#version: 0.2\n" + String.join("\n", merges) + "\n",
                "special_tokens_map.json", "{\"eos_token\": \"<|endoftext|>\"}"));
    }

    /** Adds a token, with those that it is joined from. */
    private static void add(String token, Map<String, Integer> ids, List<String> merges) {
        for (int length = 2; length <= token.length(); length++) {
            String part = token.substring(0, length);
            if (ids.putIfAbsent(part, ids.size()) == null) {
                merges.add(part.substring(0, length - 1) + " " + part.charAt(length - 1));
            }
        }
    }

    static Tokenizer wordPieces(String... tokens) {
        return load(Map.of("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n" + String.join("\n", tokens) + "\n"));
    }

    /** How GPT-2 writes bytes (openai/gpt-2, bytes_to_unicode). */
    private static String spelled(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            int value = b & 0xFF;
            int odd = 0;
            for (int other = 0; other < value; other++) {
                odd += isPrintable(other) ? 0 : 1;
            }
            text.append((char) (isPrintable(value) ? value : 256 + odd));
        }
        return text.toString();
    }

    private static boolean isPrintable(int value) {
        return value > ' ' && value < 0x7F || value > 0xA0 && value != 0xAD;
    }

    private static String json(Object value) {
        try {
            return new ObjectMapper().writeValueAsString(value);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Tokenizer load(Map<String, String> files) {
        try {
            Path directory = Files.createTempDirectory("vocabulary");
            try {
                for (Map.Entry<String, String> file : files.entrySet()) {
                    Files.writeString(directory.resolve(file.getKey()), file.getValue());
                }
                return Tokenizer.load(directory);
            } finally {
                for (String name : files.keySet()) {
                    Files.deleteIfExists(directory.resolve(name));
                }
                Files.deleteIfExists(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
