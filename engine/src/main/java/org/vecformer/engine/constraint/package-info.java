/**
 * What a generated text has to be: a regular expression, a JSON schema, choices, or the caller's own rule. A
 * {@link org.vecformer.engine.constraint.Constraint} is made once for a {@link
 * org.vecformer.engine.constraint.Vocabulary}; its samplers forbid the tokens that cannot follow.
 * <h2>How it works</h2>
 * {@code RegexParser} and {@code JsonSchema} write a {@code Network}: nodes, edges that read a byte of UTF-8, and calls of
 * rules, which a schema's references become. From nodes that cannot reach the end nothing is followed. An
 * {@code Automaton} makes the network deterministic as far as texts come. For a state it walks once through the
 * {@code TokenTrie}, all tokens by their bytes, and keeps the tokens that can follow as a bit set; from then on a step is
 * one pass over the logits. Bytes, not characters: a token of byte-level BPE may hold part of a character. The method is
 * that of Willard and Louf (2023, arXiv:2307.09702) with the automaton made lazily, as RE2 does.
 * <p>
 * A vocabulary that has every byte of the constraint as a token (byte-level BPE has) can always go on byte by byte. For
 * others all states are looked at beforehand, those from which no tokens lead to the end are closed, and a constraint of
 * more than 2,000 states is refused.
 * <h2>JSON schemas</h2>
 * Every text that ends is JSON that the schema allows, by draft 2020-12; the reverse is not so. It is written like this:
 * <ul>
 * <li>No white space but, optionally, one space after each {@code :} and {@code ,} (not in the values of {@code enum} and
 * {@code const}, which are written without any).</li>
 * <li>Properties come in the schema's order. Others only where {@code additionalProperties} is true or a schema, or where
 * there are no {@code properties} and it is absent; they come last, their names have no escapes, and may come twice.
 * Required names that {@code properties} lacks come behind those it has.</li>
 * <li>Items follow {@code prefixItems} only where {@code items} is present or {@code minItems} asks for them.</li>
 * <li>Integers have at most 16 digits; numbers as many after the point, and exponents two. A number that has bounds has
 * no exponent.</li>
 * <li>Strings have any characters, with any escapes that JSON has for them; those with a {@code pattern} or
 * {@code format} have escapes only where they must. Lengths count code points.</li>
 * <li>References, items of arrays with counts above one, and free values may lie {@code 64} levels one inside another;
 * at the last level only what needs no more is allowed, so that a text always ends.</li>
 * </ul>
 * Supported: {@code true} and {@code {}} (any JSON); {@code type}, also a list, or implied by the keywords of one type;
 * {@code enum}, {@code const}; {@code properties}, {@code required}, {@code additionalProperties}; {@code items},
 * {@code prefixItems}, {@code minItems}, {@code maxItems}; {@code minLength}, {@code maxLength}; {@code pattern} (the
 * syntax of {@link org.vecformer.engine.constraint.Constraint#regex}, found anywhere unless anchored) or {@code format}
 * (date, time, date-time, uuid, email, ipv4); {@code minimum}, {@code maximum} and the exclusive ones;
 * {@code anyOf}; {@code oneOf} whose alternatives differ by type, value, or a required property's type or value;
 * {@code allOf} and keywords beside a {@code $ref}, where what is joined can be said as one schema; {@code $ref} inside
 * the schema, recursive ones too. Annotations ({@code title}, {@code description}, {@code default}, {@code examples},
 * {@code $comment}, ...) say nothing. Any other keyword is an error that names it and its path, as is one without a
 * meaning for the type.
 */
package org.vecformer.engine.constraint;
