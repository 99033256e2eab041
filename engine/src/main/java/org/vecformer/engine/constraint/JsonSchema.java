package org.vecformer.engine.constraint;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;

/** Writes the JSON that a schema allows as a {@link Network}: one rule for what is referred to, and for any JSON. */
final class JsonSchema {
    private static final int MAX_NESTING = 300;

    /** By type: the keywords that have a meaning for it. */
    static final Map<String, Set<String>> KEYWORDS = new TreeMap<>(Map.of(
            "object", Set.of("properties", "required", "additionalProperties"),
            "array", Set.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
            "string", Set.of("minLength", "maxLength", "pattern", "format"),
            "number", Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
            "integer", Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
            "boolean", Set.of(),
            "null", Set.of()));
    private static final Set<String> COMBINING = Set.of("$ref", "allOf", "anyOf", "oneOf", "type", "enum", "const");

    private static final String INTEGER = "-?(0|[1-9]\\d{0,15})";
    private static final String NUMBER = INTEGER + "(\\.\\d{1,16})?([eE][+-]?\\d{1,2})?";
    private static final String HEX = "[0-9a-fA-F]";
    private static final String DATE = "("
            + "\\d{4}-((0[13578]|1[02])-(0[1-9]|[12]\\d|3[01])|(0[469]|11)-(0[1-9]|[12]\\d|30)|02-(0[1-9]|1\\d|2[0-8]))"
            + "|(\\d\\d(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)";
    private static final String TIME = "([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)";
    private static final String LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
    private static final Map<String, String> FORMATS = new TreeMap<>(Map.of(
            "date", DATE,
            "time", TIME,
            "date-time", DATE + "T" + TIME,
            "uuid", HEX + "{8}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{4}-" + HEX + "{12}",
            "email", "[A-Za-z0-9_+-]{1,32}(\\.[A-Za-z0-9_+-]{1,31})?@" + LABEL + "(\\." + LABEL + "){1,3}",
            "ipv4", "((25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)\\.){3}(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"));
    /** What may follow a backslash to name one character, other than a \\u with one or two code units. */
    private static final CodePoints SHORT_ESCAPES = CodePoints.of("\"\\/bfnrt");
    private static final Regex UNICODE_ESCAPE = RegexParser.whole("u(([0-9a-cefA-CEF]" + HEX + "|[dD][0-7])" + HEX
            + "{2}|[dD][89abAB]" + HEX + "{2}\\\\u[dD][c-fC-F]" + HEX + "{2})");

    private final Network network = new Network();
    private final SchemaParts parts;
    /** By reference: its rule, and the rules still to be written. */
    private final Map<String, Integer> references = new HashMap<>();
    private final Deque<Runnable> unwritten = new ArrayDeque<>();
    private int anyRule = -1;
    private int nesting;

    private JsonSchema(Object root) {
        parts = new SchemaParts(root);
    }

    static Network network(String text) {
        Object root = JsonReader.read(text);
        JsonSchema schema = new JsonSchema(root);
        schema.rule("#", root);
        while (!schema.unwritten.isEmpty()) {
            schema.unwritten.pop().run();
        }
        return schema.network.finished();
    }

    private int rule(String reference, Object schema) {
        Integer known = references.get(reference);
        if (known != null) {
            return known;
        }
        int rule = network.rule(reference);
        references.put(reference, rule);
        unwritten.add(() -> network.skip(value(schema, reference, network.entry(rule)), network.exit(rule)));
        return rule;
    }

    /** One value that the schema allows, behind a node; gives the node behind it, as all these methods do. */
    private int value(Object schema, String path, int from) {
        if (Boolean.TRUE.equals(schema)) {
            return any(from);
        }
        if (Boolean.FALSE.equals(schema)) {
            throw new ConstraintException(path + " is false, so that nothing matches");
        }
        if (++nesting > MAX_NESTING) {
            throw new ConstraintException(path.substring(0, Math.min(path.length(), 100)) + "... is more than "
                    + MAX_NESTING + " levels deep");
        }
        Map<String, Object> own = SchemaParts.withoutAnnotations(schema, path);
        int end;
        if (own.keySet().equals(Set.of("$ref"))) {
            String reference = SchemaParts.string(own.get("$ref"), path + "/$ref");
            end = network.call(from, rule(reference, parts.target(reference, path)));
        } else {
            end = keywords(parts.flat(own, path), path, from);
        }
        nesting--;
        return end;
    }

