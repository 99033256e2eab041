package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Typed access to the fields of a JSON config. A field that is null counts as absent. Every error names the file, the
 * field, its value and what was expected. (This runs at every start: plain code, because the first lambda, stream or
 * pattern switch of a process costs more than the whole file.)
 */
final class ConfigFields {
    /** Far more than any config; the largest ones list some thousand labels. */
    private static final long MAX_BYTES = 16 << 20;

    private final Path path;
    private final Map<String, Object> fields;

    private ConfigFields(Path path, Map<String, Object> fields) {
        this.path = path;
        this.fields = fields;
    }

    /** Of a file that is not there: every field is absent. */
    static ConfigFields none(Path path) {
        return new ConfigFields(path, Map.of());
    }

    static ConfigFields read(Path path) throws IOException {
        return new ConfigFields(path, Json.readObject(path, MAX_BYTES));
    }

    /** The objects of a file that is an array of objects. */
    static List<ConfigFields> readArray(Path path) throws IOException {
        List<ConfigFields> elements = new ArrayList<>();
        for (Object element : Json.readArray(path, MAX_BYTES)) {
            if (!(element instanceof Map<?, ?>)) {
                throw new FormatException(path, "element " + elements.size() + " of the array is "
                        + Json.describe(element) + ", expected an object");
            }
            elements.add(new ConfigFields(path, copy((Map<?, ?>) element)));
        }
        return elements;
    }

    boolean has(String name) {
        return fields.get(name) != null;
    }

    /** Whether the field is there and explicitly null. */
    boolean isNull(String name) {
        return fields.containsKey(name) && fields.get(name) == null;
    }

    boolean isFalse(String name) {
        return Boolean.FALSE.equals(fields.get(name));
    }

    /** Whether the field is exactly this number. */
    boolean isInt(String name, int value) {
        return fields.get(name) instanceof Json.Number(String text, _) && text.equals(Integer.toString(value));
    }

    FormatException error(String problem) {
        return new FormatException(path, problem);
    }

    /**
     * A whole number under the first of its names or one of the others.
     *
     * @throws FormatException if it is absent, out of range, or two of the names are there with different values
     */
    int requiredInt(int min, int max, String... names) throws FormatException {
        OptionalInt value = optionalInt(min, max, names);
        if (value.isEmpty()) {
            List<String> others = List.of(names).subList(1, names.length);
            throw error("field " + names[0] + " is missing"
                    + (others.isEmpty() ? "" : " (or " + String.join(", ", others) + ")")
                    + ", expected " + range(min, max));
        }
        return value.getAsInt();
    }

    /** As {@link #requiredInt}, empty if no name is there. */
    OptionalInt optionalInt(int min, int max, String... names) throws FormatException {
        String found = null;
        int value = 0;
        for (String name : names) {
            if (has(name)) {
                int other = whole(name, fields.get(name), min, max);
                if (found != null && value != other) {
                    throw error("field " + found + " is " + value + " but field " + name + " is " + other
                            + ", expected the same value: they are two names of one thing");
                }
                found = name;
                value = other;
            }
        }
        return found == null ? OptionalInt.empty() : OptionalInt.of(value);
    }

    /** A whole number or a list of them; empty if the field is absent. */
    List<Integer> ints(int min, int max, String name) throws FormatException {
        Object value = fields.get(name);
        if (value == null) {
            return List.of();
        }
        List<?> values = value instanceof List<?> list ? list : List.of(value);
        List<Integer> ints = new ArrayList<>();
        for (Object one : values) {
            ints.add(whole(name, one, min, max));
        }
        return List.copyOf(ints);
    }

    /** A list of lists of whole numbers; empty if the field is absent. */
    List<List<Integer>> intLists(int min, int max, String name) throws FormatException {
        List<List<Integer>> lists = new ArrayList<>();
        for (Object one : list(name, "a list of lists of whole numbers")) {
            lists.add(intList(name, one, min, max));
        }
        return List.copyOf(lists);
    }

    /**
     * A list of pairs, each of a list of whole numbers and a number; in their order, empty if the field is absent.
     */
    Map<List<Integer>, Double> weightedInts(int min, int max, String name) throws FormatException {
        Map<List<Integer>, Double> weights = new LinkedHashMap<>();
        for (Object one : list(name, "a list of pairs of a list of whole numbers and a number")) {
            if (!(one instanceof List<?> pair) || pair.size() != 2) {
                throw wrong(name, one, "pairs of a list of whole numbers and a number");
            }
            weights.put(intList(name, pair.get(0), min, max),
                    number(-Double.MAX_VALUE, Double.MAX_VALUE, name, pair.get(1)));
        }
        return weights;
    }

    /** A list of numbers; empty if the field is absent. */
    List<Double> numbers(double min, double max, String name) throws FormatException {
        List<Double> numbers = new ArrayList<>();
        for (Object one : list(name, "a list of numbers")) {
            numbers.add(number(min, max, name, one));
        }
        return List.copyOf(numbers);
    }

