package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Reads a byte-level BPE model out of its files. */
final class BytePairReader {
    private static final String HEADER = "#version";

    private BytePairReader() {}

    static BytePairModel read(Path vocabularyFile, Path mergesFile) throws IOException {
        Vocabulary vocabulary = Json.parse(vocabularyFile,
                parser -> TokenizerJson.vocabulary(vocabularyFile, "", parser));
        int suffixed = vocabulary.find("e</w>");
        if (suffixed >= 0) {
            throw new TokenizerException(vocabularyFile, "token \"e</w>\" (id " + suffixed
                    + ") marks the end of a word, as OpenAI GPT and CLIP do, expected a byte-level vocabulary as GPT-2 has it");
        }
        MergeTable merges = merges(mergesFile, vocabularyFile, vocabulary);
        return new BytePairModel(vocabulary, merges, null, false, true, OffsetTracker.Trim.NO);
    }

    /** The model of a tokenizer.json. */
    static BytePairModel read(TokenizerJson json) throws IOException {
        checkModel(json.model());
        Vocabulary vocabulary = json.requiredVocabulary();
        if (json.merges() == null) {
            throw json.model().wrong("merges", "a list of merges");
        }
        for (JsonObject step : json.steps("normalizer", "normalizers")) {
            throw json.root().wrong("normalizer", step.get("type"), "null, as GPT-2 has it");
        }
        JsonObject cut = json.only("pre_tokenizer", "pretokenizers", "ByteLevel");
        json.only("decoder", "decoders", "ByteLevel");
        OffsetTracker.Trim trim = OffsetTracker.Trim.NO;
        for (JsonObject step : json.steps("post_processor", "processors")) {
            if ("ByteLevel".equals(step.get("type"))) {
                trim = trim(step);
            }
        }
        MergeTable table = merges(json.file(), vocabulary, json.merges());
        return new BytePairModel(vocabulary, table, json.model().string("unk_token"),
                cut.flag("add_prefix_space", true), cut.flag("use_regex", true), trim);
    }

    /** What the tokenizer.json puts around a text. */
    static Template template(TokenizerJson json) throws TokenizerException {
        Template template = Template.NOTHING;
        for (JsonObject step : json.steps("post_processor", "processors")) {
            switch (step.string("type")) {
                case "ByteLevel" -> {
                }
                case "TemplateProcessing" -> template = TokenizerJson.template(step);
                case null, default -> throw step.wrong("type", "\"ByteLevel\" or \"TemplateProcessing\"");
            }
        }
        return template;
    }

    private static void checkModel(JsonObject model) throws TokenizerException {
        if (model.get("dropout") != null && !(model.get("dropout") instanceof Number n && n.doubleValue() == 0)) {
            throw model.wrong("dropout", "null or 0, since text must always give the same ids");
        }
        for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
            if (model.string(affix) != null && !model.string(affix).isEmpty()) {
                throw model.wrong(affix, "null or \"\", as byte-level BPE has it");
            }
        }
        for (String flag : List.of("fuse_unk", "byte_fallback", "ignore_merges")) {
            if (model.flag(flag, false)) {
                throw model.wrong(flag, "false, as GPT-2 has it");
            }
        }
    }

    private static OffsetTracker.Trim trim(JsonObject step) throws TokenizerException {
        if (!step.flag("trim_offsets", true)) {
            return OffsetTracker.Trim.NO;
        }
        return step.flag("add_prefix_space", true) ? OffsetTracker.Trim.ALL_BUT_FIRST : OffsetTracker.Trim.ALL;
    }

    /** The lines of a merges.txt; the rank of a merge is its place. */
    private static MergeTable merges(Path file, Path vocabularyFile, Vocabulary vocabulary) throws IOException {
        char[] text = TextFile.read(file);
        int lines = 1;
        for (char c : text) {
            lines += c == '\n' ? 1 : 0;
        }
        MergeTable table = new MergeTable(lines);
        int rank = 0;
        int start = 0;
        for (int line = 1; start < text.length; line++) {
            int lineEnd = start;
            int space = -1;
            int spaces = 0;
            while (lineEnd < text.length && text[lineEnd] != '\n') {
                if (text[lineEnd] == ' ') {
                    space = lineEnd;
                    spaces++;
                }
                lineEnd++;
            }
            int end = lineEnd > start && text[lineEnd - 1] == '\r' ? lineEnd - 1 : lineEnd;
            boolean header = line == 1 && new String(text, start, end - start).startsWith(HEADER);
            if (end > start && !header) {
                String where = "line " + line;
                if (spaces != 1 || space == start || space == end - 1) {
                    throw TokenizerJson.notTwo(file, where, new String(text, start, end - start));
                }
                int left = vocabulary.find(text, start, space, 0, 0);
                int right = vocabulary.find(text, space + 1, end, 0, 0);
                int merged = vocabulary.find(text, start, space, space + 1, end);
                if (left < 0 || right < 0 || merged < 0) {
                    throw unknown(file, where, vocabularyFile, new String(text, start, space - start), left,
                            new String(text, space + 1, end - space - 1), right);
                }
                table.put(left, right, rank++, merged);
            }
            start = lineEnd + 1;
        }
        return table;
    }

    /** Merges of a tokenizer.json, left and right in turn. */
    private static MergeTable merges(Path file, Vocabulary vocabulary, List<String> merges) throws IOException {
        MergeTable table = new MergeTable(merges.size() / 2);
        for (int i = 0; i < merges.size(); i += 2) {
            int left = vocabulary.find(merges.get(i));
            int right = vocabulary.find(merges.get(i + 1));
            int merged = vocabulary.find(merges.get(i).concat(merges.get(i + 1)));
            if (left < 0 || right < 0 || merged < 0) {
                throw unknown(file, "field model.merges[" + i / 2 + "]", file, merges.get(i), left, merges.get(i + 1),
                        right);
            }
            table.put(left, right, i / 2, merged);
        }
        return table;
    }

    private static TokenizerException unknown(Path file, String where, Path vocabularyFile, String left, int leftId,
            String right, int rightId) {
        String missing = leftId < 0 ? left : rightId < 0 ? right : left + right;
        return new TokenizerException(file,
                where + " merges " + JsonObject.shown(left) + " and " + JsonObject.shown(right)
                        + ", but the token " + JsonObject.shown(missing) + " is not in the vocabulary of "
                        + vocabularyFile.getFileName() + ", expected all three to be");
    }
}
