package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * WordPiece as BERT has it (Devlin et al. 2018; google-research/bert {@code tokenization.py}), in the dialect of the
 * Hugging Face tokenizers library: the text is cleaned and, where the model says so, lower-cased and stripped of its
 * accents; it is cut at white space and punctuation; each word is spelt by the longest token that it begins with, then
 * by the longest that continues it. Immutable and thread-safe.
 */
public final class WordPieceTokenizer extends SubwordTokenizer {
    private final WordPieceModel model;
    private final BertRun.Rules rules;
    private final PieceTable words = new PieceTable();
    private final PieceTable continuations = new PieceTable();
    private final long[] powers;
    private final int unknownId;

    WordPieceTokenizer(WordPieceModel model, SharedSettings settings, int unknownId) {
        super(model.vocabulary(), settings);
        this.model = model;
        this.unknownId = unknownId;
        rules = BertRun.Rules.of(model.normalizer(), settings.added(), model.neverSplit());
        // A word has at most so many characters.
        int longest = 2 * model.longestWord();
        int prefix = model.prefix().length();
        for (int id = 0; id < model.vocabulary().size(); id++) {
            String token = model.vocabulary().token(id);
            if (token == null || token.isEmpty()) {
                continue;
            }
            if (token.length() <= longest) {
                words.add(token, 0, id);
            }
            if (token.length() > prefix && token.length() - prefix <= longest && token.startsWith(model.prefix())) {
                continuations.add(token, prefix, id);
            }
        }
        powers = PieceTable.powers(Math.max(words.longest(), continuations.longest()));
    }

    /**
     * Loads the tokenizer of a model directory, see {@link Tokenizer#load(Path)}.
     *
     * @throws TokenizerException if the files are missing, damaged, contradictory or not WordPiece
     * @throws IOException if a file cannot be read
     */
    public static WordPieceTokenizer load(Path directory) throws IOException {
        return TokenizerFiles.load(directory, WordPieceTokenizer.class, "WordPiece");
    }

    @Override
    String kind() {
        return "WordPiece";
    }

    @Override
    void appendIds(char[] text, IntList ids) {
        new Run(text, ids).run();
    }

    @Override
    EncodedText encodeText(char[] text) {
        return new Run(text).encoded();
    }

    /** The work on one text. */
    private final class Run extends BertRun {
        /** The hashes of the beginnings of a word. */
        private long[] hashes = {};

        Run(char[] text, IntList ids) {
            super(rules, text, ids);
        }

        Run(char[] text) {
            super(rules, text);
        }

        @Override
        void spell(BertNormalizer.Normalized normalized, int from, int to) {
            char[] chars = normalized.chars();
            int length = to - from;
            if (length > model.longestWord() && Character.codePointCount(chars, from, length) > model.longestWord()) {
                token(normalized, unknownId, from, to);
                return;
            }
            if (length <= words.longest()) {
                // Most words are tokens as they are.
                long hash = 0;
                for (int i = from; i < to; i++) {
                    hash = PieceTable.roll(hash, chars[i]);
                }
                int id = words.find(chars, from, to, hash);
                if (id >= 0) {
                    token(normalized, id, from, to);
                    return;
                }
            }
            spellInPieces(normalized, from, to);
        }

        /** Greedily, the longest token first. */
        private void spellInPieces(BertNormalizer.Normalized normalized, int from, int to) {
            char[] chars = normalized.chars();
            int length = to - from;
            if (hashes.length <= length) {
                hashes = new long[Math.max(64, 2 * length)];
            }
            long rolled = 0;
            for (int i = 0; i < length; i++) {
                rolled = PieceTable.roll(rolled, chars[from + i]);
                hashes[i + 1] = rolled;
            }
            int firstId = ids().size();
            PieceTable table = words;
            for (int at = from; at < to;) {
                int end = Math.min(to, at + table.longest());
                int id = -1;
                while (end > at) {
                    id = table.find(chars, at, end, hashes[end - from] - hashes[at - from] * powers[end - at]);
                    if (id >= 0) {
                        break;
                    }
                    end--;
                }
                if (id < 0) {
                    cut(firstId);
                    token(normalized, unknownId, from, to);
                    return;
                }
                token(normalized, id, at, end);
                at = end;
                table = continuations;
            }
        }
    }

    /** The text of the ids, cleaned up as the model's decoder has it (by default no space before {@code . , ? !}). */
    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        return decode(ids, skipSpecialTokens, model.cleanUp());
    }

    /**
     * The text of the ids.
     *
     * @param cleanUp whether spaces before punctuation are left out
     */
    public String decode(int[] ids, boolean skipSpecialTokens, boolean cleanUp) {
        WordPieces pieces = new WordPieces(skipSpecialTokens, cleanUp);
        StringBuilder text = new StringBuilder(6 * Math.min(ids.length, 1 << 20));
        for (int id : ids) {
            pieces.accept(id, text);
        }
        return text.toString();
    }

    @Override
    public byte[] decodeBytes(int[] ids) {
        return Utf8.encode(decode(ids, false));
    }

    @Override
    public byte[] tokenBytes(int id, boolean first) {
        WordPieces pieces = new WordPieces(false, model.cleanUp());
        pieces.begun = !first;
        StringBuilder text = new StringBuilder();
        pieces.accept(id, text);
        return Utf8.encode(text.toString());
    }

    @Override
    public StreamingDecoder streamingDecoder(boolean skipSpecialTokens) {
        return new StreamingDecoder(new WordPieces(skipSpecialTokens, model.cleanUp()));
    }

    @Override
    public String continuingPrefix() {
        return model.prefix();
    }

    /** Writes a space before each token but the first and those that continue a word. */
    private final class WordPieces implements StreamingDecoder.Pieces {
        private final boolean skipSpecialTokens;
        private final boolean cleanUp;
        private boolean begun;

        WordPieces(boolean skipSpecialTokens, boolean cleanUp) {
            this.skipSpecialTokens = skipSpecialTokens;
            this.cleanUp = cleanUp;
        }

        @Override
        public void accept(int id, StringBuilder text) {
            if (isSilent(id, skipSpecialTokens)) {
                return;
            }
            String token = tokens[id];
            String piece = !begun
                    ? token
                    : token.startsWith(model.prefix()) ? token.substring(model.prefix().length()) : " " + token;
            begun = true;
            text.append(cleanUp ? cleanedUp(piece) : piece);
        }

        @Override
        public void finish(StringBuilder text) {
            begun = false;
        }
    }

    /** As {@code decoders/wordpiece.rs} of the reference does it: token by token, so that no token waits for another. */
    private static String cleanedUp(String piece) {
        if (piece.indexOf(' ') < 0) {
            return piece;
        }
        return piece.replace(" .", ".").replace(" ?", "?").replace(" !", "!").replace(" ,", ",").replace(" ' ", "'")
                .replace(" n't", "n't").replace(" 'm", "'m").replace(" do not", " don't").replace(" 's", "'s")
                .replace(" 've", "'ve").replace(" 're", "'re");
    }
}
