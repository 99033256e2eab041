package org.vecformer.engine.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** JSON schemas: what is written is valid, what is not supported is named. */
class JsonSchemaConstraintTest {
    private static final Writer WRITER = new Writer(TestVocabularies.bytes());

    private static Constraint constraint(String schema) {
        return Constraint.jsonSchema(schema, WRITER.vocabulary);
    }

    static List<String> schemas() {
        return List.of(
                "true",
                "{}",
                """
                        {"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"},
                         "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}}},
                         "required": ["name", "age"], "additionalProperties": false}""",
                """
                        {"properties": {"a": {"type": "null"}, "b": {"type": "boolean"}, "c": {"enum": [1, "x", null]}},
                         "additionalProperties": {"type": "integer"}}""",
                """
                        {"type": "object", "additionalProperties": {"type": ["string", "null"], "minLength": 1}}""",
                """
                        {"type": "object", "required": ["z"], "properties": {"a": {"const": {"k": [1, 2.50, "é\\""]}}}}""",
                """
                        {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 4}""",
                """
                        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": false}""",
                """
                        {"type": "array", "prefixItems": [{"type": "boolean"}], "items": {"type": "null"}, "minItems": 3}""",
                """
                        {"type": "array", "prefixItems": [{"type": "boolean"}], "minItems": 2, "maxItems": 3}""",
                """
                        {"type": "array", "items": {"type": "array", "items": {"type": "array", "minItems": 1}}}""",
                """
                        {"type": "array", "maxItems": 0}""",
                """
                        {"type": "string", "minLength": 2, "maxLength": 5}""",
                """
                        {"type": "string", "pattern": "^[a-z]{2,4}(-\\\\d+)?$"}""",
                """
                        {"type": "string", "pattern": "b."}""",
                """
                        {"type": "string", "pattern": "^a|\\\\\\\\\\"$"}""",
                """
                        {"enum": ["red", "green\\n", 3, 3.5, true, null, [], {}, [1, {"a": "b"}]]}""",
                """
                        {"type": ["string", "integer"], "enum": ["red", 3, true, 2.5]}""",
                """
                        {"type": "integer", "minimum": -17, "exclusiveMaximum": 254}""",
                """
                        {"type": "number", "minimum": 0, "maximum": 1}""",
                """
                        {"type": "number", "exclusiveMinimum": -0.25, "exclusiveMaximum": 0.5}""",
                """
                        {"exclusiveMinimum": 99.95}""",
                """
                        {"anyOf": [{"type": "string", "maxLength": 2}, {"type": "integer"}, {"$ref": "#/$defs/x"}],
                         "$defs": {"x": {"type": "array", "items": {"$ref": "#"}, "maxItems": 2}}}""",
                """
                        {"oneOf": [{"type": "object", "properties": {"kind": {"const": "a"}, "x": {"type": "integer"}},
                                    "required": ["kind"]},
                                   {"type": "object", "properties": {"kind": {"const": "b"}, "y": {"type": "string"}},
                                    "required": ["kind", "y"]}, {"type": "null"}]}""",
                """
                        {"type": "object", "properties": {"value": {"type": "integer"}, "next": {"$ref": "#"}},
                         "required": ["value"], "additionalProperties": false}""",
                """
                        {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {
                         "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}, "name": {"type": "string"}},
                         "required": ["children"]}}}""",
                """
                        {"allOf": [{"$ref": "#/$defs/a"}, {"required": ["q"]}, {"properties": {"q": {"maximum": 5}}}],
                         "$defs": {"a": {"type": "object", "properties": {"p": {"type": "null"},
                         "q": {"type": "integer", "minimum": 2}}}}}""",
                """
                        {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
                         "additionalProperties": false, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}""",
                """
                        {"properties": {"a": {"$ref": "#/properties/b", "title": "x", "minLength": 1},
                         "b": {"type": "string", "maxLength": 2}, "c": false}, "required": ["a"]}""",
                """
                        {"type": "array", "minItems": 4, "items": {"anyOf": [{"format": "date", "type": "string"},
                         {"format": "time"}, {"format": "date-time"}, {"format": "uuid"}, {"format": "email"},
                         {"format": "ipv4"}]}}""");
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void whatIsWrittenIsValid(String schema) {
        Constraint constraint = constraint(schema);
        SchemaCheck check = new SchemaCheck(schema);
        SplittableRandom random = new SplittableRandom(6);
        for (int i = 0; i < 40; i++) {
            String text = WRITER.write(constraint, random, random.nextInt(1, 60));
            assertThat(check.valid(text)).as(text).isTrue();
        }
    }

    @Test
    void whatIsWrittenByRandomSchemasIsValid() {
        SplittableRandom random = new SplittableRandom(13);
        int taken = 0;
        for (int i = 0; i < 1500; i++) {
            String schema = "{\"$defs\":{\"d\":" + schema(random, 1) + "}," + schema(random, 3).substring(1);
            Constraint constraint;
            try {
                constraint = constraint(schema.replace(",}", "}"));
            } catch (ConstraintException e) {
                assertThat(e).as(schema).message().containsAnyOf("that may both match", "nothing matches", "joins",
                        "No text matches", "refers to itself", "beside", "has no meaning", "keywords of several",
                        "levels deep");
                continue;
            }
            taken++;
            SchemaCheck check = new SchemaCheck(schema.replace(",}", "}"));
            for (int j = 0; j < 4; j++) {
                String text = WRITER.write(constraint, random, random.nextInt(1, 50));
                assertThat(check.valid(text)).as(schema + " wrote " + text).isTrue();
            }
        }
        assertThat(taken).isGreaterThan(500);
    }

    private static String schema(SplittableRandom random, int depth) {
        String[] leaves = {"\"type\":\"string\"", "\"type\":\"integer\"", "\"type\":[\"null\",\"boolean\"]",
            "\"minimum\":%d".formatted(random.nextInt(-20, 20)), "\"const\":%d".formatted(random.nextInt(3)),
            "\"type\":\"integer\",\"maximum\":%d".formatted(random.nextInt(-20, 20)),
            "\"type\":\"number\",\"exclusiveMinimum\":%d.%d".formatted(random.nextInt(20), random.nextInt(100)),
            "\"enum\":[\"a\",1,null]", "\"type\":\"string\",\"enum\":[\"a\",\"b\",2]", "\"$ref\":\"#/$defs/d\"",
            "\"maxLength\":%d".formatted(random.nextInt(4)), "\"pattern\":\"^[a-c]+$\"", ""};
        if (depth == 0 || random.nextInt(4) == 0) {
            return "{" + leaves[random.nextInt(leaves.length)] + "}";
        }
        String one = schema(random, depth - 1);
        String other = schema(random, depth - 1);
        return switch (random.nextInt(8)) {
            case 0 -> "{\"anyOf\":[%s,%s]}".formatted(one, other);
            case 1 -> "{\"oneOf\":[%s,%s,{\"type\":\"null\"}]}".formatted(one, other);
            case 2 -> "{\"allOf\":[%s,%s]}".formatted(one, other);
            case 3 -> "{\"items\":%s,\"minItems\":%d,\"type\":\"array\"}".formatted(one, random.nextInt(4));
            case 4 -> "{\"prefixItems\":[%s,%s],\"maxItems\":%d}".formatted(one, other, random.nextInt(4));
            case 5 -> "{\"properties\":{\"a\":%s,\"b\":%s},\"required\":[\"%s\"]}".formatted(one, other,
                    random.nextBoolean() ? "b" : "c");
            case 6 -> "{\"properties\":{\"ab\":%s},\"additionalProperties\":%s}".formatted(one, other);
            default -> "{\"type\":\"object\",\"properties\":{\"a\":%s},\"allOf\":[{\"properties\":{\"a\":%s}}]}"
                    .formatted(one, other);
        };
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', value = {"^[a-c]+$ ~ 2 ~ 4", "^(ab|c)*d?$ ~ 0 ~ 3", "b.? ~ 3 ~ 5",
        "^(a?b?){2,}$ ~ 1 ~ 2", "^((a|bc)+c?)+$ ~ 3 ~", "^a{2}|b{3}$ ~ 0 ~ 2", "^(a|){5}$ ~ 2 ~ 3"})
    void patternsAndLengthsGoTogether(String pattern, int least, Integer most) {
        String schema = "{\"type\":\"string\",\"pattern\":\"" + pattern + "\",\"minLength\":" + least
                + (most == null ? "" : ",\"maxLength\":" + most) + "}";
        Constraint constraint = constraint(schema);
        SchemaCheck check = new SchemaCheck(schema);
        List<String> texts = List.of("");
        for (int length = 0; length < 6; length++) {
            assertThat(texts).allSatisfy(text -> assertThat(Writer.matches(constraint, "\"" + text + "\""))
                    .as(text).isEqualTo(check.valid("\"" + text + "\"")));
            texts = texts.stream().flatMap(text -> Stream.of("a", "b", "c", "d").map(text::concat)).toList();
        }
    }

