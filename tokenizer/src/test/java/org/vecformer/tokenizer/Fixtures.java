package org.vecformer.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;

/** Small vocabularies made on the spot, rows of JSON lines, random text. */
final class Fixtures {
    static final String END = "<|endoftext|>";
    private static final JsonFactory FACTORY = new JsonFactory();

    private Fixtures() {}

    /**
     * The first 743 merges of GPT-2: with 256 bytes and the end token they make the 1000 ids that the
     * oracle's minis have.
     */
    static List<String> merges() {
        return resource("tiny-merges.txt").lines().skip(1).toList();
    }

    static Map<String, Integer> vocabulary(List<String> merges) {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        for (int pass = 0; pass < 2; pass++) {
            for (int b = 0; b < 256; b++) {
                // GPT-2 numbers the bytes that stand for themselves first.
                if (ByteAlphabet.symbol(b) == b == (pass == 0)) {
                    vocabulary.put(String.valueOf(ByteAlphabet.symbol(b)), vocabulary.size());
                }
            }
        }
        for (String merge : merges) {
            vocabulary.put(merge.replace(" ", ""), vocabulary.size());
        }
        return vocabulary;
    }

    static Map<String, Integer> vocabulary() {
        Map<String, Integer> vocabulary = vocabulary(merges());
        vocabulary.put(END, vocabulary.size());
        return vocabulary;
    }

    /** Writes vocab.json and merges.txt. */
    static Path write(Path directory, Map<String, Integer> vocabulary, List<String> merges) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("vocab.json"), json(vocabulary));
        Files.writeString(directory.resolve("merges.txt"), "#version: 0.2\n" + String.join("\n", merges) + "\n");
        return directory;
    }

    static Path writeTiny(Path directory) throws IOException {
        return write(directory, vocabulary(), merges());
    }

    static Tokenizer tiny(Path directory) throws IOException {
        return Tokenizer.load(writeTiny(directory));
    }

    /** A tokenizer.json in the present form, with parts to put in. */
    static String tokenizerJson(Map<String, String> parts, Map<String, String> modelParts) {
        Map<String, String> model = new LinkedHashMap<>();
        model.put("type", "\"BPE\"");
        model.put("dropout", "null");
        model.put("unk_token", "null");
        model.put("continuing_subword_prefix", "\"\"");
        model.put("vocab", json(vocabulary()));
        model.put("merges",
                merges().stream().map(m -> '[' + quote(m.split(" ")[0]) + ',' + quote(m.split(" ")[1]) + ']')
                        .collect(Collectors.joining(",", "[", "]")));
        model.putAll(modelParts);
        Map<String, String> all = new LinkedHashMap<>();
        all.put("version", "\"1.0\"");
        all.put("added_tokens", "[" + added(999, END, "\"special\":true") + "]");
        all.put("normalizer", "null");
        all.put("pre_tokenizer", "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true}");
        all.put("post_processor", "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":false}");
        all.put("decoder", "{\"type\":\"ByteLevel\"}");
        all.put("model", object(model));
        all.putAll(parts);
        return object(all);
    }

    static Path writeTokenizerJson(Path directory, Map<String, String> parts, Map<String, String> modelParts)
            throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("tokenizer.json"), tokenizerJson(parts, modelParts));
        return directory;
    }

    /** An added token as files write it, with more fields. */
    static String added(int id, String content, String more) {
        return "{\"id\":" + id + ",\"content\":" + quote(content) + (more.isEmpty() ? "" : "," + more) + "}";
    }

    static String json(Map<String, Integer> vocabulary) {
        Map<String, String> members = new LinkedHashMap<>();
        vocabulary.forEach((token, id) -> members.put(token, id.toString()));
        return object(members);
    }

    static String object(Map<String, String> members) {
        return members.entrySet().stream().map(e -> quote(e.getKey()) + ":" + e.getValue())
                .collect(Collectors.joining(",", "{", "}"));
    }

    static String quote(String text) {
        return '"' + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
    }

    static String resource(String name) {
        try (InputStream in = Fixtures.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Rows of a JSON lines text; lines end with a line feed only. */
    static List<Map<?, ?>> rows(String lines) {
        List<Map<?, ?>> rows = new ArrayList<>();
        for (String line : lines.split("\n")) {
            try (JsonParser parser = FACTORY.createParser(line)) {
                parser.nextToken();
                rows.add((Map<?, ?>) Json.value(parser));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return rows;
    }

    static int[] ints(Object list) {
        return ((List<?>) list).stream().mapToInt(n -> ((Long) n).intValue()).toArray();
    }

    static int[][] pairs(Object list) {
        return ((List<?>) list).stream().map(Fixtures::ints).toArray(int[][]::new);
    }

    /** Any code points but surrogates, with a liking for what the pattern and the vocabulary know. */
    static String randomText(Random random, int maxLength) {
        String[] likely = {" ", " ", "'", "'s", "'re", "\n", "\t", "\u00A0", "\u0085", "\u3000", "the", "in", " and",
            "1", "23",
            "é", "日", "🙂", "\u0301", "<|endoftext|>", "<|end", "!", "--", "x"};
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(maxLength + 1); n > 0; n--) {
            if (random.nextInt(3) > 0) {
                text.append(likely[random.nextInt(likely.length)]);
                continue;
            }
            int limit = switch (random.nextInt(4)) {
                case 0 -> 0x80;
                case 1 -> 0x800;
                case 2 -> 0x10000;
                default -> 0x110000;
            };
            int codePoint = random.nextInt(limit);
            if (codePoint < 0xD800 || codePoint > 0xDFFF) {
                text.appendCodePoint(codePoint);
            }
        }
        return text.toString();
    }
}