    private int keywords(Map<String, Object> schema, String path, int from) {
        for (String keyword : schema.keySet()) {
            if (!COMBINING.contains(keyword) && KEYWORDS.values().stream().noneMatch(set -> set.contains(keyword))) {
                throw new ConstraintException(path + "/" + keyword + " is a keyword that is not supported");
            }
        }
        for (String keyword : List.of("anyOf", "oneOf")) {
            if (schema.containsKey(keyword)) {
                return alternatives(schema, keyword, path, from);
            }
        }
        if (schema.isEmpty()) {
            return any(from);
        }
        List<String> types = types(schema, path);
        if (schema.containsKey("const") || schema.containsKey("enum")) {
            return values(schema, types, path, from);
        }
        for (String keyword : schema.keySet()) {
            if (!keyword.equals("type") && types.stream().noneMatch(type -> KEYWORDS.get(type).contains(keyword))) {
                throw new ConstraintException(
                        path + "/" + keyword + " has no meaning for the type " + String.join(", ", types));
            }
        }
        int end = network.node();
        for (String type : types) {
            int begin = network.node();
            network.skip(from, begin);
            network.skip(switch (type) {
                case "object" -> object(schema, path, begin);
                case "array" -> array(schema, path, begin);
                case "string" -> string(schema, path, begin);
                case "number", "integer" -> number(schema, type.equals("integer"), path, begin);
                case "boolean" -> network.oneOf(begin, List.of(ascii("true"), ascii("false")));
                default -> literal(begin, "null");
            }, end);
        }
        return end;
    }

    /** The types that are named, or else the one that the keywords are about. */
    private static List<String> types(Map<String, Object> schema, String path) {
        if (schema.containsKey("type")) {
            return SchemaParts.types(schema.get("type"), path);
        }
        Set<String> implied = new LinkedHashSet<>();
        if (schema.containsKey("const") || schema.containsKey("enum")) {
            return List.copyOf(KEYWORDS.keySet());
        }
        for (String keyword : schema.keySet()) {
            for (String type : List.of("object", "array", "string", "number")) {
                if (KEYWORDS.get(type).contains(keyword)) {
                    implied.add(type);
                }
            }
        }
        if (implied.size() > 1) {
            throw new ConstraintException(
                    path + " has no type, and keywords of several: " + String.join(", ", implied) + "; name the type");
        }
        return List.copyOf(implied);
    }

    private int alternatives(Map<String, Object> schema, String keyword, String path, int from) {
        Map<String, Object> beside = new LinkedHashMap<>(schema);
        Object given = beside.remove(keyword);
        List<?> list = SchemaParts.array(given, path + "/" + keyword);
        if (list.isEmpty()) {
            throw new ConstraintException(path + "/" + keyword + " is empty, so that nothing matches");
        }
        if (keyword.equals("oneOf")) {
            refuseOverlap(list, beside, path);
        }
        int end = network.node();
        for (int i = 0; i < list.size(); i++) {
            String place = path + "/" + keyword + "/" + i;
            Object alternative = beside.isEmpty()
                    ? list.get(i)
                    : SchemaParts.join(beside, parts.flat(list.get(i), place), place);
            int begin = network.node();
            network.skip(from, begin);
            network.skip(value(alternative, place, begin), end);
        }
        return end;
    }

    private void refuseOverlap(List<?> alternatives, Map<String, Object> beside, String path) {
        List<Map<String, Object>> flat = new ArrayList<>();
        for (int i = 0; i < alternatives.size(); i++) {
            String place = path + "/oneOf/" + i;
            flat.add(SchemaParts.join(beside, parts.flat(alternatives.get(i), place), place));
            for (int j = 0; j < i; j++) {
                if (!parts.disjoint(flat.get(i), flat.get(j), true, path)) {
                    throw new ConstraintException(path + "/oneOf has alternatives " + j + " and " + i
                            + " that may both match; give them different types, or a required property with different"
                            + " const values, or use anyOf");
                }
            }
        }
    }

