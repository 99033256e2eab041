package org.vecformer.engine.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.Temperature;
import org.vecformer.tokenizer.Tokenizer;

/** What all constraints share: samplers, vocabularies, choices, the caller's own rule. */
class ConstraintTest {
    private static final Writer WRITER = new Writer(TestVocabularies.bytes());

    private static int id(String token) {
        return WRITER.tokenizer.id(token).getAsInt();
    }

    @Test
    void choicesAreWrittenExactly() {
        List<String> choices = List.of("true", "trail", "tr", "né 😀", "{}");
        Constraint constraint = Constraint.choices(choices, WRITER.vocabulary);
        SplittableRandom random = new SplittableRandom(8);
        assertThat(Stream.generate(() -> WRITER.write(constraint, random, 10)).limit(200).distinct())
                .containsExactlyInAnyOrderElementsOf(choices);
        Sampler sampler = constraint.sampler();
        assertThat(WRITER.allowed(sampler)).containsExactlyInAnyOrder(id("t"), id("tr"), id("tru"), id("true"), id("n"),
                id("{"), id("{}"));
        sampler.accept(id("tr"));
        assertThat(WRITER.allowed(sampler)).containsExactlyInAnyOrder(id("u"), id("ue"), id("a"), id("<|endoftext|>"));
    }

    @Test
    void manyChoicesCostLittle() {
        List<String> choices = IntStream.range(0, 50_000).mapToObj(i -> "hello " + i).toList();
        Constraint constraint = Constraint.choices(choices, WRITER.vocabulary);
        assertThat(Writer.matches(constraint, "hello 49999")).isTrue();
        assertThat(Writer.matches(constraint, "hello 50000")).isFalse();
    }

    @Test
    void choicesThatCannotBeAreRefused() {
        assertThatExceptionOfType(ConstraintException.class)
                .isThrownBy(() -> Constraint.choices(List.of(), WRITER.vocabulary)).withMessageContaining("no choices");
        assertThatExceptionOfType(ConstraintException.class)
                .isThrownBy(() -> Constraint.choices(List.of("a", ""), WRITER.vocabulary))
                .withMessage("Choice 2 is empty");
        assertThatExceptionOfType(ConstraintException.class)
                .isThrownBy(() -> Constraint.choices(List.of("a\uD800"), WRITER.vocabulary))
                .withMessageContaining("Choice 1 has half a surrogate pair");
    }

    @Test
    void copyAndResetLeaveNoTrace() {
        Constraint constraint = Constraint.regex("(true|false)(, \\d+)*", WRITER.vocabulary);
        SplittableRandom random = new SplittableRandom(9);
        Sampler sampler = constraint.sampler();
        List<Integer> atStart = WRITER.allowed(sampler);
        sampler.acceptPrompt(new int[]{id("a"), id("b")});
        assertThat(WRITER.allowed(sampler)).isEqualTo(atStart);
        for (int step = 0; step < 10; step++) {
            List<Integer> allowed = WRITER.allowed(sampler);
            Sampler copy = sampler.copy();
            for (int i = 0; i < 3 && !copy.isComplete(); i++) {
                List<Integer> next = WRITER.allowed(copy);
                copy.accept(next.get(random.nextInt(next.size())));
            }
            assertThat(WRITER.allowed(sampler)).isEqualTo(allowed);
            List<Integer> texts = allowed.stream().filter(id -> !WRITER.vocabulary.isEndToken(id)).toList();
            sampler.accept(texts.get(random.nextInt(texts.size())));
        }
        sampler.accept(WRITER.vocabulary.endTokens()[0]);
        sampler.reset();
        assertThat(sampler.isComplete()).isFalse();
        assertThat(WRITER.allowed(sampler)).isEqualTo(atStart);
    }

