package org.vecformer.engine.constraint;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON text as {@code Map<String, Object>}, {@code List<Object>}, {@code String}, {@link Number}, {@code Boolean} and
 * null, and back.
 */
final class JsonReader {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            // Without it a buffer stays with each thread, and keeps our class loader.
            .recyclerPool(JsonRecyclerPools.nonRecyclingPool())
            // A table of all names that were ever seen.
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(100)
                    .maxNameLength(Integer.MAX_VALUE).maxStringLength(Integer.MAX_VALUE).build())
            .build();

    /** A number as it is written; equal to others of the same value. */
    record Number(String text, BigDecimal value) {
        boolean isInteger() {
            return value.signum() == 0 || value.stripTrailingZeros().scale() <= 0;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Number number && value.compareTo(number.value) == 0;
        }

        @Override
        public int hashCode() {
            return Double.hashCode(value.doubleValue() + 0.0);
        }
    }

    private JsonReader() {
    }

    static Object read(String text) {
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() == null) {
                throw new ConstraintException("The schema is empty, expected JSON");
            }
            Object value = value(parser);
            if (parser.nextToken() != null) {
                throw new ConstraintException("The schema goes on after its JSON, at line "
                        + parser.currentTokenLocation().getLineNr() + ", column "
                        + parser.currentTokenLocation().getColumnNr());
            }
            return value;
        } catch (JacksonException e) {
            String place = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column " + e.getLocation().getColumnNr();
            throw new ConstraintException("The schema is not valid JSON" + place + ": "
                    + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Object value(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case START_OBJECT -> {
                Map<String, Object> object = new LinkedHashMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String name = parser.currentName();
                    parser.nextToken();
                    object.put(name, value(parser));
                }
                yield object;
            }
            case START_ARRAY -> {
                List<Object> array = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    array.add(value(parser));
                }
                yield array;
            }
            case VALUE_STRING -> parser.getText();
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number(parser);
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default -> throw new ConstraintException("The schema has an unexpected " + parser.currentToken());
        };
    }

    private static Number number(JsonParser parser) throws IOException {
        String text = parser.getText();
        try {
            BigDecimal value = new BigDecimal(text);
            if (value.signum() != 0 && Math.abs((long) value.precision() - value.scale()) > 1000) {
                throw new NumberFormatException();
            }
            return new Number(text, value);
        } catch (NumberFormatException e) {
            throw new ConstraintException("The schema has the number " + text + ", which is out of range", e);
        }
    }

    /** The shortest JSON text of a value, numbers as they were written. */
    static String text(Object value) {
        StringBuilder text = new StringBuilder();
        write(value, text);
        return text.toString();
    }

    private static void write(Object value, StringBuilder text) {
        switch (value) {
            case String string -> text.append(Characters.quoted(string));
            case Number number -> text.append(number.text);
            case List<?> array -> {
                String separator = "[";
                for (Object item : array) {
                    text.append(separator);
                    write(item, text);
                    separator = ",";
                }
                text.append(array.isEmpty() ? "[]" : "]");
            }
            case Map<?, ?> object -> {
                String separator = "{";
                for (Map.Entry<?, ?> entry : object.entrySet()) {
                    text.append(separator).append(Characters.quoted((String) entry.getKey())).append(':');
                    write(entry.getValue(), text);
                    separator = ",";
                }
                text.append(object.isEmpty() ? "{}" : "}");
            }
            case null, default -> text.append(value);
        }
    }
}