    /** The other way round: short JSON that is written compactly is taken exactly if it is valid. */
    @ParameterizedTest
    @CsvSource(delimiter = '~', value = {
        "{\"type\":\"integer\",\"minimum\":-17,\"exclusiveMaximum\":254}",
        "{\"type\":\"integer\",\"exclusiveMinimum\":-1205,\"maximum\":-30}",
        "{\"type\":\"integer\",\"minimum\":3.5}",
        "{\"type\":\"number\",\"exclusiveMinimum\":9.95,\"maximum\":120.5}",
        "{\"type\":\"number\",\"minimum\":-0.5,\"exclusiveMaximum\":0}",
        "{\"type\":\"number\",\"exclusiveMinimum\":-10,\"exclusiveMaximum\":10}",
        "{\"type\":\"integer\",\"minimum\":7,\"maximum\":7}",
        "{\"type\":\"number\",\"exclusiveMinimum\":0}"})
    void numbersAreThoseBetweenTheBounds(String schema) {
        Constraint constraint = constraint(schema);
        SchemaCheck check = new SchemaCheck(schema);
        boolean integer = schema.contains("integer");
        for (int i = -2000; i <= 2000; i++) {
            for (BigDecimal value : List.of(BigDecimal.valueOf(i), BigDecimal.valueOf(i, 1), BigDecimal.valueOf(i, 2),
                    BigDecimal.valueOf(i * 1000L, 3))) {
                String text = value.toPlainString();
                boolean spelledAsInteger = text.indexOf('.') < 0;
                if (integer && !spelledAsInteger) {
                    assertThat(Writer.matches(constraint, text)).as(text).isFalse();
                } else {
                    assertThat(Writer.matches(constraint, text)).as(text).isEqualTo(check.valid(text));
                }
            }
        }
        assertThat(List.of("-0", "-0.0", "00", "01", "1.", ".5", "+1", "1e3"))
                .noneMatch(text -> Writer.matches(constraint, text));
    }

