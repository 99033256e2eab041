package org.vecformer.engine.task;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * The tokens of a text file, of which only a part is in memory as text at any time. It is cut before spaces that follow
 * a letter or a digit: there a byte-level BPE begins a new word whatever stands before, so that the tokens are those of
 * the whole text (but for an added token with a space inside that lies across a cut).
 */
final class CorpusTokens {

    /** Characters after which a place to cut is looked for. */
    private static final int PART = 1 << 20;

    private static final EncodingOptions PLAIN = EncodingOptions.defaults().withSpecialTokens(false);

    private final Tokenizer tokenizer;
    private int[] ids = new int[1 << 12];
    private int count;
    private long words;
    private long bytes;

    private CorpusTokens(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * Reads a file.
     *
     * @param check called between parts; what it throws ends it
     * @throws IOException if it cannot be read, or is not UTF-8
     */
    static CorpusTokens read(Path file, Tokenizer tokenizer, Runnable check) throws IOException {
        return read(file, tokenizer, PART, check);
    }

    static CorpusTokens read(Path file, Tokenizer tokenizer, int part, Runnable check) throws IOException {
        CorpusTokens tokens = new CorpusTokens(tokenizer);
        StringBuilder text = new StringBuilder();
        char[] buffer = new char[1 << 13];
        // A decoder reports what is malformed; a reader that is given the charset would replace it.
        try (Reader reader = new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8.newDecoder())) {
            for (int read = reader.read(buffer); read >= 0; read = reader.read(buffer)) {
                int known = text.length();
                text.append(buffer, 0, read);
                int cut = text.length() < part ? 0 : lastCut(text, known);
                if (cut > 0) {
                    check.run();
                    tokens.add(text.substring(0, cut));
                    text.delete(0, cut);
                }
            }
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is not valid UTF-8", e);
        }
        tokens.add(text.toString());
        return tokens;
    }

    /** The last place to cut in what was read last; 0 if there is none. */
    private static int lastCut(CharSequence text, int from) {
        for (int i = text.length() - 1; i >= Math.max(1, from); i--) {
            if (text.charAt(i) == ' ' && Character.isLetterOrDigit(text.charAt(i - 1))) {
                return i;
            }
        }
        return 0;
    }

    /** A part of the text; a word does not go on in the next one. */
    private void add(String part) {
        int[] more = tokenizer.encode(part, null, PLAIN).ids();
        if (count + more.length > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(Math.addExact(count, more.length), (int) Math.min(Integer.MAX_VALUE - 8L,
                    2L * ids.length)));
        }
        System.arraycopy(more, 0, ids, count, more.length);
        count += more.length;
        boolean inWord = false;
        for (int i = 0; i < part.length(); i++) {
            boolean space = Character.isWhitespace(part.charAt(i));
            words += !space && !inWord ? 1 : 0;
            inWord = !space;
        }
        bytes += part.getBytes(StandardCharsets.UTF_8).length;
    }

    /** The tokens, without any that the tokenizer puts around a text. */
    int[] ids() {
        return Arrays.copyOf(ids, count);
    }

    /** Runs of characters that are no white space. */
    long words() {
        return words;
    }

    /** Of the text in UTF-8. */
    long bytes() {
        return bytes;
    }
}