    @Test
    void allowedLogitsAreLeftAndCandidatesMayBeFewAndSorted() {
        Sampler sampler = Constraint.regex("a|b\\d", WRITER.vocabulary).sampler();
        Candidates candidates = new Candidates(WRITER.tokenizer.vocabularySize());
        candidates.load(new float[candidates.vocabularySize()]);
        candidates.logits()[id("b")] = 3;
        candidates.logits()[id("c")] = 2;
        candidates.logits()[id("a")] = 1;
        candidates.sortByLogit();
        candidates.truncate(3);
        sampler.apply(candidates);
        assertThat(Arrays.copyOf(candidates.ids(), 3)).containsExactly(id("b"), id("c"), id("a"));
        assertThat(Arrays.copyOf(candidates.logits(), 3)).containsExactly(3, Float.NEGATIVE_INFINITY, 1);
    }

    @Test
    void aTextIsCompleteWhereNothingCanFollow() {
        Constraint constraint = Constraint.regex("\\d{2}|xy*", WRITER.vocabulary);
        SamplerChain sampler = SamplerChain.of(new Temperature(2), constraint.sampler());
        sampler.accept(id("1"));
        assertThat(sampler.isComplete()).isFalse();
        sampler.accept(id("2"));
        assertThat(sampler.isComplete()).isTrue();
        assertThat(WRITER.allowed(sampler)).containsExactly(id("<|endoftext|>"));
        sampler.reset();
        sampler.accept(id("x"));
        assertThat(sampler.isComplete()).isFalse();
        sampler.accept(id("<|endoftext|>"));
        assertThat(sampler.isComplete()).isTrue();
    }

    @Test
    void withoutEndTokensATextEndsWhereNothingCanFollow() {
        Vocabulary vocabulary = Vocabulary.of(WRITER.tokenizer, new int[0]);
        Writer writer = new Writer(WRITER.tokenizer, vocabulary);
        Sampler sampler = Constraint.regex("ab?", vocabulary).sampler();
        sampler.accept(id("a"));
        assertThat(writer.allowed(sampler)).containsExactly(id("b"));
        assertThat(sampler.isComplete()).isFalse();
        sampler.accept(id("b"));
        assertThat(sampler.isComplete()).isTrue();
        assertThat(writer.allowed(sampler)).isEmpty();
    }

    /** An end token is never text, even if it spells some. */
    @Test
    void endTokensMayBeText() {
        Vocabulary vocabulary = Vocabulary.of(WRITER.tokenizer, id("\u010A"), id("<|endoftext|>"));
        Writer writer = new Writer(WRITER.tokenizer, vocabulary);
        Sampler sampler = Constraint.regex("a+\n\n", vocabulary).sampler();
        // A line feed alone ends the text: where two are needed they come together or not at all.
        sampler.accept(id("a"));
        assertThat(writer.allowed(sampler)).contains(id("ĊĊ")).doesNotContain(id("Ċ"), id("aĊ"));
        sampler.accept(id("ĊĊ"));
        assertThat(sampler.isComplete()).isTrue();
        assertThat(writer.allowed(sampler)).containsExactlyInAnyOrder(id("Ċ"), id("<|endoftext|>"));
        assertThatExceptionOfType(ConstraintException.class).isThrownBy(() -> Constraint.regex("b\n", vocabulary))
                .withMessageContaining("The vocabulary has no tokens");
        assertThatIllegalArgumentException().isThrownBy(() -> Vocabulary.of(WRITER.tokenizer, -1));
    }

    /** What comes after a token that was forced on the text is not text any more. */
    @Test
    void aTokenThatWasNotAllowedEndsTheText() {
        Sampler sampler = Constraint.regex("a+", WRITER.vocabulary).sampler();
        sampler.accept(id("b"));
        assertThat(sampler.isComplete()).isFalse();
        assertThat(WRITER.allowed(sampler)).containsExactly(id("<|endoftext|>"));
        sampler.reset();
        sampler.accept(99_999);
        assertThat(WRITER.allowed(sampler)).containsExactly(id("<|endoftext|>"));
    }

