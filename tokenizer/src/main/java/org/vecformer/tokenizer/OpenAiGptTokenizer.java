package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Byte pair encoding as OpenAI GPT has it (Radford et al. 2018, openai/finetune-transformer-lm {@code
 * text_utils.py}), in the dialect of the Hugging Face tokenizers library: the text is cleaned, lower-cased and stripped
 * of its accents and cut at white space and punctuation, all as BERT does (the original had spaCy and ftfy for it); a
 * word is its characters, the last with the mark {@code </w>}, and the pairs of lowest rank merge. A character that the
 * vocabulary lacks is unknown. Immutable and thread-safe; a bounded cache of short words is shared by all threads.
 */
public final class OpenAiGptTokenizer extends SubwordTokenizer {
    private static final String END = LetterSpelling.END;

    private final MergeTable merges;
    private final BertRun.Rules rules;
    private final LetterSpelling spelling;
    private final int unknownId;
    private final WordCache cache = new WordCache();

    OpenAiGptTokenizer(OpenAiGptModel model, SharedSettings settings, int unknownId) {
        super(model.vocabulary(), settings);
        this.unknownId = unknownId;
        merges = model.merges();
        spelling = new LetterSpelling(model.vocabulary(), unknownId);
        rules = BertRun.Rules.of(model.normalizer(), settings.added());
    }

    /**
     * Loads the tokenizer of a model directory, see {@link Tokenizer#load(Path)}.
     *
     * @throws TokenizerException if the files are missing, damaged, contradictory or not of OpenAI GPT's kind
     * @throws IOException if a file cannot be read
     */
    public static OpenAiGptTokenizer load(Path directory) throws IOException {
        return TokenizerFiles.load(directory, OpenAiGptTokenizer.class, "OpenAI GPT's BPE");
    }

    @Override
    String kind() {
        return "OpenAI GPT's BPE";
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
        private final WordEncoder encoder = new WordEncoder(merges, spelling, cache);
        /** The ids of one word; null if it is not asked where they lie. */
        private final IntList ofWord;

        Run(char[] text, IntList ids) {
            super(rules, text, ids);
            ofWord = null;
        }

        Run(char[] text) {
            super(rules, text);
            ofWord = new IntList(8);
        }

        @Override
        void spell(BertNormalizer.Normalized normalized, int from, int to) {
            char[] chars = normalized.chars();
            if (ofWord == null) {
                encoder.encode(chars, from, to, ids());
                return;
            }
            ofWord.cut(0);
            encoder.encode(chars, from, to, ofWord);
            int last = ofWord.size() - 1;
            int at = from;
            for (int i = 0; i < last; i++) {
                int id = ofWord.get(i);
                // Merges of the unknown token, which no training makes, would lead beyond the word.
                int start = Math.min(at, to - 1);
                at = Math.min(to, start + (id == unknownId
                        ? Character.charCount(Utf8.codePoint(chars, start, to))
                        : tokens[id].length()));
                token(normalized, id, start, at);
            }
            token(normalized, ofWord.get(last), Math.min(at, to - 1), to);
        }
    }

    /** The text of the ids: a space where a word ended, but for the last. */
    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        WordPieces pieces = new WordPieces(skipSpecialTokens);
        StringBuilder text = new StringBuilder(6 * Math.min(ids.length, 1 << 20));
        for (int id : ids) {
            pieces.accept(id, text);
        }
        pieces.finish(text);
        return text.toString();
    }

    @Override
    public byte[] decodeBytes(int[] ids) {
        return Utf8.encode(decode(ids, false));
    }

    @Override
    public byte[] tokenBytes(int id, boolean first) {
        if (isSilent(id, false)) {
            return new byte[0];
        }
        return Utf8.encode(isAdded(id) ? tokens[id] : tokens[id].replace(END, " "));
    }

    @Override
    public StreamingDecoder streamingDecoder(boolean skipSpecialTokens) {
        return new StreamingDecoder(new WordPieces(skipSpecialTokens));
    }

    @Override
    public String continuingPrefix() {
        return "";
    }

    /** Whether there is a space where a word ends is known with the next token. */
    private final class WordPieces implements StreamingDecoder.Pieces {
        private final boolean skipSpecialTokens;
        /** What waits for the next token: the last one from its mark on. */
        private String waiting = "";

        WordPieces(boolean skipSpecialTokens) {
            this.skipSpecialTokens = skipSpecialTokens;
        }

        @Override
        public void accept(int id, StringBuilder text) {
            if (isSilent(id, skipSpecialTokens)) {
                return;
            }
            flush(" ", text);
            String token = tokens[id];
            int mark = isAdded(id) ? -1 : token.indexOf(END);
            text.append(token, 0, mark < 0 ? token.length() : mark);
            waiting = mark < 0 ? "" : mark == token.length() - END.length() ? END : token.substring(mark);
        }

        @Override
        public void finish(StringBuilder text) {
            flush("", text);
            waiting = "";
        }

        private void flush(String space, StringBuilder text) {
            text.append(waiting.equals(END) ? space : waiting.replace(END, space));
        }
    }
}
