package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Byte-level byte pair encoding as GPT-2 has it (Radford et al. 2019, openai/gpt-2 {@code encoder.py}): every string
 * can be encoded, and decoding gives it back. Immutable and thread-safe; a bounded cache of short words is shared by
 * all threads.
 */
public final class BytePairTokenizer implements Tokenizer {
    private static final byte ADDED = 1;
    private static final byte SPECIAL = 2;
    private static final byte[] NO_BYTES = {};

    private final BytePairModel model;
    private final int[] byteIds;
    /** The id that spells bytes the vocabulary lacks; -1 if it lacks none. */
    private final int unknownByte;
    private final SpecialIds specialIds;
    private final AddedTokens addedTokens;
    private final Map<String, Integer> addedIds = new HashMap<>();
    private final WordCache cache = new WordCache();
    /** By id: the tokens, null in holes, and whether they were added to the model's or are special. */
    private final String[] tokens;
    private final byte[] kinds;

    BytePairTokenizer(BytePairModel model, List<AddedToken> added, SpecialIds specialIds, int[] byteIds) {
        this.model = model;
        this.byteIds = byteIds;
        this.specialIds = specialIds;
        addedTokens = new AddedTokens(added);
        int size = model.vocabulary().size();
        for (AddedToken token : added) {
            size = Math.max(size, token.id() + 1);
        }
        tokens = new String[size];
        kinds = new byte[size];
        for (int id = 0; id < size; id++) {
            tokens[id] = model.vocabulary().token(id);
        }
        for (AddedToken token : added) {
            addedIds.put(token.content(), token.id());
            if (tokens[token.id()] == null) {
                tokens[token.id()] = token.content();
                kinds[token.id()] |= ADDED;
            }
            if (token.special()) {
                kinds[token.id()] |= SPECIAL;
            }
        }
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
        return TokenizerFiles.load(directory);
    }

    @Override
    public int[] ids(CharSequence text) {
        return encode(text.toString().toCharArray(), null).toArray();
    }

    @Override
    public Encoding encode(CharSequence text) {
        char[] chars = text.toString().toCharArray();
        OffsetTracker tracker = new OffsetTracker(chars, chars.length / 3 + 8, model.trim());
        int[] ids = encode(chars, tracker).toArray();
        List<String> names = new ArrayList<>(ids.length);
        for (int id : ids) {
            names.add(tokens[id]);
        }
        return new Encoding(ids, names, tracker.offsets());
    }

    /** The ids of a text; where they lie is told to the tracker unless it is null. */
    private IntList encode(char[] text, OffsetTracker tracker) {
        IntList ids = new IntList(text.length / 3 + 8);
        WordEncoder words = new WordEncoder(model.merges(), byteIds, cache);
        addAround(model.template().before(), ids, tracker);
        IntList found = addedTokens.find(text);
        int from = 0;
        for (int i = 0; i < found.size(); i += 3) {
            encodePlain(text, from, found.get(i), words, ids, tracker);
            from = found.get(i + 1);
            ids.add(found.get(i + 2));
            if (tracker != null) {
                tracker.added(found.get(i), from);
            }
        }
        encodePlain(text, from, text.length, words, ids, tracker);
        addAround(model.template().after(), ids, tracker);
        return ids;
    }

    private static void addAround(int[] around, IntList ids, OffsetTracker tracker) {
        ids.addAll(around, around.length);
        for (int i = 0; tracker != null && i < around.length; i++) {
            tracker.outside();
        }
    }

    private void encodePlain(char[] text, int from, int to, WordEncoder words, IntList ids, OffsetTracker tracker) {
        if (from == to) {
            return;
        }
        int firstId = ids.size();
        boolean putSpace = model.addPrefixSpace() && text[from] != ' ';
        if (putSpace) {
            char[] spaced = new char[to - from + 1];
            spaced[0] = ' ';
            System.arraycopy(text, from, spaced, 1, to - from);
            encodeWords(spaced, 0, spaced.length, words, ids);
        } else {
            encodeWords(text, from, to, words, ids);
        }
        if (tracker != null) {
            tracker.segment(from, putSpace);
            for (int i = firstId; i < ids.size(); i++) {
                tracker.token(tokens[ids.get(i)], spelledBytes(ids.get(i)));
            }
        }
    }

    private void encodeWords(char[] text, int from, int to, WordEncoder words, IntList ids) {
        if (!model.splitWords()) {
            words.encode(text, from, to, ids);
            return;
        }
        for (int start = from; start < to;) {
            int end = PreTokenizer.next(text, start, to);
            words.encode(text, start, end, ids);
            start = end;
        }
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

    private byte[] bytes(int id, boolean skipSpecialTokens) {
        if (id < 0) {
            throw new IllegalArgumentException("token id " + id + " is negative");
        }
        if (!contains(id) || skipSpecialTokens && isSpecial(id)) {
            return NO_BYTES;
        }
        // An added token was found in the text as it stands; only the model's own tokens are spelt in bytes.
        return (kinds[id] & ADDED) != 0 ? Utf8.encode(tokens[id]) : ByteAlphabet.bytes(tokens[id]);
    }

    @Override
    public StreamingDecoder streamingDecoder(boolean skipSpecialTokens) {
        return new StreamingDecoder(this::bytes, skipSpecialTokens);
    }

    @Override
    public int vocabularySize() {
        return tokens.length;
    }

    @Override
    public boolean contains(int id) {
        return id >= 0 && id < tokens.length && tokens[id] != null;
    }

    @Override
    public String token(int id) {
        if (!contains(id)) {
            throw new IllegalArgumentException(
                    "no token has the id " + id + ", the vocabulary has ids from 0 to " + (tokens.length - 1));
        }
        return tokens[id];
    }

    @Override
    public OptionalInt id(String token) {
        Integer added = addedIds.get(token);
        int id = added != null ? added : model.vocabulary().find(token);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    @Override
    public boolean isSpecial(int id) {
        return contains(id) && (kinds[id] & SPECIAL) != 0;
    }

    @Override
    public OptionalInt beginOfText() {
        return specialIds.begin();
    }

    @Override
    public OptionalInt endOfText() {
        return specialIds.end();
    }

    @Override
    public OptionalInt padding() {
        return specialIds.padding();
    }

    @Override
    public OptionalInt unknown() {
        return specialIds.unknown();
    }
}