    @Test
    void textIsTakenAsDocumented() {
        Map<String, List<String>> taken = Map.of(
                "{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}}}",
                List.of("{}", "{\"a\":1}", "{\"a\": 1, \"b\": \"x\"}", "{\"b\":\"\\u00e9\\ud83d\\ude00\\n\"}"),
                "{\"type\":\"array\"}", List.of("[]", "[1]", "[1, 2,[{}]]", "[null,{\"a\":[-1.5e-3]}]"),
                "{\"properties\":{\"ab\":true},\"additionalProperties\":{\"type\":\"null\"}}",
                List.of("{\"ab\":1}", "{\"a\":null}", "{\"abc\":null}", "{\"\":null,\"é\":null}",
                        "{\"ab\":[],\"x\":null}"));
        Map<String, List<String>> refused = Map.of(
                "{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}}}",
                List.of("", "{", " {}", "{} ", "{\"a\":1,}", "{\"b\":\"\",\"a\":1}", "{\"c\":1}", "{\"a\":  1}",
                        "{\"a\":1\n}", "{\"a\":01}", "{\"b\":\"\n\"}", "{\"b\":\"\\x\"}", "{\"b\":\"\\ud83d\"}",
                        "{,\"a\":1}", "{\"a\":1 ,\"b\":\"\"}"),
                "{\"type\":\"array\"}", List.of("[,1]", "[1,]", "[1", "[[]", "[1 2]", "{}"),
                "{\"properties\":{\"ab\":true},\"additionalProperties\":{\"type\":\"null\"}}",
                List.of("{\"a\":1}", "{\"x\":null,\"ab\":1}", "{\"\\u0061b\":null}"));
        taken.forEach((schema, texts) -> assertThat(texts).allMatch(text -> Writer.matches(constraint(schema), text)));
        refused.forEach(
                (schema, texts) -> assertThat(texts).noneMatch(text -> Writer.matches(constraint(schema), text)));
    }