    private int values(Map<String, Object> schema, List<String> types, String path, int from) {
        String keyword = schema.containsKey("const") ? "const" : "enum";
        for (String other : schema.keySet()) {
            if (!other.equals(keyword) && !other.equals("type")) {
                throw new ConstraintException(path + "/" + other + " beside " + keyword + " is not supported");
            }
        }
        List<byte[]> texts = new ArrayList<>();
        List<?> given = keyword.equals("enum") ? SchemaParts.array(schema.get("enum"), path + "/enum") : null;
        for (Object value : given != null ? given : Collections.singletonList(schema.get("const"))) {
            String type = typeOf(value);
            if (types.contains(type) || type.equals("integer") && types.contains("number")) {
                texts.add(Characters.utf8(JsonReader.text(value), path + "/" + keyword));
            }
        }
        if (texts.isEmpty()) {
            throw new ConstraintException(path + "/" + keyword + " has no value of the type "
                    + String.join(", ", types) + ", so that nothing matches");
        }
        return network.oneOf(from, texts);
    }

    static String typeOf(Object value) {
        return switch (value) {
            case null -> "null";
            case Map<?, ?> _ -> "object";
            case List<?> _ -> "array";
            case String _ -> "string";
            case Boolean _ -> "boolean";
            case JsonReader.Number number when number.isInteger() -> "integer";
            default -> "number";
        };
    }

    private int object(Map<String, Object> schema, String path, int from) {
        Map<String, Object> properties = new LinkedHashMap<>(
                SchemaParts.object(schema.getOrDefault("properties", Map.of()), path + "/properties"));
        Set<String> required = new LinkedHashSet<>();
        for (Object name : SchemaParts.array(schema.getOrDefault("required", List.of()), path + "/required")) {
            required.add(SchemaParts.string(name, path + "/required"));
        }
        Object additional = schema.getOrDefault("additionalProperties", properties.isEmpty());
        boolean closed = additional.equals(false);
        String additionalPath = path + "/additionalProperties";
        for (String name : required) {
            if (!properties.containsKey(name)) {
                if (closed && schema.containsKey("additionalProperties")) {
                    throw new ConstraintException(path + "/required has " + Characters.quoted(name)
                            + ", which is not in properties, and additionalProperties is false");
                }
                properties.put(name, closed ? Boolean.TRUE : additional);
            }
        }
        Set<String> declared = Set.copyOf(properties.keySet());
        // A property that must not be there is simply never written.
        properties.values().removeIf(Boolean.FALSE::equals);
        for (String name : required) {
            if (!properties.containsKey(name)) {
                throw new ConstraintException(path + "/required has " + Characters.quoted(name)
                        + ", whose schema is false, so that nothing matches");
            }
        }
        // Two tracks, with and without a property before; each property is written once for both.
        int none = literal(from, "{");
        int some = network.node();
        for (Map.Entry<String, Object> property : properties.entrySet()) {
            int name = network.node();
            network.skip(none, name);
            network.skip(comma(some), name);
            int end = colon(literal(name, Characters.quoted(property.getKey())));
            end = value(property.getValue(), path + "/properties/" + property.getKey(), end);
            if (required.contains(property.getKey())) {
                none = network.node();
                some = end;
            } else {
                int nextNone = network.node();
                network.skip(none, nextNone);
                none = nextNone;
                int nextSome = network.node();
                network.skip(some, nextSome);
                network.skip(end, nextSome);
                some = nextSome;
            }
        }
        if (!closed) {
            int name = network.node();
            network.skip(none, name);
            network.skip(comma(some), name);
            int end = value(additional, additionalPath, colon(otherName(name, declared)));
            int next = network.node();
            network.skip(some, next);
            network.skip(end, next);
            network.skip(comma(next), name);
            some = next;
        }
        int close = network.node();
        network.skip(none, close);
        network.skip(some, close);
        return literal(close, "}");
    }

