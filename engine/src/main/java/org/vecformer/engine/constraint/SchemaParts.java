package org.vecformer.engine.constraint;

import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** What a schema says in several places, brought together: references, {@code allOf}, and what stands beside them. */
final class SchemaParts {
    /** Says something to people, or names things that are only looked up. */
    static final Set<String> ANNOTATIONS = Set.of("$schema", "$id", "$comment", "$defs", "definitions", "title",
            "description", "default", "examples", "deprecated", "readOnly", "writeOnly");

    private final Object root;

    SchemaParts(Object root) {
        this.root = root;
    }

    /** An object of the schema; the values that JsonReader makes have string keys. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value, String path) {
        if (value instanceof Map<?, ?> map) {
            return (Map<String, Object>) map;
        }
        throw new ConstraintException(path + " is " + JsonReader.text(value) + ", expected an object");
    }

    static List<?> array(Object value, String path) {
        if (value instanceof List<?> list) {
            return list;
        }
        throw new ConstraintException(path + " is " + JsonReader.text(value) + ", expected an array");
    }

    static String string(Object value, String path) {
        if (value instanceof String string) {
            return string;
        }
        throw new ConstraintException(path + " is " + JsonReader.text(value) + ", expected a string");
    }

    /** The schema, which must be an object, without what only people read. */
    static Map<String, Object> withoutAnnotations(Object schema, String path) {
        Map<String, Object> kept = new LinkedHashMap<>(object(schema, path));
        kept.keySet().removeAll(ANNOTATIONS);
        kept.forEach((keyword, value) -> {
            if (value == null && !keyword.equals("const")) {
                throw new ConstraintException(path + "/" + keyword + " is null");
            }
            if (keyword.equals("properties")) {
                object(value, path + "/properties").forEach((name, property) -> {
                    if (property == null) {
                        throw new ConstraintException(path + "/properties/" + name + " is null, expected a schema");
                    }
                });
            }
        });
        return kept;
    }