    @Test
    void recursionEndsInTime() {
        String schema = "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}";
        assertThat(Writer.matches(constraint(schema), "[".repeat(65) + "]".repeat(65))).isTrue();
        assertThat(Writer.matches(constraint(schema), "[".repeat(66) + "]".repeat(66))).isFalse();
        Automaton automaton = ((TextConstraint) constraint(schema)).automaton();
        // At the last level nothing but the end can come.
        Automaton.State deepest = automaton.read(automaton.start(), "[".repeat(65).getBytes());
        assertThat(deepest).isNotNull();
        assertThat(automaton.read(deepest, "[".getBytes())).isNull();
        assertThat(automaton.read(deepest, "]".getBytes())).isNotNull();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', value = {
        "{\"type\":\"object\",\"patternProperties\":{}} ~ #/patternProperties is a keyword that is not supported",
        "{\"properties\":{\"a\":{\"type\":\"integer\",\"multipleOf\":2}}} ~ #/properties/a/multipleOf is a keyword",
        "{\"type\":\"array\",\"items\":{\"not\":{}}} ~ #/items/not is a keyword",
        "{\"if\":{}} ~ #/if is a keyword",
        "{\"type\":\"text\"} ~ #/type has \"text\", expected object",
        "{\"type\":[]} ~ #/type is empty",
        "{\"type\":3} ~ #/type has 3",
        "{\"type\":null} ~ #/type is null",
        "{\"type\":\"string\",\"minimum\":3} ~ #/minimum has no meaning for the type string",
        "{\"minimum\":3,\"minLength\":2} ~ # has no type, and keywords of several",
        "{\"type\":\"string\",\"format\":\"hostname\"} ~ #/format is \"hostname\"",
        "{\"type\":\"string\",\"pattern\":\"(?i)a\"} ~ #/pattern: The pattern \"(?i)a\" has a flag",
        "{\"pattern\":\"a\",\"format\":\"date\"} ~ # has pattern and format",
        "{\"type\":\"string\",\"minLength\":3,\"maxLength\":2} ~ # has a minLength of 3 and a maxLength of 2",
        "{\"type\":\"string\",\"maxLength\":-1} ~ #/maxLength is -1, expected a whole number",
        "{\"type\":\"string\",\"maxLength\":1e99} ~ #/maxLength is 1e99",
        "{\"type\":\"string\",\"maxLength\":400000} ~ too large",
        "{\"type\":\"array\",\"minItems\":3,\"maxItems\":2} ~ # needs at least 3 items",
        "{\"type\":\"array\",\"uniqueItems\":true} ~ #/uniqueItems is true",
        "{\"type\":\"integer\",\"minimum\":3.2,\"maximum\":3.9} ~ # allows no integer",
        "{\"type\":\"number\",\"minimum\":1e999999999} ~ out of range",
        "{\"type\":\"integer\",\"minimum\":1e30} ~ # allows no integer of at most 16 digits",
        "{\"enum\":[]} ~ #/enum has no value",
        "{\"const\":1,\"type\":\"string\"} ~ #/const has no value of the type string",
        "{\"enum\":[\"a\"],\"minLength\":1} ~ #/minLength beside enum",
        "{\"required\":[\"a\"],\"additionalProperties\":false} ~ #/required has \"a\"",
        "{\"required\":[\"a\"],\"properties\":{\"a\":false}} ~ #/required has \"a\", whose schema is false",
        "{\"anyOf\":[]} ~ #/anyOf is empty",
        "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]} ~ #/oneOf has alternatives 0 and 1 that may",
        "{\"$ref\":\"#\"} ~ # refers to itself with nothing before it",
        "{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]} ~ # refers to itself with nothing before it",
        "{\"allOf\":[{\"$ref\":\"#\"}]} ~ refers to itself",
        "{\"$ref\":\"#/$defs/x\"} ~ #/$ref is \"#/$defs/x\", which the schema does not have",
        "{\"$ref\":\"other.json\"} ~ #/$ref is \"other.json\"; only references inside",
        "{\"$ref\":\"#/%zz\"} ~ which has a bad escape",
        "{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"minItems\":1} ~ No text matches",
        "{\"allOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]} ~ #/type is given twice with nothing in common",
        "{\"allOf\":[{\"pattern\":\"a\"},{\"pattern\":\"b\"}]} ~ # joins schemas",
        "{\"allOf\":[{\"properties\":{\"a\":true}},{\"additionalProperties\":false}]} ~ # joins a schema",
        "{\"properties\":{\"a\":null}} ~ #/properties/a is null",
        "{\"properties\":3} ~ #/properties is 3, expected an object",
        "false ~ # is false",
        "3 ~ # is 3, expected an object",
        "{\"type\": ~ The schema is not valid JSON at line 1, column",
        "{\"a\":1,\"a\":2} ~ The schema is not valid JSON",
        "{} {} ~ The schema goes on after its JSON, at line 1, column 4",
        "'' ~ The schema is empty"})
    void whatIsNotSupportedIsNamed(String schema, String message) {
        assertThatExceptionOfType(ConstraintException.class).as(schema).isThrownBy(() -> constraint(schema))
                .withMessageContaining(message);
    }

    @Test
    void hostileSchemasAreRefusedOrTaken() {
        String deep = "{\"items\":".repeat(100_000) + "true" + "}".repeat(100_000);
        assertThatExceptionOfType(ConstraintException.class).isThrownBy(() -> constraint(deep))
                .withMessageContaining("not valid JSON");
        String deepest = "{\"items\":".repeat(99) + "true" + "}".repeat(99);
        assertThat(Writer.matches(constraint(deepest), "[".repeat(99) + "]".repeat(99))).isTrue();
        // Both recursive, and joined at every level.
        assertThatExceptionOfType(ConstraintException.class).isThrownBy(() -> constraint(
                """
                        {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}], "$defs": {
                         "a": {"properties": {"n": {"$ref": "#/$defs/a"}}}, "b": {"properties": {"n": {"$ref": "#/$defs/b"}}}}}"""))
                .withMessageContaining("more than 300 levels deep");
        assertThatExceptionOfType(ConstraintException.class).isThrownBy(() -> constraint("""
                {"oneOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/b"}], "$defs": {
                 "a": {"type": "object", "properties": {"n": {"$ref": "#/$defs/a"}}, "required": ["n"]},
                 "b": {"type": "object", "properties": {"n": {"$ref": "#/$defs/b"}}, "required": ["n"]}}}"""))
                .withMessageContaining("that may both match");
        StringBuilder wide = new StringBuilder("{\"properties\":{");
        for (int i = 0; i < 5000; i++) {
            wide.append(i == 0 ? "" : ",").append("\"property").append(i).append("\":{\"type\":\"integer\"}");
        }
        wide.append("}}");
        assertThat(Writer.matches(constraint(wide.toString()), "{\"property7\":1, \"property4999\":-2}")).isTrue();
        String longName = "a".repeat(10_000);
        assertThat(
                Writer.matches(constraint("{\"properties\":{\"" + longName + "\":{}},\"additionalProperties\":true}"),
                        "{\"" + longName + "b\":1}"))
                .isTrue();
    }

    @Test
    void tupleOfManyItemsIsCounted() {
        Constraint constraint = constraint("{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1000,"
                + "\"maxItems\":1001}");
        for (int count : new int[]{999, 1000, 1001, 1002}) {
            String text = String.join(",", IntStream.range(0, count).mapToObj(Integer::toString).toList());
            assertThat(Writer.matches(constraint, "[" + text + "]")).isEqualTo(count == 1000 || count == 1001);
        }
    }

    @Test
    void orderOfNamesIsTheSchemas() {
        Constraint constraint = constraint("{\"properties\":{\"b\":{\"type\":\"null\"},\"a\":{\"type\":\"null\"}},"
                + "\"required\":[\"c\",\"a\",\"b\"]}");
        JsonNode written = SchemaCheck.read(WRITER.write(constraint, new SplittableRandom(7), 5));
        assertThat(written.propertyStream().map(Map.Entry::getKey)).containsExactly("b", "a", "c");
    }
}
