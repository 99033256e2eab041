package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A small WordPiece vocabulary in the forms that files have. */
final class WordPieceFixtures {
    private WordPieceFixtures() {}

    static List<String> vocabulary() {
        return List.of(Fixtures.resource("bert-tiny-vocab.txt").split("\n"));
    }

    /** Writes vocab.txt, and tokenizer_config.json unless it is null. */
    static Path write(Path directory, String config) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("vocab.txt"), Fixtures.resource("bert-tiny-vocab.txt"));
        if (config != null) {
            Files.writeString(directory.resolve("tokenizer_config.json"), config);
        }
        return directory;
    }

    /** Writes a tokenizer.json, with parts to put in. */
    static Path writeJson(Path directory, Map<String, String> parts, Map<String, String> modelParts)
            throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("tokenizer.json"), json(parts, modelParts));
        return directory;
    }

    static String json(Map<String, String> parts, Map<String, String> modelParts) {
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (String token : vocabulary()) {
            ids.put(token, ids.size());
        }
        Map<String, String> model = new LinkedHashMap<>();
        model.put("type", "\"WordPiece\"");
        model.put("unk_token", "\"[UNK]\"");
        model.put("continuing_subword_prefix", "\"##\"");
        model.put("max_input_chars_per_word", "100");
        model.put("vocab", Fixtures.json(ids));
        model.putAll(modelParts);
        Map<String, String> all = new LinkedHashMap<>();
        all.put("version", "\"1.0\"");
        all.put("truncation", "{\"max_length\":4,\"strategy\":\"LongestFirst\",\"stride\":0}");
        all.put("added_tokens", "[" + Fixtures.added(4, "[MASK]", "\"special\":true") + "]");
        all.put("normalizer", "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
                + "\"strip_accents\":null,\"lowercase\":true}");
        all.put("pre_tokenizer", "{\"type\":\"BertPreTokenizer\"}");
        all.put("post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[" + special("[CLS]", 0) + ","
                + sequence("A", 0) + "," + special("[SEP]", 0) + "],\"pair\":[" + special("[CLS]", 0) + ","
                + sequence("A", 0) + "," + special("[SEP]", 0) + "," + sequence("B", 1) + "," + special("[SEP]", 1)
                + "],\"special_tokens\":{\"[CLS]\":{\"id\":\"[CLS]\",\"ids\":[2],\"tokens\":[\"[CLS]\"]},"
                + "\"[SEP]\":{\"id\":\"[SEP]\",\"ids\":[3],\"tokens\":[\"[SEP]\"]}}}");
        all.put("decoder", "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}");
        all.put("model", Fixtures.object(model));
        all.putAll(parts);
        return Fixtures.object(all);
    }

    static String special(String token, int type) {
        return "{\"SpecialToken\":{\"id\":\"" + token + "\",\"type_id\":" + type + "}}";
    }

    static String sequence(String name, int type) {
        return "{\"Sequence\":{\"id\":\"" + name + "\",\"type_id\":" + type + "}}";
    }

    /** Any UTF-16 units, unpaired surrogates too, with a liking for what the tokenizer knows. */
    static String randomText(Random random, int maxLength) {
        String[] likely = {" ", " ", "the", "un", "affable", "ing", "[MASK]", "[SEP", "##", "\u00e9", "\u0130",
            "\u0301", "\u302e", "\ud834\udd65", "\u0344", "\u0f73", "\u4e2d", "\uac01", "\uf900", "\u200b", "\u0000",
            "\ud800", "\udfff", "\ud83d\ude42", "in\u00e9", "\u1e9e", ".", "!", "\n", "x".repeat(60)};
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(maxLength + 1); n > 0; n--) {
            switch (random.nextInt(5)) {
                case 0 -> text.append((char) random.nextInt(0x10000));
                case 1 -> text.appendCodePoint(random.nextInt(0x110000));
                case 2 -> text.append((char) random.nextInt(0x250));
                default -> text.append(likely[random.nextInt(likely.length)]);
            }
        }
        return text.toString();
    }
}
