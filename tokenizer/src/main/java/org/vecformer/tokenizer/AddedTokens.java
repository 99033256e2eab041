package org.vecformer.tokenizer;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;

/**
 * Finds added tokens in text: leftmost first, of several that start together the longest. Tokens that are not
 * "normalized" come first, over the whole text; the others are looked for in what is left, as in the reference.
 */
final class AddedTokens {
    private final Trie first = new Trie();
    private final Trie second = new Trie();

    AddedTokens(Collection<AddedToken> tokens) {
        for (AddedToken token : tokens) {
            // The reference never finds an empty token either.
            if (!token.content().isEmpty()) {
                (token.normalized() ? second : first).add(token);
            }
        }
    }

    /** Start, end and id of each added token in the text, in order. */
    IntList find(char[] text) {
        IntList found = new IntList(0);
        first.find(text, 0, text.length, found);
        if (second.isEmpty()) {
            return found;
        }
        IntList both = new IntList(found.size());
        int from = 0;
        for (int i = 0; i < found.size(); i += 3) {
            second.find(text, from, found.get(i), both);
            both.add(found.get(i));
            both.add(found.get(i + 1));
            both.add(found.get(i + 2));
            from = found.get(i + 1);
        }
        second.find(text, from, text.length, both);
        return both;
    }

    private static final class Trie {
        private final Node root = new Node();
        /** One bit for each character that starts a token, so that plain text costs next to nothing. */
        private final long[] firstCharacters = new long[1 << 10];

        boolean isEmpty() {
            return root.children.isEmpty();
        }

        void add(AddedToken token) {
            char start = token.content().charAt(0);
            firstCharacters[start >>> 6] |= 1L << start;
            Node node = root;
            for (int i = 0; i < token.content().length(); i++) {
                node = node.children.computeIfAbsent(token.content().charAt(i), c -> new Node());
            }
            node.token = token;
        }

        void find(char[] text, int from, int to, IntList found) {
            if (isEmpty()) {
                return;
            }
            int taken = from;
            int at = from;
            while (at < to) {
                char c = text[at];
                AddedToken token = (firstCharacters[c >>> 6] & 1L << c) != 0 ? longest(text, at, to) : null;
                if (token == null) {
                    at++;
                    continue;
                }
                int start = at;
                int end = at + token.content().length();
                at = end;
                if (start < taken
                        || token.singleWord() && (isWordBefore(text, from, start) || isWordAt(text, end, to))) {
                    continue;
                }
                if (token.lstrip()) {
                    while (start > taken && PreTokenizer.isSpace(text[start - 1])) {
                        start--;
                    }
                }
                if (token.rstrip()) {
                    while (end < to && PreTokenizer.isSpace(text[end])) {
                        end++;
                    }
                }
                found.add(start);
                found.add(end);
                found.add(token.id());
                taken = end;
            }
        }

        private AddedToken longest(char[] text, int from, int to) {
            AddedToken longest = null;
            Node node = root;
            for (int at = from; at < to; at++) {
                node = node.children.get(text[at]);
                if (node == null) {
                    break;
                }
                if (node.token != null) {
                    longest = node.token;
                }
            }
            return longest;
        }

        private static boolean isWordBefore(char[] text, int from, int at) {
            return at > from && isWord(Character.codePointBefore(text, at, from));
        }

        private static boolean isWordAt(char[] text, int at, int to) {
            return at < to && isWord(Character.codePointAt(text, at, to));
        }

        /** The word characters of UTS 18: Alphabetic, M, Nd, Pc and Join_Control. */
        private static boolean isWord(int codePoint) {
            if (Character.isAlphabetic(codePoint) || codePoint == 0x200C || codePoint == 0x200D) {
                return true;
            }
            return switch (Character.getType(codePoint)) {
                case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.COMBINING_SPACING_MARK,
                        Character.DECIMAL_DIGIT_NUMBER, Character.CONNECTOR_PUNCTUATION ->
                    true;
                default -> false;
            };
        }
    }

    private static final class Node {
        private final Map<Character, Node> children = new HashMap<>();
        private AddedToken token;
    }
}
