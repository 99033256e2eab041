/**
 * Text to token ids and back.
 *
 * <p>A {@link org.vecformer.tokenizer.Tokenizer} is loaded once from a model directory, is immutable afterwards and may
 * be shared by any number of threads. What changes while it works belongs to the caller: an
 * {@link org.vecformer.tokenizer.Encoding} is one answer, a {@link org.vecformer.tokenizer.StreamingDecoder} is the
 * state of one generated text. There are three kinds: byte-level byte pair encoding as GPT-2 has it, byte pair encoding
 * of lower-cased words as OpenAI GPT, the model of 2018, has it, and WordPiece as BERT has it.
 *
 * <h2>The way through the room</h2>
 * <ol>
 * <li>{@code TokenizerFiles} reads what is in the directory, decides which kind it is, checks it and joins what the files
 * say; {@code TokenizerJson} takes a {@code tokenizer.json} apart, {@code BytePairReader}, {@code OpenAiGptReader}
 * and {@code WordPieceReader} understand their kind's part, {@code MergeReader} the merges of the first two. Files are hostile until proven otherwise: every refusal is a
 * {@link org.vecformer.tokenizer.TokenizerException} of one sentence that names file, field, value and what was
 * expected.</li>
 * <li>{@code AddedTokens} cuts the text at added tokens such as {@code <|endoftext|>}, {@code <speaker1>} and
 * {@code [MASK]}.</li>
 * <li><b>GPT-2:</b> {@code PreTokenizer} cuts the rest into words, by hand, exactly where the GPT-2 pattern
 * {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+} would. {@code WordEncoder} turns
 * a word into ids: {@code ByteSpelling} says one for each UTF-8 byte, and the pair of lowest rank merges until none is
 * left; a bounded {@code WordCache} remembers short words that come again. Backwards, ids become bytes ({@code
 * ByteAlphabet}) and bytes become text ({@code Utf8Decoder}).</li>
 * <li><b>BERT:</b> {@code BertNormalizer} cleans the rest, sets CJK ideographs apart, strips accents and lower-cases, and
 * remembers where each character came from; {@code BertWords} cuts it at white space and punctuation, and {@code
 * BertRun} leads through all of it; {@code WordPieceTokenizer} spells each word, the longest token first, by two {@code
 * PieceTable}s that are asked with a rolling hash and make no strings. Backwards, tokens are joined with spaces.</li>
 * <li><b>OpenAI GPT:</b> cuts words as BERT does, and merges as GPT-2 does: {@code LetterSpelling} says one id for each
 * character, the last of a word with {@code </w>} behind it, and the unknown token for what the vocabulary lacks.
 * Backwards, {@code </w>} becomes a space, but for the last.</li>
 * <li>{@code EncodingAssembler} cuts one or two encoded texts to size, puts the {@code Template}'s special tokens around
 * them and fills up.</li>
 * </ol>
 *
 * <h2>What it takes</h2>
 * A text costs its characters, a growing list of ids and the array that is handed out, and no object for a word or an id
 * ({@code TokenizerWorkTest}). Nothing is quadratic: the merges of a word of up to 100 bytes are found by scanning, of a
 * longer one by a heap (n log n; some 30 bytes of memory for each byte of the word, so that a word of 100 MB needs 3 GB);
 * added tokens are at most 512 characters; WordPiece asks for a token at a position at most as often as the longest token
 * is long, and gives up on words of more than the model's limit.
 *
 * <h2>Which files are read</h2>
 * {@code tokenizer.json} if there is one (its {@code model.type}, and for OpenAI GPT its {@code end_of_word_suffix}, tells
 * the kind), else {@code vocab.json} with {@code merges.txt} for GPT-2 and OpenAI GPT, else OpenAI's own names for the
 * latter, {@code encoder_bpe_40000.json} with {@code vocab_40000.bpe}, else {@code vocab.txt} for BERT. Whose a
 * vocabulary with merges is, {@code tokenizer_class} in {@code tokenizer_config.json} says, or else the vocabulary: that
 * of OpenAI GPT has tokens that end with {@code </w>} and none for a space (CLIP's has both, and is refused). Where
 * {@code vocab.txt} lies beside such files, a {@code tokenizer_class} of BERT's family chooses it. Beside either, {@code
 * added_tokens.json}, {@code special_tokens_map.json} and {@code tokenizer_config.json} are read; the last has the last
 * word, also over the normalizer of a {@code tokenizer.json}, as in the reference. A {@code vocab.txt} without settings
 * is read as Google's uncased models: lower case, accents stripped ({@code strip_accents} follows {@code do_lower_case}
 * unless it is given), CJK ideographs apart, words of more than 100 characters unknown (Google had 200). A blank line of
 * a {@code vocab.txt} is an id without a token; of two equal lines the later holds.
 *
 * <h2>Rules worth knowing</h2>
 * <ul>
 * <li>The reference is the Hugging Face {@code tokenizers} library, 0.23.2. For GPT-2 {@code \s} is Unicode's White_Space
 * (so U+0085 is a space, U+001C and U+200B are not), letters and numbers are Unicode's general categories L and N as this
 * JDK knows them.</li>
 * <li><b>BERT's categories and decompositions are not the JDK's.</b> The reference's are older (Unicode 8 and 10), and
 * no newer JDK may change the ids of a text: {@code bert-characters.txt} holds them, made by asking the reference about
 * every code point; how, it says itself. {@code BertCharactersTest} compares every code point.</li>
 * <li><b>Unpaired surrogates</b> are no Unicode characters and have no UTF-8 form: each one is encoded as if it were
 * U+FFFD. For GPT-2 such a text comes back with U+FFFD in their places, and every other string comes back exactly; BERT
 * leaves U+FFFD out.</li>
 * <li><b>Decoding GPT-2</b> joins the bytes of all ids and writes U+FFFD for each maximal subpart of a malformed
 * sequence, as Unicode recommends (chapter 3.9) and as Rust and Python do. It never "cleans up" spaces: {@code
 * decode(ids(text))} is {@code text}, whatever {@code clean_up_tokenization_spaces} says.</li>
 * <li><b>Decoding BERT</b> is not the way back: case, accents and spaces are lost. By default, and as the reference's
 * decoder does it token by token, there is no space before {@code . , ? !}; {@link
 * org.vecformer.tokenizer.WordPieceTokenizer#decode(int[], boolean, boolean)} can leave it there.</li>
 * <li><b>OpenAI GPT's original tokenizer</b> had spaCy and ftfy to cut and mend texts. The reference cuts as BERT does,
 * and so do we. A word may have any length, and each character the vocabulary lacks is an unknown token of its own.
 * Decoding it is not the way back either; as the reference has it (transformers 5), spaces before punctuation stay, and
 * special tokens have spaces around them only where words ended.</li>
 * <li><b>A space of OpenAI GPT</b> belongs to the token before it and shows with the one after it: a {@link
 * org.vecformer.tokenizer.StreamingDecoder} holds it back, and {@link
 * org.vecformer.tokenizer.Tokenizer#tokenBytes(int, boolean)} has it.</li>
 * <li><b>Special tokens that are only named</b>, in {@code special_tokens_map.json} or {@code tokenizer_config.json}, with
 * an id from {@code added_tokens.json} or the next free one: they are found in the text as it was given, before it is
 * lower-cased, and are left out when special tokens are, the {@code additional_special_tokens} too (transformers 5 takes
 * those for words when it reads files of earlier versions).</li>
 * <li><b>Offsets</b> point into the text as it was given. A BERT token covers all that became part of it, marks inside it
 * included; a mark or control character left out after its last character is not covered, as in the reference.</li>
 * <li><b>Windows</b> of a long text hold all of it. The reference, since it stops encoding at the maximum length, loses
 * the end; its windows are the beginning of ours.</li>
 * <li><b>Ids without a token</b> (a padded or sparse vocabulary) decode to nothing, as in the reference, because a
 * model may emit them; {@link org.vecformer.tokenizer.Tokenizer#contains(int)} tells.</li>
 * <li><b>Added tokens keep the ids the files declare</b>, holes included, and decode to their own text. The reference
 * closes holes by renumbering with a warning, reads a GPT-2 token such as {@code éé} back as the bytes E9 E9, and shows a
 * BERT token in lower case; that would give a model the wrong rows, and a user the wrong text. Files that contradict each
 * other are refused.</li>
 * <li>Settings for truncation and padding that a {@code tokenizer.json} may carry are the caller's business and not
 * read.</li>
 * </ul>
 */
package org.vecformer.tokenizer;
