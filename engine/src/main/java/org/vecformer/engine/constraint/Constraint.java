package org.vecformer.engine.constraint;

import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.sampler.Sampler;

/**
 * What a generated text has to be. Immutable and thread-safe; a sequence gets a sampler of it, which belongs in the
 * place {@link org.vecformer.engine.sampler.SamplerKind#CONSTRAINT}:
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="constrain"}
 *
 * What is promised, of all but {@link #allowedTokens}: the bytes of the tokens that were written, the prompt not
 * counted, begin a text that matches; and they are one when an end token was allowed, or {@link Sampler#isComplete()}
 * says so. A text can always go on: tokens after which no text that matches can follow are never allowed. A text that
 * was cut short, by a largest length for example, only begins one.
 * <p>
 * An end token is allowed exactly where the text may end. Without one in the vocabulary a text ends where nothing more
 * can follow ({@code \d{4}} after four digits), and otherwise goes on ({@code \d+}) until the caller ends it.
 * <p>
 * Each token is allowed whose bytes fit, not only those that the tokenizer would make of the text: {@code true} can be
 * written {@code t}, {@code ru}, {@code e}. A model rarely does so unless it dislikes the text; then the ids differ from
 * those that the text encodes to.
 * <p>
 * What a constraint learns of its texts is kept, for all sequences, in 32 MB at most. One that can be read in very many
 * ways, as {@code ((.{0,100}){0,100}x)+}, is refused where that is noticed, perhaps only by a sampler in the middle of a
 * text: its {@code apply} then throws a {@link ConstraintException}.
 */
public sealed interface Constraint permits TextConstraint, TokenConstraint {
    /**
     * The whole text matches a regular expression. Characters are Unicode's, written in UTF-8.
     * <ul>
     * <li>characters, and with a backslash all that are no letter or digit; {@code \n \t \r \f}, {@code \xHH},
     * <code>&#92;uHHHH</code></li>
     * <li>{@code .}: all but the line feed; {@code \d \w \s \D \W \S} as Java has them, for ASCII;</li>
     * <li>classes {@code [a-z_\d]}, {@code [^"\n]}, the latter with all other characters of Unicode</li>
     * <li>{@code * + ? {m} {m,} {m,n}}, up to 10,000 times; lazy ones match the same texts</li>
     * <li>{@code a|b}, {@code (...)}, {@code (?:...)}; {@code ^} and {@code $} at the ends, where they change
     * nothing</li>
     * </ul>
     * All else is refused: backreferences, lookaround, named and atomic groups, flags, possessive quantifiers, word
     * boundaries, Unicode classes, classes inside classes, braces that are no quantifier.
     *
     * @throws ConstraintException if the pattern is not one of these, nothing matches it, or it is too large
     */
    static Constraint regex(String pattern, Vocabulary vocabulary) {
        record Key(String pattern) {}
        return vocabulary.constraint(new Key(pattern), () -> {
            Network network = new Network();
            int rule = network.rule("The pattern");
            int end = RegexParser.whole(pattern).write(network, Characters.PLAIN, network.entry(rule));
            network.skip(end, network.exit(rule));
            return new TextConstraint(network.finished(), vocabulary);
        });
    }

    /**
     * The text is JSON that a schema (draft 2020-12) allows; not all JSON that it allows can be written. See
     * {@link org.vecformer.engine.constraint} for what is supported and how it is written.
     *
     * @throws ConstraintException if the schema is no JSON, has a keyword that is not supported, nothing matches it, or
     *                             it is too large
     */
    static Constraint jsonSchema(String schema, Vocabulary vocabulary) {
        record Key(String schema) {}
        return vocabulary.constraint(new Key(schema),
                () -> new TextConstraint(JsonSchema.network(schema), vocabulary));
    }

    /**
     * The text is one of these. Where one begins another, an end token decides.
     *
     * @throws ConstraintException if there are none, one is empty, or they are too large
     */
    static Constraint choices(List<String> texts, Vocabulary vocabulary) {
        record Key(List<String> texts) {}
        List<String> choices = List.copyOf(texts);
        return vocabulary.constraint(new Key(choices), () -> {
            if (choices.isEmpty()) {
                throw new ConstraintException("There are no choices; at least one is needed");
            }
            List<byte[]> bytes = new ArrayList<>();
            for (String choice : choices) {
                if (choice.isEmpty()) {
                    throw new ConstraintException("Choice " + (bytes.size() + 1) + " is empty");
                }
                bytes.add(Characters.utf8(choice, "Choice " + (bytes.size() + 1)));
            }
            Network network = new Network();
            int rule = network.rule("The choice");
            network.skip(network.oneOf(network.entry(rule), bytes), network.exit(rule));
            return new TextConstraint(network.finished(), vocabulary);
        });
    }

    /** Each token is one that the caller's function allows, as Hugging Face's {@code PrefixConstrainedLogitsProcessor}. */
    static Constraint allowedTokens(AllowedTokens function) {
        return new TokenConstraint(function);
    }

    /** A sampler for one sequence. Tokens that are not allowed get a logit of negative infinity; it selects none. */
    Sampler sampler();
}
