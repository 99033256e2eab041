package org.vecformer.tokenizer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads a byte-level BPE model out of its files. */
final class ModelReader {
    private static final String HEADER = "#version";

    private ModelReader() {}

    /** A model and the added tokens that its file lists. */
    record TokenizerJson(BytePairModel model, List<JsonObject> addedTokens) {}

    static BytePairModel read(Path vocabularyFile, Path mergesFile) throws IOException {
        Vocabulary vocabulary = Json.parse(vocabularyFile, parser -> vocabulary(vocabularyFile, "", parser));
        int suffixed = vocabulary.find("e</w>");
        if (suffixed >= 0) {
            throw new TokenizerException(vocabularyFile, "token \"e</w>\" (id " + suffixed
                    + ") marks the end of a word, as OpenAI GPT and CLIP do, expected a byte-level vocabulary as GPT-2 has it");
        }
        MergeTable merges = merges(mergesFile, vocabularyFile, vocabulary);
        return new BytePairModel(vocabulary, merges, null, false, true, OffsetTracker.Trim.NO,
                BytePairModel.Template.NOTHING);
    }

    static TokenizerJson read(Path file) throws IOException {
        return Json.parse(file, parser -> tokenizerJson(file, parser));
    }

    private static TokenizerJson tokenizerJson(Path file, JsonParser parser) throws IOException {
        Json.expect(file, parser, JsonToken.START_OBJECT, "the file", "an object");
        Map<String, Object> parts = new LinkedHashMap<>();
        Map<String, Object> model = null;
        Vocabulary vocabulary = null;
        List<String> merges = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String part = parser.currentName();
            parser.nextToken();
            if (!part.equals("model") || parser.currentToken() != JsonToken.START_OBJECT) {
                parts.put(part, Json.value(parser));
                continue;
            }
            model = new LinkedHashMap<>();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                parser.nextToken();
                if (name.equals("vocab") && parser.currentToken() == JsonToken.START_OBJECT) {
                    vocabulary = vocabulary(file, "model.vocab.", parser);
                } else if (name.equals("merges") && parser.currentToken() == JsonToken.START_ARRAY) {
                    merges = mergeList(file, parser);
                } else {
                    model.put(name, Json.value(parser));
                }
            }
        }
        JsonObject root = new JsonObject(file, "", parts);
        if (model == null) {
            throw root.wrong("model", "an object");
        }
        JsonObject settings = new JsonObject(file, "model.", model);
        checkModel(settings);
        if (vocabulary == null) {
            throw settings.wrong("vocab", "an object from tokens to ids");
        }
        if (merges == null) {
            throw settings.wrong("merges", "a list of merges");
        }
        refuseNormalizer(root);
        JsonObject cut = only(root, "pre_tokenizer", "pretokenizers", "ByteLevel");
        only(root, "decoder", "decoders", "ByteLevel");
        OffsetTracker.Trim trim = OffsetTracker.Trim.NO;
        BytePairModel.Template template = BytePairModel.Template.NOTHING;
        for (JsonObject step : steps(root, "post_processor", "processors")) {
            switch (step.string("type")) {
                case "ByteLevel" -> trim = trim(step);
                case "TemplateProcessing" -> template = template(step);
                case null, default -> throw step.wrong("type", "\"ByteLevel\" or \"TemplateProcessing\"");
            }
        }
        List<JsonObject> added = new ArrayList<>();
        for (Object token : root.list("added_tokens")) {
            added.add(root.object("added_tokens[" + added.size() + "]", token));
        }
        MergeTable table = merges(file, vocabulary, merges);
        return new TokenizerJson(new BytePairModel(vocabulary, table, settings.string("unk_token"),
                cut.flag("add_prefix_space", true), cut.flag("use_regex", true), trim, template), added);
    }

    private static void checkModel(JsonObject model) throws TokenizerException {
        // The first files of this format did not name the type.
        if (model.has("type") && !"BPE".equals(model.get("type"))) {
            throw model.wrong("type", "\"BPE\"");
        }
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

    private static void refuseNormalizer(JsonObject root) throws TokenizerException {
        for (JsonObject step : steps(root, "normalizer", "normalizers")) {
            throw root.wrong("normalizer", step.get("type"), "null, as GPT-2 has it");
        }
    }

    /** The one step of the expected type that a part must consist of. */
    private static JsonObject only(JsonObject root, String part, String listName, String type)
            throws TokenizerException {
        List<JsonObject> steps = steps(root, part, listName);
        if (steps.size() != 1) {
            throw root.wrong(part, "one step of type \"" + type + "\"");
        }
        if (!type.equals(steps.getFirst().get("type"))) {
            throw steps.getFirst().wrong("type", '"' + type + '"');
        }
        return steps.getFirst();
    }

    /** A part is null, one step, or a Sequence of steps. */
    private static List<JsonObject> steps(JsonObject root, String part, String listName) throws TokenizerException {
        JsonObject step = root.object(part);
        if (step == null) {
            return List.of();
        }
        if (!"Sequence".equals(step.get("type"))) {
            return List.of(step);
        }
        List<JsonObject> steps = new ArrayList<>();
        for (Object element : step.list(listName)) {
            steps.add(step.object(listName + "[" + steps.size() + "]", element));
        }
        return steps;
    }

    private static OffsetTracker.Trim trim(JsonObject step) throws TokenizerException {
        if (!step.flag("trim_offsets", true)) {
            return OffsetTracker.Trim.NO;
        }
        return step.flag("add_prefix_space", true) ? OffsetTracker.Trim.ALL_BUT_FIRST : OffsetTracker.Trim.ALL;
    }

    private static BytePairModel.Template template(JsonObject step) throws TokenizerException {
        IntList before = new IntList(0);
        IntList after = new IntList(0);
        boolean seen = false;
        JsonObject specials = step.object("special_tokens");
        List<?> single = step.list("single");
        for (int i = 0; i < single.size(); i++) {
            JsonObject piece = step.object("single[" + i + "]", single.get(i));
            if (piece.has("Sequence") && !seen) {
                seen = true;
                continue;
            }
            JsonObject token = piece.object("SpecialToken");
            if (token == null || specials == null) {
                throw step.wrong("single[" + i + "]", single.get(i), "one Sequence and special tokens around it");
            }
            JsonObject special = specials.object(token.requiredString("id"));
            if (special == null) {
                throw specials.wrong(token.string("id"), "the ids of this special token");
            }
            for (Object id : special.list("ids")) {
                (seen ? after : before).add(special.id("ids", id));
            }
        }
        if (!seen) {
            throw step.wrong("single", "one Sequence and special tokens around it");
        }
        return new BytePairModel.Template(before.toArray(), after.toArray());
    }

    private static Vocabulary vocabulary(Path file, String at, JsonParser parser) throws IOException {
        Json.expect(file, parser, JsonToken.START_OBJECT, "the file", "an object from tokens to ids");
        Vocabulary vocabulary = new Vocabulary();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String token = parser.currentName();
            boolean number = parser.nextToken() == JsonToken.VALUE_NUMBER_INT;
            if (!number || parser.getNumberType() != JsonParser.NumberType.INT || parser.getIntValue() < 0
                    || parser.getIntValue() > Vocabulary.LARGEST_ID) {
                throw new TokenizerException(file, "field " + at + JsonObject.cut(token) + " is " + Json.shown(parser)
                        + ", expected a token id from 0 to " + Vocabulary.LARGEST_ID);
            }
            int id = parser.getIntValue();
            String other = vocabulary.token(id);
            if (other != null || vocabulary.find(token) >= 0) {
                throw new TokenizerException(file, "field " + at + JsonObject.cut(token) + " has the id " + id + ", "
                        + (other == null
                                ? "but this token has the id " + vocabulary.find(token) + " already"
                                : "but this id belongs to " + JsonObject.shown(other) + " already")
                        + ", expected tokens and ids to occur once");
            }
            vocabulary.add(token, id);
        }
        return vocabulary;
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
                    throw notTwo(file, where, new String(text, start, end - start));
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

    /** Merges are written "a b" in older files, ["a", "b"] in newer ones. */
    private static List<String> mergeList(Path file, JsonParser parser) throws IOException {
        List<String> merges = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            String where = "field model.merges[" + merges.size() / 2 + "]";
            if (parser.currentToken() == JsonToken.START_ARRAY) {
                int before = merges.size();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    Json.expect(file, parser, JsonToken.VALUE_STRING, where, "two tokens");
                    merges.add(parser.getText());
                }
                if (merges.size() != before + 2) {
                    throw notTwo(file, where, String.join(" ", merges.subList(before, merges.size())));
                }
                continue;
            }
            Json.expect(file, parser, JsonToken.VALUE_STRING, where, "two tokens");
            String merge = parser.getText();
            int space = merge.indexOf(' ');
            if (space <= 0 || space == merge.length() - 1 || space != merge.lastIndexOf(' ')) {
                throw notTwo(file, where, merge);
            }
            merges.add(merge.substring(0, space));
            merges.add(merge.substring(space + 1));
        }
        return merges;
    }

    private static TokenizerException notTwo(Path file, String where, String merge) {
        return new TokenizerException(file,
                where + " is " + JsonObject.shown(merge) + ", expected two tokens with one space between them");
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
