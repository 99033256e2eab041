package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A small OpenAI GPT vocabulary, the first 400 merges of the real one, in the forms that files have. */
final class OpenAiGptFixtures {
    static final String LETTERS = "!\"&'(),-./0123456789:;<>?@abcdefghijklmnopqrstuvwxyé\u044f\u2116\u65e5";
    static final String CONFIG = "{\"tokenizer_class\":\"OpenAIGPTTokenizer\"}";
    /** What the tokenizer of a persona chat has in its roles. */
    static final String SPEAKERS_MAP = "{\"bos_token\":\"<bos>\",\"eos_token\":\"<eos>\",\"pad_token\":\"<pad>\","
            + "\"additional_special_tokens\":[\"<speaker1>\",\"<speaker2>\"]}";

    private OpenAiGptFixtures() {}

    static List<String> merges() {
        return Fixtures.resource("openai-tiny-merges.txt").lines().skip(1).toList();
    }

    static Map<String, Integer> vocabulary() {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        vocabulary.put("<unk>", 0);
        for (String end : List.of("", "</w>")) {
            LETTERS.codePoints().forEach(c -> vocabulary.put(Character.toString(c) + end, vocabulary.size()));
        }
        merges().forEach(merge -> vocabulary.put(merge.replace(" ", ""), vocabulary.size()));
        return vocabulary;
    }

    /** Writes vocab.json and merges.txt, and tokenizer_config.json unless it is null. */
    static Path write(Path directory, String config) throws IOException {
        Fixtures.write(directory, vocabulary(), merges());
        if (config != null) {
            Files.writeString(directory.resolve("tokenizer_config.json"), config);
        }
        return directory;
    }

    /** Writes added_tokens.json and special_tokens_map.json, as transformers did until version 4, for a persona chat. */
    static Path writeSpeakers(Path directory, int firstId) throws IOException {
        Files.writeString(directory.resolve("added_tokens.json"),
                "{\"<bos>\":%d,\"<eos>\":%d,\"<pad>\":%d,\"<speaker1>\":%d,\"<speaker2>\":%d}".formatted(firstId,
                        firstId + 1, firstId + 2, firstId + 3, firstId + 4));
        Files.writeString(directory.resolve("special_tokens_map.json"), SPEAKERS_MAP);
        return directory;
    }

    /** The added tokens of a persona chat as a tokenizer.json has them. */
    static String speakers(int firstId) {
        List<String> tokens = List.of("<bos>", "<eos>", "<pad>", "<speaker1>", "<speaker2>");
        return tokens.stream().map(token -> Fixtures.added(firstId + tokens.indexOf(token), token, "\"special\":true"))
                .collect(Collectors.joining(","));
    }

    /** Writes a tokenizer.json, with parts to put in. */
    static Path writeJson(Path directory, Map<String, String> parts, Map<String, String> modelParts)
            throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("tokenizer.json"), json(parts, modelParts));
        return directory;
    }

    static String json(Map<String, String> parts, Map<String, String> modelParts) {
        Map<String, String> model = new LinkedHashMap<>();
        model.put("type", "\"BPE\"");
        model.put("dropout", "null");
        model.put("unk_token", "\"<unk>\"");
        model.put("continuing_subword_prefix", "\"\"");
        model.put("end_of_word_suffix", "\"</w>\"");
        model.put("fuse_unk", "false");
        model.put("byte_fallback", "false");
        model.put("ignore_merges", "false");
        model.put("vocab", Fixtures.json(vocabulary()));
        model.put("merges", merges().stream().map(Fixtures::quote).collect(Collectors.joining(",", "[", "]")));
        model.putAll(modelParts);
        Map<String, String> all = new LinkedHashMap<>();
        all.put("version", "\"1.0\"");
        all.put("added_tokens", "[" + Fixtures.added(0, "<unk>", "\"special\":true") + "]");
        all.put("normalizer", "{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
                + "\"strip_accents\":null,\"lowercase\":true}");
        all.put("pre_tokenizer", "{\"type\":\"BertPreTokenizer\"}");
        all.put("post_processor", "{\"type\":\"TemplateProcessing\",\"single\":[" + WordPieceFixtures.sequence("A", 0)
                + "],\"pair\":[" + WordPieceFixtures.sequence("A", 0) + "," + WordPieceFixtures.sequence("B", 1)
                + "],\"special_tokens\":{}}");
        all.put("decoder", "{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}");
        all.put("model", Fixtures.object(model));
        all.putAll(parts);
        return Fixtures.object(all);
    }
}