    /** A name that is none of these, without escapes, so that no other spelling of one of them gets through. */
    private int otherName(int from, Set<String> names) {
        int end = network.node();
        int free = network.node();
        Characters.PLAIN.add(network, free, Characters.UNESCAPED, free);
        network.bytes(free, '"', '"', end);
        Name root = new Name(network);
        for (String name : names) {
            Name at = root;
            for (int c : name.codePoints().toArray()) {
                at = at.longer.computeIfAbsent(c, _ -> new Name(network));
            }
            at.taken = true;
        }
        Deque<Name> open = new ArrayDeque<>(List.of(root));
        while (!open.isEmpty()) {
            Name name = open.pop();
            CodePoints next = CodePoints.of(name.longer.keySet().stream().mapToInt(Integer::intValue));
            name.longer.forEach((c, longer) -> {
                Characters.PLAIN.add(network, name.node, CodePoints.of(c).and(Characters.UNESCAPED), longer.node);
                open.push(longer);
            });
            Characters.PLAIN.add(network, name.node, Characters.UNESCAPED.and(next.not()), free);
            if (!name.taken) {
                network.bytes(name.node, '"', '"', end);
            }
        }
        network.bytes(from, '"', '"', root.node);
        return end;
    }

    /** What a name that may be among those that are taken begins with. */
    private static final class Name {
        private final Map<Integer, Name> longer = new TreeMap<>();
        private final int node;
        private boolean taken;

        Name(Network network) {
            node = network.node();
        }
    }

    private int array(Map<String, Object> schema, String path, int from) {
        if (schema.getOrDefault("uniqueItems", false).equals(true)) {
            throw new ConstraintException(path + "/uniqueItems is true, which is not supported");
        }
        List<?> prefix = SchemaParts.array(schema.getOrDefault("prefixItems", List.of()), path + "/prefixItems");
        int least = SchemaParts.count(schema.getOrDefault("minItems", zero()), path + "/minItems");
        int most = schema.containsKey("maxItems")
                ? SchemaParts.count(schema.get("maxItems"), path + "/maxItems")
                : Integer.MAX_VALUE;
        Object items = schema.getOrDefault("items", prefix.isEmpty() || least > prefix.size());
        if (items.equals(false)) {
            most = Math.min(most, prefix.size());
        }
        if (most < least) {
            throw new ConstraintException(path + " needs at least " + least + " items and allows at most " + most
                    + ", so that nothing matches");
        }
        int end = network.node();
        int at = literal(from, "[");
        int count = 0;
        for (; count < Math.min(prefix.size(), most); count++) {
            at = item(at, count, least, end);
            at = value(prefix.get(count), path + "/prefixItems/" + count, at);
        }
        if (count < most) {
            int last = most == Integer.MAX_VALUE ? Math.max(least, count + 1) : most;
            // Written out once at most: arrays of arrays would double the size with each level.
            IntUnaryOperator item = last - count == 1
                    ? begin -> value(items, path + "/items", begin)
                    : calls(items, path + "/items");
            for (; count < last; count++) {
                int begin = item(at, count, least, end);
                at = item.applyAsInt(begin);
                if (most == Integer.MAX_VALUE && count == last - 1) {
                    network.skip(comma(at), begin);
                }
            }
        }
        network.skip(at, end);
        return literal(end, "]");
    }

    /** The start of the item after so many; before it, the array may end if it has enough. */
    private int item(int at, int count, int least, int end) {
        if (count >= least) {
            network.skip(at, end);
        }
        int begin = network.node();
        network.skip(count == 0 ? at : comma(at), begin);
        return begin;
    }

    private IntUnaryOperator calls(Object schema, String path) {
        int rule = network.rule(path);
        unwritten.add(() -> network.skip(value(schema, path, network.entry(rule)), network.exit(rule)));
        return from -> network.call(from, rule);
    }

    private static JsonReader.Number zero() {
        return new JsonReader.Number("0", BigDecimal.ZERO);
    }

    private int string(Map<String, Object> schema, String path, int from) {
        int least = SchemaParts.count(schema.getOrDefault("minLength", zero()), path + "/minLength");
        int most = schema.containsKey("maxLength")
                ? SchemaParts.count(schema.get("maxLength"), path + "/maxLength")
                : Regex.Repeat.UNBOUNDED;
        if (most < least) {
            throw new ConstraintException(path + " has a minLength of " + least + " and a maxLength of " + most
                    + ", so that nothing matches");
        }
        int at = literal(from, "\"");
        if (!schema.containsKey("pattern") && !schema.containsKey("format")) {
            return literal(anyCharacters(least, most, at), "\"");
        }
        Regex regex = schema.containsKey("pattern") ? pattern(schema, path) : format(schema, path);
        boolean anyLength = least == 0 && most == Regex.Repeat.UNBOUNDED;
        at = anyLength
                ? regex.write(network, Characters.JSON, at)
                : new LengthRange(least, most).write(regex, network, Characters.JSON, at);
        return literal(at, "\"");
    }