    private List<?> list(String name, String expected) throws FormatException {
        Object value = fields.get(name);
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof List<?> list)) {
            throw wrong(name, value, expected);
        }
        return list;
    }

    private List<Integer> intList(String name, Object value, int min, int max) throws FormatException {
        if (!(value instanceof List<?> list)) {
            throw wrong(name, value, "lists of whole numbers");
        }
        List<Integer> ints = new ArrayList<>();
        for (Object one : list) {
            ints.add(whole(name, one, min, max));
        }
        return List.copyOf(ints);
    }

    private int whole(String name, Object value, int min, int max) throws FormatException {
        if (value instanceof Json.Number(String text, boolean integral) && integral) {
            try {
                long number = Long.parseLong(text);
                if (number >= min && number <= max) {
                    return (int) number;
                }
            } catch (NumberFormatException _) {
                // Longer than a long: out of range as well.
            }
        }
        throw wrong(name, value, range(min, max));
    }

    private static String range(int min, int max) {
        return max == Integer.MAX_VALUE
                ? "a whole number of at least " + min
                : "a whole number from " + min + " to " + max;
    }

    /** A finite number in {@code [min, max]}; empty if the field is absent. */
    Optional<Double> number(double min, double max, String name) throws FormatException {
        Object value = fields.get(name);
        return value == null ? Optional.empty() : Optional.of(number(min, max, name, value));
    }

    private double number(double min, double max, String name, Object value) throws FormatException {
        if (value instanceof Json.Number(String text, _)) {
            double number = Double.parseDouble(text);
            if (number >= min && number <= max) {
                return number;
            }
        }
        throw wrong(name, value, max < Double.MAX_VALUE
                ? "a number from " + min + " to " + max
                : min > -Double.MAX_VALUE ? "a number from " + min + " on" : "a number");
    }

    Optional<Boolean> bool(String name) throws FormatException {
        Object value = fields.get(name);
        if (value != null && !(value instanceof Boolean)) {
            throw wrong(name, value, "true or false");
        }
        return Optional.ofNullable((Boolean) value);
    }

    Optional<String> text(String name) throws FormatException {
        Object value = fields.get(name);
        if (value != null && !(value instanceof String)) {
            throw wrong(name, value, "text");
        }
        return Optional.ofNullable((String) value);
    }

    /** A text, or true or false as such. */
    Optional<String> textOrBool(String name) throws FormatException {
        return fields.get(name) instanceof Boolean value ? Optional.of(value.toString()) : text(name);
    }

    /** A text or a list of them; empty if the field is absent. */
    List<String> textOrTexts(String name) throws FormatException {
        return fields.get(name) instanceof String text ? List.of(text) : texts(name);
    }

    /** A list of texts; empty if the field is absent. */
    List<String> texts(String name) throws FormatException {
        Object value = fields.get(name);
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof List<?> list)) {
            throw wrong(name, value, "a list of texts");
        }
        List<String> texts = new ArrayList<>();
        for (Object one : list) {
            if (!(one instanceof String text)) {
                throw wrong(name, one, "texts only");
            }
            texts.add(text);
        }
        return List.copyOf(texts);
    }

    /** The object under this name; empty if the field is absent. Errors name the inner fields alone. */
    Optional<ConfigFields> object(String name) throws FormatException {
        Object value = fields.get(name);
        if (value == null) {
            return Optional.empty();
        }
        return Optional.of(new ConfigFields(path, members(name, value)));
    }

    private Map<String, Object> members(String name, Object value) throws FormatException {
        if (!(value instanceof Map<?, ?> map)) {
            throw wrong(name, value, "an object");
        }
        return copy(map);
    }

    private static Map<String, Object> copy(Map<?, ?> map) {
        Map<String, Object> members = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            members.put((String) entry.getKey(), entry.getValue());
        }
        return members;
    }

    /** An object of texts; empty if the field is absent. */
    Map<String, String> textMembers(String name) throws FormatException {
        Map<String, String> texts = new LinkedHashMap<>();
        if (has(name)) {
            for (Map.Entry<String, Object> member : members(name, fields.get(name)).entrySet()) {
                if (!(member.getValue() instanceof String text)) {
                    throw wrong(name + "." + FormatException.plain(member.getKey()), member.getValue(), "text");
                }
                texts.put(member.getKey(), text);
            }
        }
        return texts;
    }

    /** An object of texts under the names "0" to "n - 1", in the order of those numbers; empty if absent. */
    List<String> labels(String name) throws FormatException {
        Object value = fields.get(name);
        if (value == null) {
            return List.of();
        }
        Map<String, Object> members = members(name, value);
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < members.size(); i++) {
            if (!(members.get(Integer.toString(i)) instanceof String label)) {
                throw error("field " + name + " has " + members.size() + " members and no text under \"" + i
                        + "\", expected the texts \"0\" to \"" + (members.size() - 1) + "\"");
            }
            labels.add(label);
        }
        return List.copyOf(labels);
    }

    private FormatException wrong(String name, Object value, String expected) {
        return error("field " + name + " is " + Json.describe(value)
                + ", expected " + expected);
    }
}
