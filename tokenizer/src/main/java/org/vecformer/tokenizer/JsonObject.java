package org.vecformer.tokenizer;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An object of a JSON file that knows where it came from, so that a wrong field can be named. The getters use no
 * pattern switch: linking the first one costs 20 ms of every start.
 *
 * @param at the way to the object with a dot at its end, {@code model.} say; empty for the file's own object
 */
record JsonObject(Path file, String at, Map<String, Object> members) {

    boolean has(String name) {
        return members.containsKey(name);
    }

    /** The field is missing or null. */
    boolean isNull(String name) {
        return members.get(name) == null;
    }

    Object get(String name) {
        return members.get(name);
    }

    /** A string; null if the field is missing or null. */
    String string(String name) throws TokenizerException {
        Object value = members.get(name);
        if (value == null || value instanceof String) {
            return (String) value;
        }
        throw wrong(name, "a string");
    }

    String requiredString(String name) throws TokenizerException {
        String text = string(name);
        if (text == null) {
            throw wrong(name, "a string");
        }
        return text;
    }

    boolean flag(String name, boolean ifMissing) throws TokenizerException {
        Object value = members.get(name);
        if (value == null) {
            return ifMissing;
        }
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw wrong(name, "true or false");
    }

    /** An object; null if the field is missing or null. */
    JsonObject object(String name) throws TokenizerException {
        return members.get(name) == null ? null : object(name, members.get(name));
    }

    /** Looks at a value that belongs to this object as an object. */
    JsonObject object(String name, Object value) throws TokenizerException {
        if (!(value instanceof Map<?, ?> map)) {
            throw wrong(name, value, "an object");
        }
        @SuppressWarnings("unchecked") // Json makes no other maps.
        Map<String, Object> object = (Map<String, Object>) map;
        return new JsonObject(file, at + name + ".", object);
    }

    /** A list; empty if the field is missing or null. */
    List<?> list(String name) throws TokenizerException {
        Object value = members.get(name);
        if (value == null) {
            return List.of();
        }
        if (value instanceof List<?> list) {
            return list;
        }
        throw wrong(name, "a list");
    }

    /** A token id. */
    int id(String name) throws TokenizerException {
        return id(name, members.get(name));
    }

    int id(String name, Object value) throws TokenizerException {
        if (value instanceof Long id && id >= 0 && id <= Vocabulary.LARGEST_ID) {
            return id.intValue();
        }
        throw wrong(name, value, "a token id from 0 to " + Vocabulary.LARGEST_ID);
    }

    TokenizerException wrong(String name, String expected) {
        if (!has(name)) {
            return new TokenizerException(file, "field " + at + name + " is missing, expected " + expected);
        }
        return wrong(name, members.get(name), expected);
    }

    TokenizerException wrong(String name, Object value, String expected) {
        return new TokenizerException(file, "field " + at + name + " is " + shown(value) + ", expected " + expected);
    }

    /** A value, short enough for a message. */
    static String shown(Object value) {
        return switch (value) {
            case null -> "null";
            case Map<?, ?> map -> map.get("type") instanceof String type ? "of type " + shown(type) : "an object";
            case List<?> list -> "a list of " + list.size();
            case String text -> '"' + cut(text) + '"';
            default -> cut(value.toString());
        };
    }

    static String cut(String text) {
        return text.length() <= 60 ? text : text.substring(0, 60) + "...";
    }
}
