package org.vecformer.engine.constraint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.vecformer.engine.TestModels;
import org.vecformer.tokenizer.Tokenizer;

/** Small tokenizers made on the spot. */
final class TestVocabularies {
    /** Tokens as byte-level BPE spells them. */
    private static final List<String> TOKENS = List.of("tr", "ue", "true", "fa", "fal", "se", "false", "nu", "ll",
            "null",
            "\":", "\",", "{\"", "\"}", "[\"", "\"]", "Ġ\"", "na", "me", "name", "ag", "age", "12", "123", "00", ",Ġ",
            ":Ġ", "\\\"", "ab", "abc", "aab", "Ã©", "Ã©a", "ä½ł", "10", "20", "}}", "]]", "--", "el", "hel", "lo",
            "hello", "Ġw", "Ġwo", "rl", "rld", "Ġworld", "id", "ĊĊ", "aĊ", "T1", "Z\"", "\\u", "{}", "[]", "ðŁ");

    private TestVocabularies() {
    }

    /** The end token, all bytes, and some longer tokens, one of which is the first half of a character. */
    static Tokenizer bytes() {
        Set<String> merged = new LinkedHashSet<>();
        for (String token : TOKENS) {
            for (int length = 2; length <= token.length(); length++) {
                merged.add(token.substring(0, length - 1) + " " + token.charAt(length - 1));
            }
        }
        return load(directory -> TestModels.writeByteTokenizer(directory, merged.toArray(String[]::new)));
    }

    static Tokenizer wordPieces(String... tokens) {
        String lines = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n" + String.join("\n", tokens) + "\n";
        return load(directory -> Files.writeString(directory.resolve("vocab.txt"), lines));
    }

    private interface Source {
        void write(Path directory) throws IOException;
    }

    private static Tokenizer load(Source files) {
        try {
            Path directory = Files.createTempDirectory("vocabulary");
            try {
                files.write(directory);
                return Tokenizer.load(directory);
            } finally {
                try (Stream<Path> written = Files.list(directory)) {
                    for (Path file : written.toList()) {
                        Files.delete(file);
                    }
                }
                Files.delete(directory);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
