package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/**
 * Turns text into the token ids of one vocabulary, and ids into text. Implementations are immutable and thread-safe.
 *
 * <p>Ids are non-negative. An id at or above {@link #vocabularySize()}, or in a hole of a sparse vocabulary, has no
 * token: decoding gives nothing for it, {@link #token(int)} refuses it. A negative id is always an
 * {@link IllegalArgumentException}.
 */
public interface Tokenizer {
    /**
     * Loads the tokenizer of a model directory: {@code tokenizer.json} with a model of type {@code BPE} or {@code
     * WordPiece}, else {@code vocab.json} with {@code merges.txt}, else {@code encoder_bpe_40000.json} with {@code
     * vocab_40000.bpe}, else {@code vocab.txt}; with {@code added_tokens.json}, {@code special_tokens_map.json} and
     * {@code tokenizer_config.json} where they are present. A vocabulary with merges is GPT-2's or OpenAI GPT's, as
     * {@code tokenizer_class} of {@code tokenizer_config.json} says; without it, OpenAI GPT's if it is not byte-level
     * and has tokens that end with {@code </w>}. Where {@code vocab.txt} lies beside it, {@code tokenizer_class}
     * decides; without it {@code vocab.txt} is not read.
     *
     * @throws TokenizerException if the files are missing, damaged, contradictory or not of a supported kind
     * @throws IOException if a file cannot be read
     */
    static Tokenizer load(Path directory) throws IOException {
        return TokenizerFiles.load(directory);
    }

    /** Whether the directory has tokenizer files at all; a model without them can still be used with ids. */
    static boolean isPresent(Path directory) {
        return TokenizerFiles.isPresent(directory);
    }

    /**
     * The ids of a text, special tokens of the model around it included; the fast path. Null is refused, the empty text
     * has no ids of its own.
     */
    int[] ids(CharSequence text);

    /** The ids of a text together with their tokens and where in the text they come from. */
    default Encoding encode(CharSequence text) {
        return encode(text, null, EncodingOptions.defaults());
    }

    /**
     * The ids of a text, or of a pair of texts, cut and filled up as the options say.
     *
     * @param pair the second text; null for one text alone
     * @throws IllegalArgumentException if the options cannot be met: no room for the special tokens, a text to cut that
     *         is too short for it, padding without a padding token
     */
    Encoding encode(CharSequence text, CharSequence pair, EncodingOptions options);

    /**
     * All of a text that is longer than {@link EncodingOptions#maxLength()}, in windows that share {@link
     * EncodingOptions#stride()} ids; one encoding if all fits. The first is what {@link #encode(CharSequence,
     * CharSequence, EncodingOptions)} gives. Where both texts of a pair are cut, every part of one meets every part of
     * the other.
     *
     * @param pair the second text; null for one text alone
     * @throws IllegalArgumentException if the options cannot be met, or the stride leaves a window nothing new
     */
    List<Encoding> windows(CharSequence text, CharSequence pair, EncodingOptions options);

    /** The text of the ids, special tokens included. Malformed UTF-8 becomes U+FFFD. */
    default String decode(int[] ids) {
        return decode(ids, false);
    }

    /** The text of the ids, with special tokens left out if so asked. Malformed UTF-8 becomes U+FFFD. */
    String decode(int[] ids, boolean skipSpecialTokens);

    /** The bytes of the ids, special tokens included; not always well-formed UTF-8. */
    byte[] decodeBytes(int[] ids);

    /**
     * The bytes that one token adds to a text: those of ids, one after the other, are {@link #decodeBytes} of the ids,
     * but for a space at the end, which a token of OpenAI GPT has behind it where it ends a word.
     *
     * @param first whether no token comes before it; a WordPiece token has a space before it where it begins a word
     * @throws IllegalArgumentException if the id is negative
     */
    byte[] tokenBytes(int id, boolean first);

    /** A decoder for ids that come one at a time; special tokens are shown. */
    default StreamingDecoder streamingDecoder() {
        return streamingDecoder(false);
    }

    /** A decoder for ids that come one at a time. */
    StreamingDecoder streamingDecoder(boolean skipSpecialTokens);

    /** The largest id + 1, added tokens included. */
    int vocabularySize();

    /** Whether a token has this id; false for holes, for ids beyond the vocabulary and for negative ids. */
    boolean contains(int id);

    /**
     * The token as the vocabulary spells it, for example {@code Ġmovie}.
     *
     * @throws IllegalArgumentException if no token has this id
     */
    String token(int id);

    /** The id of a token, spelt as in the vocabulary. */
    OptionalInt id(String token);

    /** Whether the id is a special token, one that {@code skipSpecialTokens} leaves out. */
    boolean isSpecial(int id);

    /** The id that begins a text, if the files name one. */
    OptionalInt beginOfText();

    /** The id that ends a text, if the files name one. */
    OptionalInt endOfText();

    /** The id that fills up shorter texts of a batch, if the files name one. */
    OptionalInt padding();

    /** The id that stands for what the vocabulary cannot spell, if the files name one. */
    OptionalInt unknown();

    /** The id that hides a token to be guessed ({@code [MASK]}), if the files name one. */
    OptionalInt mask();

    /** The id before a text whose output stands for the whole text ({@code [CLS]}), if the files name one. */
    OptionalInt classification();

    /** The id between and after texts ({@code [SEP]}), if the files name one. */
    OptionalInt separator();

    /** What tokens begin with that continue a word: {@code ##} for WordPiece, nothing for BPE. */
    String continuingPrefix();

    /**
     * The most ids the model takes ({@code model_max_length}, or {@code max_len} in files before transformers 3), where
     * the files give a sensible number.
     */
    OptionalInt maximumLength();

    /** Whether shorter texts of a batch are filled up at their start ({@code padding_side}). */
    boolean padsLeft();
}
