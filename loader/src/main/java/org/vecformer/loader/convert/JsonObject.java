package org.vecformer.loader.convert;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.vecformer.loader.FormatException;

/**
 * A JSON object that is read, changed here and there, and written again: fields in their order, numbers as they were
 * written.
 */
final class JsonObject {
    private static final int MAX_BYTES = 64 << 20;
    private static final int MAX_DEPTH = 127;
    private static final int MAX_SIZE = 1 << 30;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            // Without it a buffer stays with each thread, and keeps our class loader.
            .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
            .build();

    private final String source;
    private final Map<String, Object> fields;

    /** A number as it is written. */
    private record Number(String text) {
        @Override
        public String toString() {
            return FormatException.plain(text);
        }
    }

    private JsonObject(String source, Map<String, Object> fields) {
        this.source = source;
        this.fields = fields;
    }

    /**
     * An object without fields.
     *
     * @param source what it is made from, for messages
     */
    static JsonObject empty(String source) {
        return new JsonObject(source, new LinkedHashMap<>());
    }

    /** The object that a file consists of. */
    static JsonObject read(ByteSource file) throws IOException {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(file.readAll(MAX_BYTES)))
                    .toString();
            try (JsonParser parser = FACTORY.createParser(new StringReader(text))) {
                if (parser.nextToken() != JsonToken.START_OBJECT) {
                    throw file.error("the file holds no JSON object, expected one");
                }
                JsonObject object = new JsonObject(file.name(), object(parser));
                if (parser.nextToken() != null) {
                    throw file.error("there is something after the JSON object, expected the end of the file");
                }
                return object;
            }
        } catch (JsonProcessingException e) {
            FormatException invalid = file
                    .error("the file is not valid JSON: " + FormatException.plain(e.getOriginalMessage()));
            invalid.initCause(e);
            throw invalid;
        } catch (CharacterCodingException e) {
            FormatException invalid = file.error("the file is not valid UTF-8 text, expected JSON");
            invalid.initCause(e);
            throw invalid;
        }
    }

    private static Map<String, Object> object(JsonParser parser) throws IOException {
        Map<String, Object> object = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String name = parser.getText();
            parser.nextToken();
            object.put(name, value(parser));
        }
        return object;
    }

    private static Object value(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> object(parser);
            case START_ARRAY -> {
                List<Object> list = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    list.add(value(parser));
                }
                yield list;
            }
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Number(parser.getText());
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> null;
        };
    }

    /** The file that it was read from, for messages. */
    String source() {
        return source;
    }

    boolean has(String name) {
        return fields.get(name) != null;
    }

    /** A text; null if there is none. */
    String text(String name) throws FormatException {
        Object value = fields.get(name);
        if (value != null && !(value instanceof String)) {
            throw wrong(name, "a text");
        }
        return (String) value;
    }

    /** True or false; null if there is neither. */
    Boolean bool(String name) throws FormatException {
        Object value = fields.get(name);
        if (value != null && !(value instanceof Boolean)) {
            throw wrong(name, "true or false");
        }
        return (Boolean) value;
    }

    /** A size, at least 1; empty if the field is absent. */
    OptionalInt size(String name) throws FormatException {
        Object value = fields.get(name);
        if (value == null) {
            return OptionalInt.empty();
        }
        if (value instanceof Number(String text) && text.length() <= 10 && text.matches("[0-9]+")) {
            long size = Long.parseLong(text);
            if (size >= 1 && size <= MAX_SIZE) {
                return OptionalInt.of((int) size);
            }
        }
        throw wrong(name, "a whole number of at least 1");
    }

    /** A list's elements that are texts; empty if there is no list. */
    List<String> list(String name) {
        return fields.get(name) instanceof List<?> list
                ? list.stream().filter(String.class::isInstance).map(String.class::cast).toList()
                : List.of();
    }

    /** An object's fields that are texts. */
    Map<String, String> texts(String name) throws FormatException {
        if (!(fields.get(name) instanceof Map<?, ?> map)) {
            throw new FormatException(source + ": field " + name + " is missing or no object");
        }
        Map<String, String> texts = new LinkedHashMap<>();
        for (var entry : map.entrySet()) {
            if (!(entry.getValue() instanceof String text)) {
                throw new FormatException(source + ": field " + name + " of "
                        + FormatException.quote((String) entry.getKey()) + " is no text");
            }
            texts.put((String) entry.getKey(), text);
        }
        return texts;
    }

    /** The whole number of a field of a dictionary; null if there is none. */
    Integer id(String name) {
        return fields.get(name) instanceof Number(String text) && text.matches("[0-9]{1,9}")
                ? Integer.valueOf(text)
                : null;
    }

    private FormatException wrong(String name, String expected) {
        Object value = fields.get(name);
        String shown = switch (value) {
            case null -> "null";
            case String text -> FormatException.quote(text);
            case List<?> _ -> "a list";
            case Map<?, ?> _ -> "an object";
            default -> value.toString();
        };
        return new FormatException(source + ": field " + name + " is " + shown + ", expected " + expected);
    }

    JsonObject with(String name, String text) {
        fields.put(name, text);
        return this;
    }

    JsonObject with(String name, boolean value) {
        fields.put(name, value);
        return this;
    }

    JsonObject with(String name, long number) {
        fields.put(name, new Number(Long.toString(number)));
        return this;
    }

    JsonObject with(String name, List<String> texts) {
        fields.put(name, new ArrayList<Object>(texts));
        return this;
    }

    JsonObject with(String name, Map<String, String> texts) {
        fields.put(name, new LinkedHashMap<String, Object>(texts));
        return this;
    }

    /** A number as JSON writes it, {@code 1e-12} for example. */
    JsonObject withNumber(String name, String number) {
        fields.put(name, new Number(number));
        return this;
    }

    /** Sets a field only if it is not there yet. */
    JsonObject orElse(String name, String text) {
        fields.putIfAbsent(name, text);
        return this;
    }

    JsonObject orElse(String name, long number) {
        fields.putIfAbsent(name, new Number(Long.toString(number)));
        return this;
    }

    JsonObject orElseNumber(String name, String number) {
        fields.putIfAbsent(name, new Number(number));
        return this;
    }

    JsonObject without(String name) {
        fields.remove(name);
        return this;
    }

    /** The object as text, UTF-8, indented as Hugging Face writes its files. */
    byte[] bytes() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (JsonGenerator json = FACTORY.createGenerator(out)) {
            json.setPrettyPrinter(new DefaultPrettyPrinter());
            write(json, fields);
        }
        out.write('\n');
        return out.toByteArray();
    }

    private static void write(JsonGenerator json, Object value) throws IOException {
        switch (value) {
            case null -> json.writeNull();
            case String text -> json.writeString(text);
            case Boolean bool -> json.writeBoolean(bool);
            case Number number -> json.writeNumber(number.text);
            case List<?> list -> {
                json.writeStartArray();
                for (Object one : list) {
                    write(json, one);
                }
                json.writeEndArray();
            }
            case Map<?, ?> map -> {
                json.writeStartObject();
                for (var entry : map.entrySet()) {
                    json.writeFieldName((String) entry.getKey());
                    write(json, entry.getValue());
                }
                json.writeEndObject();
            }
            default -> throw new IllegalStateException(value.getClass().toString());
        }
    }
}