    /** What a {@code $ref} refers to. */
    Object target(String reference, String path) {
        if (!reference.startsWith("#") || reference.length() > 1 && reference.charAt(1) != '/') {
            throw new ConstraintException(path + "/$ref is " + Characters.quoted(reference)
                    + "; only references inside the schema are supported, as \"#/$defs/name\"");
        }
        Object at = root;
        String pointer;
        try {
            pointer = URLDecoder.decode(reference.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new ConstraintException(
                    path + "/$ref is " + Characters.quoted(reference) + ", which has a bad escape",
                    e);
        }
        for (String escaped : pointer.isEmpty() ? new String[0] : pointer.substring(1).split("/", -1)) {
            String name = escaped.replace("~1", "/").replace("~0", "~");
            if (at instanceof Map<?, ?> map && map.containsKey(name)) {
                at = map.get(name);
            } else if (at instanceof List<?> list && name.matches("\\d{1,9}") && Integer.parseInt(name) < list.size()) {
                at = list.get(Integer.parseInt(name));
            } else {
                throw new ConstraintException(
                        path + "/$ref is " + Characters.quoted(reference) + ", which the schema does not have");
            }
        }
        return at;
    }

    /** The same schema as one set of keywords, without {@code $ref} and {@code allOf}. */
    Map<String, Object> flat(Object schema, String path) {
        return flat(schema, path, new HashSet<>());
    }

    private Map<String, Object> flat(Object schema, String path, Set<String> following) {
        if (Boolean.TRUE.equals(schema)) {
            return new LinkedHashMap<>();
        }
        if (Boolean.FALSE.equals(schema)) {
            throw new ConstraintException(path + " is false, so that nothing matches");
        }
        Map<String, Object> own = withoutAnnotations(schema, path);
        Object reference = own.remove("$ref");
        Object all = own.remove("allOf");
        Map<String, Object> joined = own;
        if (reference != null) {
            String name = string(reference, path + "/$ref");
            if (!following.add(name)) {
                throw new ConstraintException(path + "/$ref refers to itself with nothing before it");
            }
            joined = join(flat(target(name, path), name, following), joined, path);
            following.remove(name);
        }
        if (all != null) {
            int i = 0;
            for (Object part : array(all, path + "/allOf")) {
                joined = join(joined, flat(part, path + "/allOf/" + i++, following), path);
            }
        }
        return joined;
    }

    /** What both say. */
    static Map<String, Object> join(Map<String, Object> a, Map<String, Object> b, String path) {
        if (a.isEmpty() || b.isEmpty()) {
            return a.isEmpty() ? b : a;
        }
        refuseUnknown(a, b, path);
        refuseUnknown(b, a, path);
        Map<String, Object> joined = new LinkedHashMap<>(a);
        b.forEach((keyword, value) -> {
            if (a.containsKey(keyword)) {
                joined.put(keyword, both(keyword, a.get(keyword), value, path));
            } else {
                joined.put(keyword, value);
            }
        });
        return joined;
    }

    /**
     * {@code additionalProperties} and {@code items} are about what their own schema does not name; joined with another
     * that names more they would be about less.
     */
    private static void refuseUnknown(Map<String, Object> a, Map<String, Object> b, String path) {
        if (!a.getOrDefault("additionalProperties", true).equals(true) && b.get("properties") instanceof Map<?, ?> names
                && !(a.get("properties") instanceof Map<?, ?> own && own.keySet().containsAll(names.keySet()))) {
            throw new ConstraintException(path + " joins a schema that has additionalProperties with another that has"
                    + " other properties, which is not supported");
        }
        if (!a.getOrDefault("items", true).equals(true) && b.get("prefixItems") instanceof List<?> more
                && !(a.get("prefixItems") instanceof List<?> own && own.size() >= more.size())) {
            throw new ConstraintException(path + " joins a schema that has items with another that has more"
                    + " prefixItems, which is not supported");
        }
    }

    private static Object both(String keyword, Object x, Object y, String path) {
        if (Objects.equals(x, y)) {
            return x;
        }
        return switch (keyword) {
            case "type" -> common(types(x, path), types(y, path), path + "/type");
            case "enum" -> common(array(x, path + "/enum"), array(y, path + "/enum"), path + "/enum");
            case "required" -> {
                Set<Object> names = new LinkedHashSet<>(array(x, path + "/required"));
                names.addAll(array(y, path + "/required"));
                yield new ArrayList<>(names);
            }
            case "properties" -> {
                Map<String, Object> properties = new LinkedHashMap<>(object(x, path + "/properties"));
                object(y, path + "/properties").forEach((name, value) -> properties.merge(name, value,
                        (one, other) -> one.equals(other) ? one : Map.of("allOf", List.of(one, other))));
                yield properties;
            }
            case "minimum", "exclusiveMinimum", "minLength", "minItems" -> larger(x, y, path + "/" + keyword);
            case "maximum", "exclusiveMaximum", "maxLength", "maxItems" ->
                larger(x, y, path + "/" + keyword) == x ? y : x;
            default -> throw new ConstraintException(path + " joins schemas by allOf, anyOf or $ref that both have "
                    + keyword + ", which is not supported");
        };
    }

    private static Object larger(Object x, Object y, String path) {
        return number(x, path).value().compareTo(number(y, path).value()) > 0 ? x : y;
    }

    private static List<Object> common(List<?> a, List<?> b, String path) {
        List<Object> common = new ArrayList<>(a);
        common.retainAll(b);
        if (common.isEmpty()) {
            throw new ConstraintException(path + " is given twice with nothing in common, so that nothing matches");
        }
        return common;
    }

    static JsonReader.Number number(Object value, String path) {
        if (value instanceof JsonReader.Number number) {
            return number;
        }
        throw new ConstraintException(path + " is " + JsonReader.text(value) + ", expected a number");
    }

    /** A keyword's number that counts something. */
    static int count(Object value, String path) {
        JsonReader.Number number = number(value, path);
        BigDecimal most = BigDecimal.valueOf(Network.MAX_NODES);
        if (number.value().signum() < 0 || !number.isInteger() || number.value().compareTo(most) > 0) {
            throw new ConstraintException(
                    path + " is " + number.text() + ", expected a whole number from 0 to " + Network.MAX_NODES);
        }
        return number.value().intValue();
    }

    /** The names of a {@code type}. */
    static List<String> types(Object value, String path) {
        List<String> types = new ArrayList<>();
        for (Object type : value instanceof List<?> list ? list : List.of(value)) {
            if (!(type instanceof String name) || !JsonSchema.KEYWORDS.containsKey(name)) {
                throw new ConstraintException(path + "/type has " + JsonReader.text(type)
                        + ", expected object, array, string, number, integer, boolean or null");
            }
            types.add(name);
        }
        if (types.isEmpty()) {
            throw new ConstraintException(path + "/type is empty, so that nothing matches");
        }
        return types;
    }

    /**
     * Whether certainly no JSON matches both.
     *
     * @param deep whether their properties are looked at
     */
    boolean disjoint(Map<String, Object> a, Map<String, Object> b, boolean deep, String path) {
        List<?> valuesA = values(a);
        List<?> valuesB = values(b);
        if (valuesA != null && valuesB != null) {
            return valuesA.stream().noneMatch(valuesB::contains);
        }
        Set<String> typesA = typesOf(a, valuesA, path);
        Set<String> typesB = typesOf(b, valuesB, path);
        if (typesA.stream().noneMatch(typesB::contains)) {
            return true;
        }
        if (!deep || !typesA.equals(Set.of("object")) && !typesB.equals(Set.of("object"))) {
            return false;
        }
        // A property that both require, and that tells them apart.
        for (Object name : a.get("required") instanceof List<?> list ? list : List.of()) {
            if (b.get("required") instanceof List<?> required && required.contains(name)
                    && a.get("properties") instanceof Map<?, ?> inA && b.get("properties") instanceof Map<?, ?> inB
                    && inA.get(name) instanceof Object propertyA && inB.get(name) instanceof Object propertyB
                    && disjoint(flat(propertyA, path), flat(propertyB, path), false, path)) {
                return true;
            }
        }
        return false;
    }

    private static List<?> values(Map<String, Object> schema) {
        if (schema.containsKey("const")) {
            List<Object> values = new ArrayList<>();
            values.add(schema.get("const"));
            return values;
        }
        return schema.get("enum") instanceof List<?> list ? list : null;
    }

    private static Set<String> typesOf(Map<String, Object> schema, List<?> values, String path) {
        Set<String> types = new HashSet<>();
        if (schema.containsKey("type")) {
            types.addAll(types(schema.get("type"), path));
        } else if (values != null) {
            values.forEach(value -> types.add(JsonSchema.typeOf(value)));
        } else {
            types.addAll(JsonSchema.KEYWORDS.keySet());
        }
        // Every integer is a number.
        if (types.contains("number")) {
            types.add("integer");
        }
        return types;
    }
}