    @Test
    void wordPiecesHaveSpacesBetweenWords() {
        Writer writer = new Writer(TestVocabularies.wordPieces("a", "b", "ab", "##b", "##c", "c", "."));
        Constraint constraint = Constraint.choices(List.of("ab c", "abc", "a."), writer.vocabulary);
        SplittableRandom random = new SplittableRandom(10);
        assertThat(Stream.generate(() -> writer.write(constraint, random, 9)).limit(100).distinct())
                .containsExactlyInAnyOrder("ab c", "abc", "a.");
        Sampler sampler = constraint.sampler();
        assertThat(writer.allowed(sampler)).containsExactly(writer.tokenizer.id("a").getAsInt(),
                writer.tokenizer.id("ab").getAsInt());
        sampler.accept(writer.tokenizer.id("ab").getAsInt());
        assertThat(writer.allowed(sampler)).containsExactly(writer.tokenizer.id("##c").getAsInt(),
                writer.tokenizer.id("c").getAsInt());
    }

    /** Nothing begins that these tokens cannot end. */
    @Test
    void whatTheVocabularyCannotSpellIsNotBegun() {
        Writer writer = new Writer(TestVocabularies.wordPieces("a", "ab", "##b", "##c"));
        Sampler sampler = Constraint.regex("a(bd|c)*e?|ab*d", writer.vocabulary).sampler();
        assertThat(writer.allowed(sampler)).containsExactly(writer.tokenizer.id("a").getAsInt());
        sampler.accept(writer.tokenizer.id("a").getAsInt());
        assertThat(writer.allowed(sampler)).containsExactly(writer.tokenizer.id("##c").getAsInt());
        assertThatExceptionOfType(ConstraintException.class)
                .isThrownBy(() -> Constraint.regex("a+d", writer.vocabulary))
                .withMessage("The vocabulary has no tokens that spell a text which matches");
        assertThatExceptionOfType(ConstraintException.class)
                .isThrownBy(() -> Constraint.regex("a[bc]*b[bc]{20}", writer.vocabulary))
                .withMessageContaining("no token for some of the bytes");
    }

    @Test
    void constraintsAreMadeOnce() {
        Constraint constraint = Constraint.regex("a{3}", WRITER.vocabulary);
        assertThat(Constraint.regex("a{3}", WRITER.vocabulary)).isSameAs(constraint);
        assertThat(Constraint.choices(List.of("a{3}"), WRITER.vocabulary)).isNotSameAs(constraint);
        for (int i = 0; i < Vocabulary.REMEMBERED; i++) {
            Constraint.regex("b{" + (i + 1) + "}", WRITER.vocabulary);
        }
        assertThat(Constraint.regex("a{3}", WRITER.vocabulary)).isNotSameAs(constraint);
    }

