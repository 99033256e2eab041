package org.vecformer.tokenizer;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON files through the streaming parser, with errors that name the file. */
final class Json {
    // Field names are the tokens of a vocabulary: no use in a symbol table for them.
    private static final JsonFactory FACTORY = JsonFactory.builder()
            // Without it a buffer stays with each thread, and keeps our class loader.
            .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

    private Json() {}

    /** Reads one value; the parser stands on its first token when called and must stand on its last one afterwards. */
    @FunctionalInterface
    interface Body<T> {
        T read(JsonParser parser) throws IOException;
    }

    static <T> T parse(Path file, Body<T> body) throws IOException {
        char[] text = TextFile.read(file);
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() == null) {
                throw new TokenizerException(file, "has no JSON value, only white space");
            }
            T value = body.read(parser);
            if (parser.nextToken() != null) {
                throw new TokenizerException(file, "goes on after the end of its JSON value, at " + place(parser));
            }
            return value;
        } catch (JsonEOFException e) {
            throw new TokenizerException(file + ": is truncated, its JSON stops in the middle after " + text.length
                    + " characters", e);
        } catch (JacksonException e) {
            String place = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column " + e.getLocation().getColumnNr();
            throw new TokenizerException(
                    file + ": is not valid JSON" + place + ": " + e.getOriginalMessage().lines().findFirst().orElse(""),
                    e);
        }
    }

    /** A file that holds one object. */
    static JsonObject object(Path file) throws IOException {
        return parse(file, parser -> {
            expect(file, parser, JsonToken.START_OBJECT, "the file", "an object");
            return new JsonObject(file, "", members(parser));
        });
    }

    /** The value the parser stands on, as Map, List, String, Long, Double, Boolean or null. */
    static Object value(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> members(parser);
            case START_ARRAY -> {
                List<Object> elements = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    elements.add(value(parser));
                }
                yield elements;
            }
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT -> switch (parser.getNumberType()) {
                case INT, LONG -> parser.getLongValue();
                default -> parser.getDoubleValue();
            };
            case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
            case VALUE_TRUE -> Boolean.TRUE;
            case VALUE_FALSE -> Boolean.FALSE;
            default -> null;
        };
    }

    static void expect(Path file, JsonParser parser, JsonToken token, String what, String expected)
            throws IOException {
        if (parser.currentToken() != token) {
            throw new TokenizerException(file, what + " is " + shown(parser) + ", expected " + expected);
        }
    }

    /** What the parser stands on, short enough for a message. */
    static String shown(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "a list";
            case VALUE_STRING -> JsonObject.shown(parser.getText());
            default -> JsonObject.cut(parser.getText());
        };
    }

    private static Map<String, Object> members(JsonParser parser) throws IOException {
        Map<String, Object> members = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.currentName();
            parser.nextToken();
            members.put(name, value(parser));
        }
        return members;
    }

    private static String place(JsonParser parser) {
        return "line " + parser.currentTokenLocation().getLineNr() + ", column "
                + parser.currentTokenLocation().getColumnNr();
    }
}
