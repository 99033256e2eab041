package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Byte-level byte pair encoding as GPT-2 has it (Radford et al. 2019, openai/gpt-2 {@code encoder.py}): every string
 * can be encoded, and decoding gives it back. Immutable and thread-safe; a bounded cache of short words is shared by
 * all threads.
 */
public final class BytePairTokenizer extends SubwordTokenizer {
    private static final byte[] NO_BYTES = {};

    private final BytePairModel model;
    private final ByteSpelling spelling;
    /** The id that spells bytes the vocabulary lacks; -1 if it lacks none. */
    private final int unknownByte;
    private final AddedTokens addedTokens;
    private final WordCache cache = new WordCache();
    /** What each id spells; the ids that were decoded so far. */
    private final AtomicReferenceArray<byte[]> spelled;

    BytePairTokenizer(BytePairModel model, SharedSettings settings, int[] byteIds) {
        super(model.vocabulary(), settings);
        this.model = model;
        spelling = new ByteSpelling(byteIds);
        spelled = new AtomicReferenceArray<>(tokens.length);
        addedTokens = new AddedTokens(settings.added());
        int unknown = -1;
        for (int value = 0; value < byteIds.length; value++) {
            if (!String.valueOf(ByteAlphabet.symbol(value)).equals(tokens[byteIds[value]])) {
                unknown = byteIds[value];
            }
        }
        unknownByte = unknown;
    }

    /**
     * Loads the tokenizer of a model directory, see {@link Tokenizer#load(Path)}.
     *
     * @throws TokenizerException if the files are missing, damaged, contradictory or not byte-level BPE
     * @throws IOException if a file cannot be read
     */
    public static BytePairTokenizer load(Path directory) throws IOException {
        return TokenizerFiles.load(directory, BytePairTokenizer.class, "byte-level BPE");
    }

    @Override
    String kind() {
        return "byte-level BPE";
    }

    @Override
    void appendIds(char[] text, IntList ids) {
        encode(text, ids, null, null);
    }

    @Override
    EncodedText encodeText(char[] text) {
        IntList ids = new IntList(text.length / 3 + 8);
        IntList words = new IntList(text.length / 3 + 8);
        OffsetTracker tracker = new OffsetTracker(text, text.length / 3 + 8, model.trim());
        encode(text, ids, words, tracker);
        return new EncodedText(ids.toArray(), words.toArray(), tracker.offsets());
    }

    /** The ids of a text; where they lie, and in which words, is told to the tracker unless it is null. */
    private void encode(char[] text, IntList ids, IntList words, OffsetTracker tracker) {
        WordEncoder encoder = new WordEncoder(model.merges(), spelling, cache);
        IntList found = addedTokens.find(text);
        int from = 0;
        int word = 0;
        for (int i = 0; i < found.size(); i += 3) {
            word = encodePlain(text, from, found.get(i), encoder, ids, word, words, tracker);
            from = found.get(i + 1);
            ids.add(found.get(i + 2));
            if (tracker != null) {
                words.add(word++);
                tracker.added(found.get(i), from);
            }
        }
        encodePlain(text, from, text.length, encoder, ids, word, words, tracker);
    }

    /** Returns the index of the next word. */
    private int encodePlain(char[] text, int from, int to, WordEncoder encoder, IntList ids, int word, IntList words,
            OffsetTracker tracker) {
        if (from == to) {
            return word;
        }
        int firstId = ids.size();
        boolean putSpace = model.addPrefixSpace() && text[from] != ' ';
        int nextWord;
        if (putSpace) {
            char[] spaced = new char[to - from + 1];
            spaced[0] = ' ';
            System.arraycopy(text, from, spaced, 1, to - from);
            nextWord = encodeWords(spaced, 0, spaced.length, encoder, ids, word, words);
        } else {
            nextWord = encodeWords(text, from, to, encoder, ids, word, words);
        }
        if (tracker != null) {
            tracker.segment(from, putSpace);
            for (int i = firstId; i < ids.size(); i++) {
                tracker.token(tokens[ids.get(i)], spelledBytes(ids.get(i)));
            }
        }
        return nextWord;
    }

    private int encodeWords(char[] text, int from, int to, WordEncoder encoder, IntList ids, int firstWord,
            IntList words) {
        int word = firstWord;
        for (int start = from; start < to;) {
            int end = model.splitWords() ? PreTokenizer.next(text, start, to) : to;
            encoder.encode(text, start, end, ids);
            while (words != null && words.size() < ids.size()) {
                words.add(word);
            }
            word++;
            start = end;
        }
        return word;
    }

    /** How many bytes of plain text an id spells: one for each character of its token, since merges only join bytes. */
    private int spelledBytes(int id) {
        return id == unknownByte ? 1 : tokens[id].length();
    }

    @Override
    public String decode(int[] ids, boolean skipSpecialTokens) {
        byte[] bytes = join(ids, skipSpecialTokens);
        return Utf8Decoder.decode(bytes, bytes.length);
    }

    @Override
    public byte[] decodeBytes(int[] ids) {
        return join(ids, false);
    }

    @Override
    public byte[] tokenBytes(int id, boolean first) {
        return bytes(id, false).clone();
    }

    private byte[] join(int[] ids, boolean skipSpecialTokens) {
        byte[] joined = new byte[Math.max(16, (int) Math.min(6L * ids.length, Integer.MAX_VALUE - 8))];
        int length = 0;
        for (int id : ids) {
            byte[] bytes = bytes(id, skipSpecialTokens);
            if (bytes.length > joined.length - length) {
                int needed = Math.addExact(length, bytes.length);
                joined = Arrays.copyOf(joined, Math.max(needed, (int) Math.min(2L * needed, Integer.MAX_VALUE - 8)));
            }
            System.arraycopy(bytes, 0, joined, length, bytes.length);
            length += bytes.length;
        }
        return Arrays.copyOf(joined, length);
    }

    /** What an id spells, not to be changed. */
    private byte[] bytes(int id, boolean skipSpecialTokens) {
        if (isSilent(id, skipSpecialTokens)) {
            return NO_BYTES;
        }
        byte[] bytes = spelled.getAcquire(id);
        if (bytes == null) {
            // An added token was found in the text as it stands; only the model's own tokens are spelt in bytes.
            bytes = isAdded(id) ? Utf8.encode(tokens[id]) : ByteAlphabet.bytes(tokens[id]);
            spelled.setRelease(id, bytes);
        }
        return bytes;
    }

    @Override
    public StreamingDecoder streamingDecoder(boolean skipSpecialTokens) {
        return new StreamingDecoder(new BytePieces(skipSpecialTokens));
    }

    @Override
    public String continuingPrefix() {
        return "";
    }

    /** Bytes of an unfinished UTF-8 sequence wait for the ids that complete it, or show it to be malformed. */
    private final class BytePieces implements StreamingDecoder.Pieces {
        private final boolean skipSpecialTokens;
        private final Utf8Decoder decoder = new Utf8Decoder();

        BytePieces(boolean skipSpecialTokens) {
            this.skipSpecialTokens = skipSpecialTokens;
        }

        @Override
        public void accept(int id, StringBuilder text) {
            byte[] next = bytes(id, skipSpecialTokens);
            decoder.decode(next, next.length, text);
        }

        @Override
        public void finish(StringBuilder text) {
            decoder.finish(text);
        }
    }
}
