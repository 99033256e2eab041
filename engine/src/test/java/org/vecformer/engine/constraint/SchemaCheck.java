package org.vecformer.engine.constraint;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.OffsetTime;
import java.util.UUID;
import java.util.regex.Pattern;

/** A plain reading of JSON Schema, draft 2020-12, as far as constraints know it. */
final class SchemaCheck {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    private final JsonNode root;

    SchemaCheck(String schema) {
        root = read(schema);
    }

    static JsonNode read(String text) {
        try {
            return JSON.readTree(text);
        } catch (IOException e) {
            throw new AssertionError("not JSON: " + text, e);
        }
    }

    boolean valid(String text) {
        return valid(root, read(text));
    }

    private boolean valid(JsonNode schema, JsonNode value) {
        if (schema.isBoolean()) {
            return schema.asBoolean();
        }
        return schema.propertyStream().allMatch(entry -> keyword(entry.getKey(), entry.getValue(), schema, value));
    }

    private boolean keyword(String keyword, JsonNode given, JsonNode schema, JsonNode value) {
        return switch (keyword) {
            case "$ref" -> valid(root.at(given.asText().substring(1)), value);
            case "allOf" -> given.valueStream().allMatch(part -> valid(part, value));
            case "anyOf" -> given.valueStream().anyMatch(part -> valid(part, value));
            case "oneOf" -> given.valueStream().filter(part -> valid(part, value)).count() == 1;
            case "const" -> same(given, value);
            case "enum" -> given.valueStream().anyMatch(each -> same(each, value));
            case "type" -> given.isArray()
                    ? given.valueStream().anyMatch(type -> isType(type.asText(), value))
                    : isType(given.asText(), value);
            case "properties" -> !value.isObject() || given.propertyStream()
                    .allMatch(
                            entry -> !value.has(entry.getKey()) || valid(entry.getValue(), value.get(entry.getKey())));
            case "required" -> !value.isObject() || given.valueStream().allMatch(name -> value.has(name.asText()));
            case "additionalProperties" -> !value.isObject() || value.propertyStream()
                    .allMatch(entry -> schema.path("properties").has(entry.getKey()) || valid(given, entry.getValue()));
            case "prefixItems" -> {
                boolean all = true;
                for (int i = 0; value.isArray() && i < Math.min(given.size(), value.size()); i++) {
                    all &= valid(given.get(i), value.get(i));
                }
                yield all;
            }
            case "items" -> {
                boolean all = true;
                for (int i = schema.path("prefixItems").size(); value.isArray() && i < value.size(); i++) {
                    all &= valid(given, value.get(i));
                }
                yield all;
            }
            case "minItems" -> !value.isArray() || value.size() >= given.asInt();
            case "maxItems" -> !value.isArray() || value.size() <= given.asInt();
            case "minLength" -> !value.isTextual() || length(value) >= given.asInt();
            case "maxLength" -> !value.isTextual() || length(value) <= given.asInt();
            case "pattern" -> !value.isTextual() || Pattern.compile(given.asText()).matcher(value.asText()).find();
            case "format" -> !value.isTextual() || hasFormat(given.asText(), value.asText());
            case "minimum" -> !value.isNumber() || value.decimalValue().compareTo(given.decimalValue()) >= 0;
            case "maximum" -> !value.isNumber() || value.decimalValue().compareTo(given.decimalValue()) <= 0;
            case "exclusiveMinimum" -> !value.isNumber() || value.decimalValue().compareTo(given.decimalValue()) > 0;
            case "exclusiveMaximum" -> !value.isNumber() || value.decimalValue().compareTo(given.decimalValue()) < 0;
            case "$defs", "title", "description", "$schema" -> true;
            default -> throw new AssertionError(keyword);
        };
    }

    private static int length(JsonNode value) {
        return value.asText().codePointCount(0, value.asText().length());
    }

    private static boolean same(JsonNode a, JsonNode b) {
        return a.isNumber() && b.isNumber() ? a.decimalValue().compareTo(b.decimalValue()) == 0 : a.equals(b);
    }

    private static boolean isType(String type, JsonNode value) {
        return switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "number" -> value.isNumber();
            case "integer" -> value.isNumber()
                    && value.decimalValue().remainder(BigDecimal.ONE).signum() == 0;
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            default -> throw new AssertionError(type);
        };
    }

    private static boolean hasFormat(String format, String text) {
        try {
            return parses(format, text);
        } catch (IllegalArgumentException | DateTimeException e) {
            return false;
        }
    }

    private static boolean parses(String format, String text) {
        switch (format) {
            case "date" -> LocalDate.parse(text);
            case "time" -> OffsetTime.parse(narrow(text));
            case "date-time" -> OffsetDateTime.parse(narrow(text));
            case "uuid" -> {
                return UUID.fromString(text).toString().equalsIgnoreCase(text);
            }
            case "email" -> {
                return text.matches("[^@ ]+@[^@ .]+(\\.[^@ .]+)+");
            }
            case "ipv4" -> {
                return text.matches("(\\d{1,3}\\.){3}\\d{1,3}");
            }
            default -> throw new AssertionError(format);
        }
        return true;
    }

    /** RFC 3339 has offsets of up to 23:59, Java of up to 18:00. */
    private static String narrow(String text) {
        return text.replaceFirst("([+-])(1[89]|2\\d):", "$101:").replaceFirst("([+-])18:", "$117:");
    }
}