    private static Regex pattern(Map<String, Object> schema, String path) {
        if (schema.containsKey("format")) {
            throw new ConstraintException(path + " has pattern and format, which is not supported together");
        }
        try {
            return RegexParser.somewhere(SchemaParts.string(schema.get("pattern"), path + "/pattern"));
        } catch (ConstraintException e) {
            throw new ConstraintException(path + "/pattern: " + e.getMessage(), e);
        }
    }

    private static Regex format(Map<String, Object> schema, String path) {
        String format = SchemaParts.string(schema.get("format"), path + "/format");
        if (!FORMATS.containsKey(format)) {
            throw new ConstraintException(path + "/format is " + Characters.quoted(format)
                    + ", which is not supported; supported are " + String.join(", ", FORMATS.keySet()));
        }
        return RegexParser.whole(FORMATS.get(format));
    }

    /** Characters of a string, however they are spelled. */
    private int anyCharacters(int least, int most, int from) {
        int at = from;
        for (int i = 0; i < least; i++) {
            at = anyCharacter(at, network.node());
        }
        if (most == Regex.Repeat.UNBOUNDED) {
            int loop = network.node();
            network.skip(at, loop);
            return anyCharacter(loop, loop);
        }
        int end = network.node();
        for (int i = least; i < most; i++) {
            network.skip(at, end);
            at = anyCharacter(at, network.node());
        }
        network.skip(at, end);
        return end;
    }

    private int anyCharacter(int from, int to) {
        Characters.PLAIN.add(network, from, Characters.UNESCAPED, to);
        int backslash = literal(from, "\\");
        Characters.PLAIN.add(network, backslash, SHORT_ESCAPES, to);
        network.skip(UNICODE_ESCAPE.write(network, Characters.PLAIN, backslash), to);
        return to;
    }

    private int number(Map<String, Object> schema, boolean integer, String path, int from) {
        BigDecimal least = bound(schema, "minimum", path);
        BigDecimal most = bound(schema, "maximum", path);
        BigDecimal above = bound(schema, "exclusiveMinimum", path);
        BigDecimal below = bound(schema, "exclusiveMaximum", path);
        if (least == null && most == null && above == null && below == null) {
            return RegexParser.whole(integer ? INTEGER : NUMBER).write(network, Characters.PLAIN, from);
        }
        boolean aboveLeast = above != null && (least == null || above.compareTo(least) >= 0);
        boolean belowMost = below != null && (most == null || below.compareTo(most) <= 0);
        NumberRange range = new NumberRange(aboveLeast ? above : least, aboveLeast, belowMost ? below : most, belowMost,
                integer);
        if (range.isEmpty()) {
            throw new ConstraintException(path + " allows no " + (integer ? "integer" : "number") + " of at most "
                    + NumberRange.INTEGER_DIGITS + " digits between its bounds, so that nothing matches");
        }
        return range.write(network, from);
    }

    private static BigDecimal bound(Map<String, Object> schema, String keyword, String path) {
        return schema.containsKey(keyword)
                ? SchemaParts.number(schema.get(keyword), path + "/" + keyword).value()
                : null;
    }

    /** Any JSON. */
    private int any(int from) {
        if (anyRule < 0) {
            anyRule = network.rule("any JSON");
            unwritten.add(() -> {
                int entry = network.entry(anyRule);
                for (String type : List.of("object", "array", "string", "number", "boolean", "null")) {
                    Map<String, Object> schema = Map.of("type", type);
                    network.skip(keywords(schema, "any JSON", entry), network.exit(anyRule));
                }
            });
        }
        return network.call(from, anyRule);
    }

    private int comma(int from) {
        return optionalSpace(literal(from, ","));
    }

    private int colon(int from) {
        return optionalSpace(literal(from, ":"));
    }

    private int optionalSpace(int from) {
        int end = literal(from, " ");
        network.skip(from, end);
        return end;
    }

    private int literal(int from, String text) {
        return network.literal(from, Characters.utf8(text, "The schema"));
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