    @Test
    void threadsShareAConstraint() throws Exception {
        String schema = "{\"type\":\"array\",\"items\":{}}";
        List<String> expected = new ArrayList<>();
        Constraint alone = Constraint.jsonSchema(schema, Vocabulary.of(WRITER.tokenizer));
        for (int i = 0; i < 8; i++) {
            expected.add(new Writer(WRITER.tokenizer).write(alone, new SplittableRandom(i), 60));
        }
        Constraint shared = Constraint.jsonSchema(schema, WRITER.vocabulary);
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<String>> texts = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                SplittableRandom random = new SplittableRandom(i);
                texts.add(threads.submit(() -> new Writer(WRITER.tokenizer).write(shared, random, 60)));
            }
            for (int i = 0; i < 8; i++) {
                assertThat(texts.get(i).get()).isEqualTo(expected.get(i));
            }
        }
    }

    @Test
    void aFunctionSeesPromptAndContinuation() {
        List<List<Integer>> seen = new ArrayList<>();
        Constraint constraint = Constraint.allowedTokens(ids -> {
            seen.add(IntStream.of(ids).boxed().toList());
            return new int[]{ids.length, 0, ids.length};
        });
        Sampler sampler = constraint.sampler();
        sampler.acceptPrompt(new int[]{7, 8});
        assertThat(WRITER.allowed(sampler)).containsExactly(0, 2);
        sampler.accept(2);
        Sampler copy = sampler.copy();
        copy.accept(5);
        assertThat(WRITER.allowed(copy)).containsExactly(0, 4);
        assertThat(WRITER.allowed(sampler)).containsExactly(0, 3);
        sampler.reset();
        assertThat(WRITER.allowed(sampler)).containsExactly(0);
        assertThat(seen).containsExactly(List.of(7, 8), List.of(7, 8, 2, 5), List.of(7, 8, 2), List.of());
    }

    @Test
    void aFunctionMustAllowSomething() {
        for (int[] bad : new int[][]{{}, null, {-1}, {1_000_000}}) {
            assertThatExceptionOfType(ConstraintException.class)
                    .isThrownBy(() -> WRITER.allowed(Constraint.allowedTokens(_ -> bad).sampler()))
                    .withMessageStartingWith("The function of allowed tokens allows ");
        }
    }

    @Test
    void aFunctionIsAppliedAsHuggingFaceDoes() {
        int checked = 0;
        for (String file : List.of("single.jsonl", "hf_own_tests.jsonl")) {
            for (JsonNode row : Oracle.rows(Oracle.shared("oracle/logits_process/" + file))) {
                if (!row.get("processor").asText().equals("PrefixConstrainedLogitsProcessor")) {
                    continue;
                }
                int[] ids = Oracle.ints(row.get("input_ids"));
                int[] allowed = Oracle.ints(row.get("params").get("allowed_token_ids"));
                Sampler sampler = Constraint.allowedTokens(prefix -> {
                    assertThat(prefix).isEqualTo(ids);
                    return allowed;
                }).sampler();
                sampler.acceptPrompt(ids);
                Candidates candidates = new Candidates(row.get("scores").size());
                candidates.load(floats(row.get("scores")));
                sampler.apply(candidates);
                assertThat(candidates.logits()).isEqualTo(floats(row.get("expected")));
                checked++;
            }
        }
        assertThat(checked).isEqualTo(6);
    }

    private static float[] floats(JsonNode array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.get(i).isTextual() ? Float.NEGATIVE_INFINITY : array.get(i).floatValue();
        }
        return values;
    }

    @Test
    void gpt2WritesWhatItMust() throws Exception {
        Tokenizer tokenizer = Tokenizer.load(Oracle.shared("oracle/vocab/gpt2"));
        Vocabulary vocabulary = Vocabulary.of(tokenizer, 50256);
        Writer writer = new Writer(tokenizer, vocabulary);
        SplittableRandom random = new SplittableRandom(11);
        String pattern = "(Yes|No), [A-Z][a-zé ]{3,40}\\. \\d{4}-\\d\\d";
        Constraint regex = Constraint.regex(pattern, vocabulary);
        String schema = JsonSchemaConstraintTest.schemas().get(2);
        Constraint json = Constraint.jsonSchema(schema, vocabulary);
        for (int i = 0; i < 20; i++) {
            assertThat(writer.write(regex, random, 40)).matches(Pattern.compile(pattern));
            String text = writer.write(json, random, 40);
            assertThat(new SchemaCheck(schema).valid(text)).as(text).isTrue();
        }
        // The allowed tokens, against each token asked by itself.
        Automaton automaton = ((TextConstraint) json).automaton();
        for (String begun : List.of("", "{", "{\"name\": \"", "{\"name\": \"x\\", "{\"name\":\"\", \"age\":-")) {
            Automaton.State state = automaton.read(automaton.start(), begun.getBytes());
            long[] mask = automaton.tokens(state);
            for (int id = 0; id < 50257; id++) {
                byte[] bytes = vocabulary.bytes(id, false);
                assertThat(Masks.contains(mask, id)).as(begun + "|" + tokenizer.token(id))
                        .isEqualTo(bytes != null && automaton.read(state, bytes) != null);
            }
        }
    }
}
