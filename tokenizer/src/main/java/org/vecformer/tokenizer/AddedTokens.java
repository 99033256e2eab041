package org.vecformer.tokenizer;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Finds added tokens in text: leftmost first, of several that start together the longest. Tokens that are not
 * "normalized" come first, over the whole text; the others are looked for in what is left, after normalization where
 * the tokenizer has one, as in the reference.
 */
final class AddedTokens {
    private final Trie first = new Trie();
    private final Trie second = new Trie();

    /** For a tokenizer that does not normalize. */
    AddedTokens(Collection<AddedToken> tokens) {
        this(tokens, UnaryOperator.identity());
    }

    /** With what is done to text, and so to the tokens looked for in it, before the normalized tokens are looked for. */
    AddedTokens(Collection<AddedToken> tokens, UnaryOperator<String> normalizer) {
        for (AddedToken token : tokens) {
            if (token.normalized()) {
                second.add(token, normalizer.apply(token.content()));
            } else {
                first.add(token, token.content());
            }
        }
    }

    /** Start, end and id of each added token in a text that needs no normalization, in order. */
    IntList find(char[] text) {
        IntList found = findFirst(text, 0, text.length);
        if (!hasNormalized()) {
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

    /** Start, end and id of each added token that is looked for in text as it was given, in order. */
    IntList findFirst(char[] text, int from, int to) {
        IntList found = new IntList(0);
        first.find(text, from, to, found);
        return found;
    }

    /** Whether there are tokens to look for in the normalized text. */
    boolean hasNormalized() {
        return !second.isEmpty();
    }

    /** Start, end and id of each added token in a part of the text that is normalized already, in order. */
    IntList findNormalized(char[] text, int from, int to) {
        IntList found = new IntList(0);
        second.find(text, from, to, found);
        return found;
    }

    private static final class Trie {
        private final Node root = new Node();
        /** One bit for each character that starts a token, so that plain text costs next to nothing. */
        private final long[] firstCharacters = new long[1 << 10];

        boolean isEmpty() {
            return root.children.isEmpty();
        }

        void add(AddedToken token, String content) {
            if (content.isEmpty()) {
                // The reference never finds an empty token either.
                return;
            }
            char start = content.charAt(0);
            firstCharacters[start >>> 6] |= 1L << start;
            Node node = root;
            for (int i = 0; i < content.length(); i++) {
                node = node.children.computeIfAbsent(content.charAt(i), c -> new Node());
            }
            node.token = token;
            node.length = content.length();
        }

        void find(char[] text, int from, int to, IntList found) {
            if (isEmpty()) {
                return;
            }
            int taken = from;
            int at = from;
            while (at < to) {
                char c = text[at];
                Node match = (firstCharacters[c >>> 6] & 1L << c) != 0 ? longest(text, at, to) : null;
                if (match == null) {
                    at++;
                    continue;
                }
                AddedToken token = match.token;
                int start = at;
                int end = at + match.length;
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

        private Node longest(char[] text, int from, int to) {
            Node longest = null;
            Node node = root;
            for (int at = from; at < to; at++) {
                node = node.children.get(text[at]);
                if (node == null) {
                    break;
                }
                if (node.token != null) {
                    longest = node;
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
        /** The token that ends here, and how many characters of text it is. */
        private AddedToken token;
        private int length;
    }
}
