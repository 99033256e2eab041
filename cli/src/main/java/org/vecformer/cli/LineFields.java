package org.vecformer.cli;

import java.util.List;
import java.util.Map;

/** The fields of a line of {@code --jsonl}: each a string, a list of strings or a list of numbers. */
final class LineFields {
    private final Map<String, Object> values;

    LineFields(Map<String, Object> values) {
        this.values = values;
    }

    /** A field is not as it should be. The message is the user's. */
    static final class WrongFieldException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        WrongFieldException(String message) {
            super(message);
        }
    }

    boolean has(String name) {
        return values.containsKey(name);
    }

    /** @throws WrongFieldException if there is no such field, or it is no string */
    String text(String name) {
        if (required(name) instanceof String text) {
            return text;
        }
        throw new WrongFieldException("\"" + name + "\" is not a string");
    }

    /** @throws WrongFieldException if there is no such field, or it is no list of numbers */
    int[] numbers(String name) {
        if (required(name) instanceof int[] numbers) {
            return numbers;
        }
        throw new WrongFieldException("\"" + name + "\" is not a list of numbers");
    }

    /** @throws WrongFieldException if there is no such field, or it is no list of strings */
    List<String> texts(String name) {
        Object value = required(name);
        if (value instanceof int[] numbers && numbers.length == 0) {
            return List.of();
        }
        if (value instanceof List<?> list) {
            return list.stream().map(String.class::cast).toList();
        }
        throw new WrongFieldException("\"" + name + "\" is not a list of strings");
    }

    private Object required(String name) {
        if (!has(name)) {
            throw new WrongFieldException("the field \"" + name + "\" is missing");
        }
        return values.get(name);
    }
}
