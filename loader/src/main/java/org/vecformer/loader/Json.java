package org.vecformer.loader;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Strict JSON from hostile files: UTF-8 without a mark and without errors, no lone surrogates, bounded nesting, nothing
 * after the value.
 */
final class Json {
    /** As deep as serde_json goes, the parser of the safetensors format's own implementation. */
    private static final int MAX_DEPTH = 127;

    /*
     * Names are neither interned nor cached: a header's names are as many as its tensors, and the cache's answer to
     * colliding names is an unchecked exception. Lengths are bounded by the real size of the file.
     */
    private static final JsonFactory FACTORY = JsonFactory.builder()
            // Without it a buffer stays with each thread, and keeps our class loader.
            .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .build())
            .build();

    /** A number as it is written, so that no digit and no range is lost before somebody asks for a type. */
    record Number(String text, boolean integral) {
        @Override
        public String toString() {
            return FormatException.plain(text);
        }
    }

    private Json() {
    }

    /** A parser of UTF-8 text. Reading a byte that is not UTF-8 throws {@link CharacterCodingException}. */
    static JsonParser parser(InputStream utf8) throws IOException {
        return FACTORY.createParser(new InputStreamReader(utf8, StandardCharsets.UTF_8.newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)));
    }

    /**
     * The object that a whole file consists of. Values are {@code Map<String, Object>}, {@code List<Object>},
     * {@code String}, {@link Number}, {@code Boolean} and null; a name that stands twice in an object is an error.
     *
     * @param maxBytes a larger file is refused before it is read
     */
    static Map<String, Object> readObject(Path path, long maxBytes) throws IOException {
        return read(path, maxBytes, JsonToken.START_OBJECT, "object", Json::object);
    }

    /** As {@link #readObject}, for a file that consists of an array. */
    static List<Object> readArray(Path path, long maxBytes) throws IOException {
        return read(path, maxBytes, JsonToken.START_ARRAY, "array", Json::array);
    }

    @FunctionalInterface
    private interface Rest<T> {
        T read(JsonParser parser) throws IOException;
    }

    private static <T> T read(Path path, long maxBytes, JsonToken start, String kind, Rest<T> rest)
            throws IOException {
        try (WindowedFile file = WindowedFile.open(path)) {
            file.refuseLfsPointer();
            if (file.size() > maxBytes) {
                throw new FormatException(path,
                        "the file has " + file.size() + " bytes, expected JSON of at most " + maxBytes + " bytes");
            }
            try (JsonParser parser = parser(file.inputStream(0, file.size()))) {
                parser.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature());
                if (parser.nextToken() != start) {
                    throw new FormatException(path,
                            "the file holds " + describe(parser) + ", expected a JSON " + kind);
                }
                T value = rest.read(parser);
                if (parser.nextToken() != null) {
                    throw new FormatException(path, "there is " + describe(parser) + " after the JSON " + kind
                            + ", expected the end of the file");
                }
                return value;
            } catch (JsonProcessingException | CharacterCodingException e) {
                throw invalid(path, "the file", e);
            }
        }
    }

    /** The rest of an object whose brace is the current token. */
    static Map<String, Object> object(JsonParser parser) throws IOException {
        Map<String, Object> object = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = text(parser);
            parser.nextToken();
            object.put(name, value(parser));
        }
        return object;
    }

    private static List<Object> array(JsonParser parser) throws IOException {
        List<Object> list = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            list.add(value(parser));
        }
        return list;
    }

    private static Object value(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> object(parser);
            case START_ARRAY -> array(parser);
            case VALUE_STRING -> text(parser);
            case VALUE_NUMBER_INT -> new Number(parser.getText(), true);
            case VALUE_NUMBER_FLOAT -> new Number(parser.getText(), false);
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default -> throw new JsonFault(parser, "unexpected " + describe(parser));
        };
    }

    /** The text of a name or a string. Half a surrogate pair, which only an escape can smuggle in, is refused. */
    static String text(JsonParser parser) throws IOException {
        String text = parser.getText();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (Character.isLowSurrogate(c) || i + 1 == text.length()
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    throw new JsonFault(parser, "half a surrogate pair in " + FormatException.quote(text));
                }
                i++;
            }
        }
        return text;
    }

    /** The current token in words, for messages. */
    static String describe(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case null -> "nothing";
            case START_OBJECT, END_OBJECT -> "an object";
            case START_ARRAY, END_ARRAY -> "an array";
            case FIELD_NAME, VALUE_STRING -> "the text " + FormatException.quote(parser.getText());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "the number " + FormatException.plain(parser.getText());
            case VALUE_TRUE, VALUE_FALSE, VALUE_NULL -> parser.getText();
            case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> "something else";
        };
    }

    /** A value of {@link #readObject} in words, for messages. */
    static String describe(Object value) {
        return switch (value) {
            case null -> "null";
            case String text -> "the text " + FormatException.quote(text);
            case Map<?, ?> _ -> "an object";
            case List<?> _ -> "an array";
            default -> value.toString();
        };
    }

    /** The exception for text that is not JSON or not UTF-8. */
    static FormatException invalid(Path path, String what, IOException cause) {
        if (cause instanceof JsonProcessingException e) {
            String where = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + " column " + e.getLocation().getColumnNr();
            return new FormatException(path,
                    what + " is not valid JSON" + where + ": " + FormatException.plain(e.getOriginalMessage()), e);
        }
        return new FormatException(path, what + " is not valid UTF-8 text, expected JSON", cause);
    }

    /** An error in JSON text that the parser itself lets pass. */
    static final class JsonFault extends JsonProcessingException {
        private static final long serialVersionUID = 1L;

        JsonFault(JsonParser parser, String message) {
            super(message, parser.currentLocation());
        }
    }
}
