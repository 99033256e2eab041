package org.vecformer.tokenizer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;

/** What all tokenizers share: tokens by id, roles, and how encoded texts are put together. */
abstract sealed class SubwordTokenizer implements Tokenizer
        permits BytePairTokenizer, OpenAiGptTokenizer, WordPieceTokenizer {
    private static final byte ADDED = 1;
    private static final byte SPECIAL = 2;

    /** The tokens by id, null in holes. Not to be changed. */
    final String[] tokens;
    private final Vocabulary vocabulary;
    private final Map<String, Integer> addedIds = new HashMap<>();
    /** By id: whether a token was added to the model's or is special. */
    private final byte[] kinds;
    private final SharedSettings settings;
    private final EncodingAssembler assembler;
    private final int[] before;
    private final int[] after;

    /**
     * What the files say about any kind of tokenizer.
     *
     * @param padLeft whether shorter texts are filled up at their start
     * @param truncateLeft whether longer texts lose their start
     */
    record SharedSettings(List<AddedToken> added, SpecialIds specialIds, Template template, OptionalInt maximumLength,
            boolean padLeft, boolean truncateLeft) {}

    SubwordTokenizer(Vocabulary vocabulary, SharedSettings settings) {
        this.vocabulary = vocabulary;
        this.settings = settings;
        int size = vocabulary.size();
        for (AddedToken token : settings.added()) {
            size = Math.max(size, token.id() + 1);
        }
        tokens = new String[size];
        kinds = new byte[size];
        for (int id = 0; id < size; id++) {
            tokens[id] = vocabulary.token(id);
        }
        for (AddedToken token : settings.added()) {
            addedIds.put(token.content(), token.id());
            if (tokens[token.id()] == null) {
                tokens[token.id()] = token.content();
                kinds[token.id()] |= ADDED;
            }
            if (token.special()) {
                kinds[token.id()] |= SPECIAL;
            }
        }
        before = settings.template().aroundSingle(true);
        after = settings.template().aroundSingle(false);
        assembler = new EncodingAssembler(tokens, settings.template(), this, settings.truncateLeft());
    }

    /** What kind it is, for a message. */
    abstract String kind();

    /** Appends the ids of a text without special tokens around it. */
    abstract void appendIds(char[] text, IntList ids);

    /** The ids of a text without special tokens around it, with words and offsets. */
    abstract EncodedText encodeText(char[] text);

    @Override
    public final int[] ids(CharSequence text) {
        char[] chars = text.toString().toCharArray();
        IntList ids = new IntList(chars.length / 3 + 8);
        ids.addAll(before, before.length);
        appendIds(chars, ids);
        ids.addAll(after, after.length);
        return ids.toArray();
    }

    @Override
    public final Encoding encode(CharSequence text, CharSequence pair, EncodingOptions options) {
        return assemble(text, pair, options, false).getFirst();
    }

    @Override
    public final List<Encoding> windows(CharSequence text, CharSequence pair, EncodingOptions options) {
        return List.copyOf(assemble(text, pair, options, true));
    }

    private List<Encoding> assemble(CharSequence text, CharSequence pair, EncodingOptions options, boolean all) {
        Objects.requireNonNull(options, "options");
        EncodedText first = encodeText(text.toString().toCharArray());
        EncodedText second = pair == null ? null : encodeText(pair.toString().toCharArray());
        return assembler.assemble(first, second, options, all);
    }

    /** Whether the id is of a token that the model's own vocabulary does not have. */
    final boolean isAdded(int id) {
        return (kinds[id] & ADDED) != 0;
    }

    /** Whether an id stands for nothing when it is decoded. */
    final boolean isSilent(int id, boolean skipSpecialTokens) {
        if (id < 0) {
            throw new IllegalArgumentException("token id " + id + " is negative");
        }
        return !contains(id) || skipSpecialTokens && isSpecial(id);
    }

    @Override
    public final int vocabularySize() {
        return tokens.length;
    }

    @Override
    public final boolean contains(int id) {
        return id >= 0 && id < tokens.length && tokens[id] != null;
    }

    @Override
    public final String token(int id) {
        if (!contains(id)) {
            throw new IllegalArgumentException(
                    "no token has the id " + id + ", the vocabulary has ids from 0 to " + (tokens.length - 1));
        }
        return tokens[id];
    }

    @Override
    public final OptionalInt id(String token) {
        Integer added = addedIds.get(token);
        int id = added != null ? added : vocabulary.find(token);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    @Override
    public final boolean isSpecial(int id) {
        return contains(id) && (kinds[id] & SPECIAL) != 0;
    }

    @Override
    public final OptionalInt beginOfText() {
        return settings.specialIds().begin();
    }

    @Override
    public final OptionalInt endOfText() {
        return settings.specialIds().end();
    }

    @Override
    public final OptionalInt padding() {
        return settings.specialIds().padding();
    }

    @Override
    public final OptionalInt unknown() {
        return settings.specialIds().unknown();
    }

    @Override
    public final OptionalInt mask() {
        return settings.specialIds().mask();
    }

    @Override
    public final OptionalInt classification() {
        return settings.specialIds().classification();
    }

    @Override
    public final OptionalInt separator() {
        return settings.specialIds().separator();
    }

    @Override
    public final OptionalInt maximumLength() {
        return settings.maximumLength();
    }

    @Override
    public final boolean padsLeft() {
        return settings.padLeft();
    }
}
