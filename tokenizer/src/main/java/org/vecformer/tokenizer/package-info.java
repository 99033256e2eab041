/**
 * Text to token ids and back.
 *
 * <p>A {@link org.vecformer.tokenizer.Tokenizer} is loaded once from a model directory, is immutable afterwards and may
 * be shared by any number of threads. What changes while it works belongs to the caller: an
 * {@link org.vecformer.tokenizer.Encoding} is one answer, a {@link org.vecformer.tokenizer.StreamingDecoder} is the
 * state of one generated text.
 *
 * <h2>The way through the room</h2>
 * <ol>
 * <li>{@code TokenizerFiles} reads what is in the directory ({@code tokenizer.json}, or {@code vocab.json} and
 * {@code merges.txt}, and the small files beside them), checks it and hands over a {@code Vocabulary}, a
 * {@code MergeTable} and the added tokens. Files are hostile until proven otherwise: every refusal is a
 * {@link org.vecformer.tokenizer.TokenizerException} of one sentence that names file, field, value and what was
 * expected.</li>
 * <li>{@code AddedTokens} cuts the text at added tokens such as {@code <|endoftext|>}.</li>
 * <li>{@code PreTokenizer} cuts the rest into words, by hand, exactly where the GPT-2 pattern
 * {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+} would.</li>
 * <li>{@code WordEncoder} turns the UTF-8 bytes of a word into ids, merging the pair of lowest rank until none is left.
 * A bounded {@code WordCache} remembers short words.</li>
 * <li>Backwards, ids become bytes ({@code ByteAlphabet}) and bytes become text ({@code Utf8Decoder}).</li>
 * </ol>
 *
 * <h2>Rules worth knowing</h2>
 * <ul>
 * <li>The reference is the Hugging Face {@code tokenizers} library. {@code \s} is Unicode's White_Space (so U+0085 is a
 * space, U+001C and U+200B are not), letters and numbers are Unicode's general categories L and N as this JDK knows
 * them.</li>
 * <li><b>Unpaired surrogates</b> are no Unicode characters and have no UTF-8 form: each one is encoded as if it were
 * U+FFFD, so such a text comes back with U+FFFD in their places. Every other string comes back exactly.</li>
 * <li><b>Decoding</b> joins the bytes of all ids and writes U+FFFD for each maximal subpart of a malformed sequence, as
 * Unicode recommends (chapter 3.9) and as Rust and Python do. It never "cleans up" spaces: {@code decode(ids(text))} is
 * {@code text}, whatever {@code clean_up_tokenization_spaces} says.</li>
 * <li><b>Ids without a token</b> (a padded or sparse vocabulary) decode to nothing, as in the reference, because a
 * model may emit them; {@link org.vecformer.tokenizer.Tokenizer#contains(int)} tells.</li>
 * <li><b>Added tokens keep the ids the files declare</b>, holes included, and decode to their own text. The reference
 * closes holes by renumbering with a warning, and reads an added token such as {@code éé} back as the bytes E9 E9; that
 * would give a model the wrong rows, and a user the wrong text. Files that contradict each other are refused.</li>
 * <li>Settings for truncation and padding that a {@code tokenizer.json} may carry are the caller's business and not
 * read.</li>
 * </ul>
 */
package org.vecformer.tokenizer;
