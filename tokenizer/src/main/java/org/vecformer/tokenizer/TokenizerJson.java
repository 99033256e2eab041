package org.vecformer.tokenizer;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A tokenizer.json of the Hugging Face tokenizers library, read but not yet understood.
 *
 * @param root all fields but the model
 * @param model the fields of the model but its vocabulary and merges
 * @param vocabulary the vocabulary of the model
 * @param merges the merges, left and right in turn; null if there are none
 */
record TokenizerJson(JsonObject root, JsonObject model, Vocabulary vocabulary, List<String> merges) {

    static TokenizerJson read(Path file) throws IOException {
        return Json.parse(file, parser -> read(file, parser));
    }

    private static TokenizerJson read(Path file, JsonParser parser) throws IOException {
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
                    merges = merges(file, parser);
                } else {
                    model.put(name, Json.value(parser));
                }
            }
        }
        JsonObject root = new JsonObject(file, "", parts);
        if (model == null) {
            throw root.wrong("model", "an object");
        }
        return new TokenizerJson(root, new JsonObject(file, "model.", model), vocabulary, merges);
    }

    Path file() {
        return root.file();
    }

    /** The type of the model. The first files of this format did not name it; what they hold tells. */
    String modelType() throws TokenizerException {
        if (model.has("type")) {
            return model.string("type");
        }
        return merges == null && model.has("max_input_chars_per_word") ? "WordPiece" : "BPE";
    }

    /** The vocabulary, which the model must have. */
    Vocabulary requiredVocabulary() throws TokenizerException {
        if (vocabulary == null) {
            throw model.wrong("vocab", "an object from tokens to ids");
        }
        return vocabulary;
    }

    /** The merges, which the model must have. */
    List<String> requiredMerges() throws TokenizerException {
        if (merges == null) {
            throw model.wrong("merges", "a list of merges");
        }
        return merges;
    }

    /** The one BertNormalizer that the normalizer must be. */
    BertNormalizer bertNormalizer() throws TokenizerException {
        JsonObject step = only("normalizer", "normalizers", "BertNormalizer");
        boolean lowerCase = step.flag("lowercase", true);
        return new BertNormalizer(step.flag("clean_text", true), step.flag("handle_chinese_chars", true),
                step.flag("strip_accents", lowerCase), lowerCase);
    }

    List<JsonObject> addedTokens() throws TokenizerException {
        List<JsonObject> added = new ArrayList<>();
        for (Object token : root.list("added_tokens")) {
            added.add(root.object("added_tokens[" + added.size() + "]", token));
        }
        return added;
    }

    /** The one step of the expected type that a part must consist of. */
    JsonObject only(String part, String listName, String type) throws TokenizerException {
        List<JsonObject> steps = steps(part, listName);
        if (steps.size() != 1) {
            throw root.wrong(part, "one step of type \"" + type + "\"");
        }
        if (!type.equals(steps.getFirst().get("type"))) {
            throw steps.getFirst().wrong("type", '"' + type + '"');
        }
        return steps.getFirst();
    }

    /** A part is null, one step, or a Sequence of steps. */
    List<JsonObject> steps(String part, String listName) throws TokenizerException {
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

    /** A TemplateProcessing step. */
    static Template template(JsonObject step) throws TokenizerException {
        List<Template.Piece> single = pieces(step, "single", 1);
        List<Template.Piece> pair = step.list("pair").isEmpty() ? null : pieces(step, "pair", 2);
        return new Template(single, pair);
    }

    private static List<Template.Piece> pieces(JsonObject step, String name, int texts) throws TokenizerException {
        String expected = (texts == 1 ? "one Sequence A" : "a Sequence A and a Sequence B")
                + " and special tokens around it";
        JsonObject specials = step.object("special_tokens");
        List<Template.Piece> pieces = new ArrayList<>();
        int seen = 0;
        List<?> list = step.list(name);
        for (int i = 0; i < list.size(); i++) {
            JsonObject piece = step.object(name + "[" + i + "]", list.get(i));
            JsonObject sequence = piece.object("Sequence");
            if (sequence != null) {
                int text = "A".equals(sequence.get("id")) ? 0 : "B".equals(sequence.get("id")) ? 1 : texts;
                if (text >= texts || (seen & 1 << text) != 0) {
                    throw step.wrong(name + "[" + i + "]", list.get(i), expected);
                }
                seen |= 1 << text;
                pieces.add(Template.Piece.text(text, type(sequence)));
                continue;
            }
            JsonObject token = piece.object("SpecialToken");
            if (token == null || specials == null) {
                throw step.wrong(name + "[" + i + "]", list.get(i), expected);
            }
            JsonObject special = specials.object(token.requiredString("id"));
            if (special == null) {
                throw specials.wrong(token.string("id"), "the ids of this special token");
            }
            IntList ids = new IntList(0);
            for (Object id : special.list("ids")) {
                ids.add(special.id("ids", id));
            }
            pieces.add(Template.Piece.special(type(token), ids.toArray()));
        }
        if (seen != (1 << texts) - 1) {
            throw step.wrong(name, expected);
        }
        return pieces;
    }

    /** A token type; 0 if it is missing. */
    private static int type(JsonObject piece) throws TokenizerException {
        Object type = piece.get("type_id");
        if (type == null) {
            return 0;
        }
        if (type instanceof Long number && number >= 0 && number <= Byte.MAX_VALUE) {
            return number.intValue();
        }
        throw piece.wrong("type_id", "a token type from 0 to " + Byte.MAX_VALUE);
    }

    /** Reads a vocabulary; the parser stands on its brace. */
    static Vocabulary vocabulary(Path file, String at, JsonParser parser) throws IOException {
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

    /** Merges are written "a b" in older files, ["a", "b"] in newer ones. */
    private static List<String> merges(Path file, JsonParser parser) throws IOException {
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

    static TokenizerException notTwo(Path file, String where, String merge) {
        return new TokenizerException(file,
                where + " is " + JsonObject.shown(merge) + ", expected two tokens with one space between them");
    }
}
