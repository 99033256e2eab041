package org.vecformer.tokenizer;

import java.util.List;

/**
 * The work on one text that is cleaned and cut into words as BERT does: finds the added tokens, normalizes what is
 * between them, has each word spelt, and keeps the ids, with their words and places where they are asked for.
 */
abstract class BertRun {
    private static final BertNormalizer UNCHANGED = new BertNormalizer(false, false, false, false);

    private final Rules rules;
    private final char[] text;
    private final IntList ids;
    /** Null if only ids are asked for. */
    private final IntList wordOf;
    private final IntList starts;
    private final IntList ends;
    private int word;

    /**
     * What a tokenizer does to every text.
     *
     * @param neverSplit the words that are never split; null if there are none
     */
    record Rules(BertNormalizer normalizer, AddedTokens addedTokens, AddedTokens neverSplit) {

        static Rules of(BertNormalizer normalizer, List<AddedToken> added) {
            return of(normalizer, added, List.of());
        }

        static Rules of(BertNormalizer normalizer, List<AddedToken> added, List<String> neverSplit) {
            return new Rules(normalizer, new AddedTokens(added, normalizer::normalize), neverSplit.isEmpty()
                    ? null
                    : new AddedTokens(neverSplit.stream().map(word -> AddedToken.special(0, word)).toList()));
        }
    }

    /** Only ids are asked for; they are appended. */
    BertRun(Rules rules, char[] text, IntList ids) {
        this.rules = rules;
        this.text = text;
        this.ids = ids;
        wordOf = null;
        starts = null;
        ends = null;
    }

    /** Words and places are asked for, too. */
    BertRun(Rules rules, char[] text) {
        this.rules = rules;
        this.text = text;
        int capacity = text.length / 4 + 8;
        ids = new IntList(capacity);
        wordOf = new IntList(capacity);
        starts = new IntList(capacity);
        ends = new IntList(capacity);
    }

    /** Puts the ids of one word, a range of normalized text that is not empty. */
    abstract void spell(BertNormalizer.Normalized normalized, int from, int to);

    final IntList ids() {
        return ids;
    }

    /** All that was asked for. */
    final EncodedText encoded() {
        run();
        return new EncodedText(ids.toArray(), wordOf.toArray(),
                Offsets.ofChars(text, starts.toArray(), ends.toArray()));
    }

    final void run() {
        IntList found = rules.addedTokens().findFirst(text, 0, text.length);
        int from = 0;
        for (int i = 0; i < found.size(); i += 3) {
            plain(from, found.get(i));
            from = found.get(i + 1);
            token(found.get(i + 2), found.get(i), from);
            word++;
        }
        plain(from, text.length);
    }

    private void token(int id, int start, int end) {
        ids.add(id);
        if (wordOf != null) {
            wordOf.add(word);
            starts.add(start);
            ends.add(end);
        }
    }

    /** A part of the text without the tokens that are found in the text as it was given. */
    private void plain(int from, int to) {
        int at = from;
        if (rules.neverSplit() != null) {
            IntList found = rules.neverSplit().findFirst(text, from, to);
            for (int i = 0; i < found.size(); i += 3) {
                int start = found.get(i);
                int end = found.get(i + 1);
                if ((start == from || PreTokenizer.isSpace(text[start - 1]))
                        && (end == to || PreTokenizer.isSpace(text[end]))) {
                    changed(at, start);
                    spell(UNCHANGED.normalize(text, start, end, wordOf != null), 0, end - start);
                    word++;
                    at = end;
                }
            }
        }
        changed(at, to);
    }

    /** A part of the text that is to be normalized. */
    private void changed(int from, int to) {
        if (from == to) {
            return;
        }
        BertNormalizer.Normalized normalized = rules.normalizer().normalize(text, from, to, wordOf != null);
        int at = 0;
        if (rules.addedTokens().hasNormalized()) {
            IntList found = rules.addedTokens().findNormalized(normalized.chars(), 0, normalized.length());
            for (int i = 0; i < found.size(); i += 3) {
                words(normalized, at, found.get(i));
                at = found.get(i + 1);
                token(normalized, found.get(i + 2), found.get(i), at);
                word++;
            }
        }
        words(normalized, at, normalized.length());
    }

    /** A token that is a range of normalized text. */
    final void token(BertNormalizer.Normalized normalized, int id, int from, int to) {
        ids.add(id);
        if (wordOf != null) {
            wordOf.add(word);
            starts.add(normalized.start(from));
            ends.add(normalized.end(to - 1));
        }
    }

    private void words(BertNormalizer.Normalized normalized, int from, int to) {
        char[] chars = normalized.chars();
        int start = BertWords.start(chars, from, to);
        while (start < to) {
            int end = BertWords.end(chars, start, to);
            spell(normalized, start, end);
            word++;
            start = BertWords.start(chars, end, to);
        }
    }

    /** Takes back what was told since there were so many ids. */
    final void cut(int size) {
        int firstRow = wordOf == null ? 0 : wordOf.size() - (ids.size() - size);
        ids.cut(size);
        if (wordOf != null) {
            wordOf.cut(firstRow);
            starts.cut(firstRow);
            ends.cut(firstRow);
        }
    }
}
