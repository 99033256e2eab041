package org.vecformer.engine.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.sampler.Sampler;

/** Regular expressions, against {@link Pattern}. */
class RegexConstraintTest {
    private static final Writer WRITER = new Writer(TestVocabularies.bytes());
    private static final String[] ATOMS = {"a", "b", "c", "é", "😀", "\\n", ".", "[ab]", "[^a]", "[a-cé]", "\\d", "\\W",
        "\\s", "[^\\d\\s]", "\\x61", "\\u00e9", "\\uD83D\\uDE00", "\\.", "1"};
    private static final String[] QUANTIFIERS = {"*", "+", "?", "{2}", "{1,}", "{0,2}", "{2,3}", "*?", "+?", "??",
        "{0}"};
    private static final String[] CHARACTERS = {"a", "b", "c", "é", "😀", "\n", "1", ".", " ", "_", "\u4f60", "\r"};

    private static Constraint constraint(String pattern) {
        return Constraint.regex(pattern, WRITER.vocabulary);
    }

    /** Java's dot stops at more line ends than the line feed unless told so. */
    private static Pattern java(String pattern) {
        return Pattern.compile(pattern, Pattern.UNIX_LINES);
    }

    @Test
    void matchesWhatJavaMatches() {
        SplittableRandom random = new SplittableRandom(1);
        int matched = 0;
        for (int i = 0; i < 1500; i++) {
            String pattern = pattern(random, 3);
            Pattern java = java(pattern);
            Constraint constraint;
            try {
                constraint = constraint(pattern);
            } catch (ConstraintException e) {
                assertThat(e).as(pattern).hasMessage("Only the empty text matches");
                assertThat(java.matcher("").matches()).isTrue();
                continue;
            }
            for (int j = 0; j < 40; j++) {
                StringBuilder text = new StringBuilder();
                for (int k = random.nextInt(7); k > 0; k--) {
                    text.append(CHARACTERS[random.nextInt(CHARACTERS.length)]);
                }
                boolean expected = java.matcher(text).matches();
                matched += expected ? 1 : 0;
                assertThat(Writer.matches(constraint, text.toString())).as(pattern + " on " + text).isEqualTo(expected);
            }
        }
        assertThat(matched).isGreaterThan(2000);
    }

    private static String pattern(SplittableRandom random, int depth) {
        StringBuilder pattern = new StringBuilder();
        for (int i = random.nextInt(1, 4); i > 0; i--) {
            int kind = random.nextInt(10);
            if (kind < 3 && depth > 0) {
                pattern.append(kind == 0 ? "(" : "(?:").append(pattern(random, depth - 1)).append(')');
            } else if (kind == 3 && depth > 0) {
                pattern.append('(').append(pattern(random, depth - 1)).append('|')
                        .append(random.nextInt(5) == 0 ? "" : pattern(random, depth - 1)).append(')');
            } else {
                pattern.append(ATOMS[random.nextInt(ATOMS.length)]);
            }
            if (random.nextInt(3) == 0) {
                pattern.append(QUANTIFIERS[random.nextInt(QUANTIFIERS.length)]);
            }
        }
        return pattern.toString();
    }

