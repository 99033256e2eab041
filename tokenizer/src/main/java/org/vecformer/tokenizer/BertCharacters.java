package org.vecformer.tokenizer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Which characters are what to BERT. The categories are those of the reference, the Hugging Face tokenizers library,
 * whose tables are older than this JDK's (about Unicode 8): {@code bert-characters.txt} holds all of them, so that no
 * newer JDK changes what a text is to a model. For canonical decomposition and lower case, where Unicode promises not
 * to change what it once said, the file holds the reference's exceptions from the JDK's.
 */
final class BertCharacters {
    /** Left out by cleaning. */
    static final int DROPPED = 1;
    /** White space. */
    static final int SPACE = 2;
    /** Punctuation, a word of its own. */
    static final int PUNCTUATION = 4;
    /** A CJK ideograph. */
    static final int CHINESE = 8;
    /** A nonspacing mark, left out by accent stripping. */
    static final int MARK = 16;

    static final int CAPITAL_I_WITH_DOT = 0x130;
    static final int DOT_ABOVE = 0x307;

    private static final String RESOURCE = "bert-characters.txt";
    private static final int PAGE_BITS = 8;
    private static final int PAGE = 1 << PAGE_BITS;
    /** By page of 256 code points the kinds; equal pages are one array. */
    private static final byte[][] PAGES = new byte[(Character.MAX_CODE_POINT + 1) / PAGE][];
    private static final Map<Integer, Integer> LOWER = new HashMap<>();
    /** What decompositions were asked for so far; a race only finds one twice. */
    private static final String[][] DECOMPOSED = new String[PAGES.length][];
    /** Stands for a character that stays as it is. */
    private static final String SAME = new String("same");

    private static final int HANGUL = 0xAC00;
    private static final int HANGUL_COUNT = 11172;
    private static final int HANGUL_VOWELS = 21;
    private static final int HANGUL_TAILS = 28;

    static {
        byte[] kinds = new byte[Character.MAX_CODE_POINT + 1];
        boolean[] atomic = new boolean[0];
        try (InputStream in = BertCharacters.class.getResourceAsStream(RESOURCE);
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
            int kind = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.isEmpty() || line.startsWith("#")) {
                    continue;
                }
                if (!line.startsWith(" ")) {
                    kind = switch (line) {
                        case "dropped" -> DROPPED;
                        case "space" -> SPACE;
                        case "punctuation" -> PUNCTUATION;
                        case "chinese" -> CHINESE;
                        case "mark" -> MARK;
                        case "undecomposed" -> -1;
                        case "lower" -> -2;
                        default -> throw new IllegalStateException(RESOURCE + ": " + line);
                    };
                    continue;
                }
                for (String range : line.strip().split(" ")) {
                    add(range, kind, kinds);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        byte[] none = new byte[PAGE];
        for (int page = 0; page < PAGES.length; page++) {
            byte[] own = Arrays.copyOfRange(kinds, page << PAGE_BITS, page + 1 << PAGE_BITS);
            PAGES[page] = Arrays.equals(own, none) ? none : own;
        }
    }

    private BertCharacters() {}

    private static void add(String range, int kind, byte[] kinds) {
        if (kind == -2) {
            int arrow = range.indexOf('>');
            LOWER.put(Integer.parseInt(range, 0, arrow, 16), Integer.parseInt(range, arrow + 1, range.length(), 16));
            return;
        }
        int dash = range.indexOf('-');
        int first = Integer.parseInt(range, 0, dash < 0 ? range.length() : dash, 16);
        int last = dash < 0 ? first : Integer.parseInt(range, dash + 1, range.length(), 16);
        for (int codePoint = first; codePoint <= last; codePoint++) {
            if (kind == -1) {
                page(codePoint)[codePoint & PAGE - 1] = SAME;
            } else {
                kinds[codePoint] |= (byte) kind;
            }
        }
    }

    /** All that a character is, one bit each. */
    static int kind(int codePoint) {
        return PAGES[codePoint >> PAGE_BITS][codePoint & PAGE - 1];
    }

    /** The lower case of one character; {@link #CAPITAL_I_WITH_DOT} is the one whose lower case has two. */
    static int lowerCase(int codePoint) {
        if (codePoint < 0x80) {
            return codePoint >= 'A' && codePoint <= 'Z' ? codePoint + ('a' - 'A') : codePoint;
        }
        int lower = Character.toLowerCase(codePoint);
        return lower == codePoint && codePoint >= 0xA000 ? LOWER.getOrDefault(codePoint, codePoint) : lower;
    }

    /** The canonical decomposition of a character without its nonspacing marks; null if that is the character. */
    static String withoutAccents(int codePoint) {
        if (codePoint < 0x80) {
            return null;
        }
        String[] page = page(codePoint);
        String known = page[codePoint & PAGE - 1];
        if (known == null) {
            known = decompose(codePoint);
            page[codePoint & PAGE - 1] = known;
        }
        return known == SAME ? null : known;
    }

    private static String[] page(int codePoint) {
        String[] page = DECOMPOSED[codePoint >> PAGE_BITS];
        if (page == null) {
            page = new String[PAGE];
            DECOMPOSED[codePoint >> PAGE_BITS] = page;
        }
        return page;
    }

    private static String decompose(int codePoint) {
        String given = Character.toString(codePoint);
        String decomposed = Normalizer.normalize(given, Normalizer.Form.NFD);
        StringBuilder kept = new StringBuilder();
        for (int at = 0; at < decomposed.length();) {
            int part = decomposed.codePointAt(at);
            if ((kind(part) & MARK) == 0) {
                kept.appendCodePoint(part);
            }
            at += Character.charCount(part);
        }
        return kept.compareTo(new StringBuilder(given)) == 0 ? SAME : kept.toString();
    }
}