    @Test
    void whatIsWrittenMatches() {
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < 400; i++) {
            String pattern = pattern(random, 3);
            Constraint constraint;
            try {
                constraint = constraint(pattern);
            } catch (ConstraintException e) {
                continue;
            }
            for (int j = 0; j < 3; j++) {
                String text = WRITER.write(constraint, random, 30);
                assertThat(java(pattern).matcher(text).matches()).as(pattern + " wrote " + text).isTrue();
            }
        }
    }

    /**
     * Of a token that is text by itself, Java can tell whether it can follow: its matcher then matches, or runs into the
     * end of the text.
     */
    @ParameterizedTest
    @ValueSource(strings = {"(true|false), \\d{2,4}(\\.\\d+)?", "[a-z]+( [a-z]+)*\\n?", "\"[^\"\\\\]*\"",
        "(é|你|a){3}\\n{2}", ".*b", "(a|ab|abc)(c|bcd)?", "(hello|world|null)+"})
    void allowsExactlyWhatCanFollow(String pattern) {
        SplittableRandom random = new SplittableRandom(3);
        Constraint constraint = constraint(pattern);
        for (int i = 0; i < 5; i++) {
            Sampler sampler = constraint.sampler();
            String text = "";
            for (int step = 0; step < 12 && !sampler.isComplete(); step++) {
                List<Integer> allowed = WRITER.allowed(sampler);
                for (int id = 0; id < WRITER.tokenizer.vocabularySize(); id++) {
                    String token = new String(WRITER.tokenizer.tokenBytes(id, false), StandardCharsets.UTF_8);
                    if (WRITER.vocabulary.isEndToken(id)) {
                        assertThat(allowed.contains(id)).isEqualTo(java(pattern).matcher(text).matches());
                    } else if (token.indexOf('\uFFFD') < 0) {
                        Matcher matcher = java(pattern).matcher(text + token);
                        assertThat(allowed.contains(id)).as(pattern + ": " + text + "|" + token)
                                .isEqualTo(matcher.matches() || matcher.hitEnd());
                    }
                }
                List<Integer> whole = allowed.stream().filter(id -> !WRITER.vocabulary.isEndToken(id)
                        && WRITER.tokenizer.decode(new int[]{id}).indexOf('\uFFFD') < 0).toList();
                int id = whole.get(random.nextInt(whole.size()));
                sampler.accept(id);
                text += WRITER.tokenizer.decode(new int[]{id});
            }
        }
    }

    @Test
    void charactersMayBeSplitAcrossTokens() {
        Constraint constraint = constraint("[😀-😂]é");
        Sampler sampler = constraint.sampler();
        int half = WRITER.tokenizer.id("ðŁ").getAsInt();
        assertThat(WRITER.allowed(sampler)).contains(half).doesNotContain(WRITER.tokenizer.id("a").getAsInt());
        sampler.accept(half);
        // 😀 is F0 9F 98 80.
        for (int value : new int[]{0x98, 0x80}) {
            List<Integer> allowed = WRITER.allowed(sampler);
            int id = byteId(value);
            assertThat(allowed).contains(id);
            assertThat(allowed).allMatch(each -> WRITER.tokenizer.tokenBytes(each, false)[0] < 0);
            sampler.accept(id);
        }
        assertThat(WRITER.allowed(sampler)).containsExactlyInAnyOrder(byteId(0xC3),
                WRITER.tokenizer.id("Ã©").getAsInt());
        sampler.accept(byteId(0xC3));
        assertThat(sampler.isComplete()).isFalse();
        sampler.accept(byteId(0xA9));
        assertThat(sampler.isComplete()).isTrue();
    }

    private static int byteId(int value) {
        return value + 1;
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', value = {
        "(a)\\1 ~ a backreference, which is not supported (at character 4)",
        "a(?=b) ~ a lookahead (?=, which is not supported (at character 2)",
        "a(?!b) ~ a negative lookahead",
        "(?<=a)b ~ a lookbehind",
        "(?<x>a) ~ a named group",
        "(?P<x>a) ~ a named group (?P",
        "(?i)a ~ a flag (?i",
        "(?>a) ~ an atomic group",
        "a++ ~ a possessive quantifier, which is not supported (at character 2)",
        "a** ~ a quantifier of a quantifier",
        "*a ~ the quantifier * with nothing to repeat (at character 1)",
        "a|+ ~ the quantifier + with nothing to repeat (at character 3)",
        "a{2 ~ an opening brace that does not begin",
        "a{,2} ~ an opening brace that does not begin",
        "{2} ~ an opening brace that is no quantifier",
        "a{3,2} ~ whose most is less than its least",
        "a{1000000} ~ a quantifier of more than 10000 times (at character 2)",
        "(a ~ a group that is not closed (at character 1)",
        "a) ~ a closing parenthesis that nothing opens (at character 2)",
        "[a ~ a class that is not closed",
        "[] ~ an empty class",
        "[z-a] ~ a range whose end is before its start (at character 2)",
        "[\\d-z] ~ a range from or to a class",
        "[a[b]] ~ a class inside a class",
        "[a&&b] ~ an intersection of classes",
        "a^b ~ the anchor ^ inside the pattern",
        "a$b ~ the anchor $ inside the pattern",
        "(a$) ~ the anchor $ inside the pattern",
        "\\bx ~ a word boundary",
        "\\p{L} ~ a Unicode class",
        "\\Aa ~ the anchor \\A",
        "\\q ~ the escape \\q",
        "\\x4 ~ 2 hexadecimal digits",
        "\\uD800 ~ half a surrogate pair",
        "a\\ ~ a backslash at the end"})
    void whatIsNotSupportedIsNamed(String pattern, String message) {
        assertThatExceptionOfType(ConstraintException.class).as(pattern).isThrownBy(() -> constraint(pattern))
                .withMessageContaining(message).withMessageStartingWith("The pattern \"");
    }

    @Test
    void whatNothingMatchesIsRefused() {
        assertThatExceptionOfType(ConstraintException.class).isThrownBy(() -> constraint("a[^\\d\\D]"))
                .withMessageStartingWith("No text matches");
        assertThatExceptionOfType(ConstraintException.class).isThrownBy(() -> constraint(""))
                .withMessage("Only the empty text matches");
    }

    @Test
    void anchorsAtTheEndsChangeNothing() {
        Constraint constraint = constraint("^a|b$|^c$");
        assertThat(List.of("a", "b", "c")).allMatch(text -> Writer.matches(constraint, text));
        assertThat(List.of("ab", "", "$")).noneMatch(text -> Writer.matches(constraint, text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"((a{1000}){1000}){1000}", "((){10000}){10000}", "(((a?){100}){100}){100}",
        "(a{0,9999}b{0,9999}){0,9999}"})
    void whatIsTooLargeIsRefused(String pattern) {
        assertThatExceptionOfType(ConstraintException.class).isThrownBy(() -> constraint(pattern))
                .withMessageContaining("too large");
    }

    @Test
    void deepNestingIsRefused() {
        assertThatExceptionOfType(ConstraintException.class)
                .isThrownBy(() -> constraint("(".repeat(100_000) + "a" + ")".repeat(100_000)))
                .withMessageContaining("more than 200 groups one inside another (at character 201)");
        assertThat(Writer.matches(constraint("(".repeat(200) + "a" + ")".repeat(200)), "a")).isTrue();
        assertThat(Writer.matches(constraint("(".repeat(200) + "a" + ")+".repeat(200)), "aaa")).isTrue();
    }

    @Test
    void whatCanBeReadInTooManyWaysIsRefused() {
        assertThatExceptionOfType(ConstraintException.class)
                .isThrownBy(() -> WRITER.write(constraint("((.{0,100}){0,100}x)+"), new SplittableRandom(4), 50))
                .withMessageContaining("ways");
    }

    /** Nearly each state is new, and is some hundred places: more than may be kept at once. */
    @Test
    void statesThatWereForgottenAreFoundAgain() {
        Constraint constraint = constraint("[ab]*a[ab]{200}");
        Automaton automaton = ((TextConstraint) constraint).automaton();
        SplittableRandom random = new SplittableRandom(5);
        StringBuilder text = new StringBuilder();
        Automaton.State state = automaton.start();
        for (int i = 0; i < 6_000; i++) {
            char c = random.nextBoolean() ? 'a' : 'b';
            text.append(c);
            state = automaton.read(state, new byte[]{(byte) c});
            assertThat(state.accepting()).isEqualTo(i >= 200 && text.charAt(i - 200) == 'a');
        }
        assertThat(automaton.forgotten()).isPositive();
    }
}
