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
 * What each character is to BERT. The tables are those of the reference, the Hugging Face tokenizers library, which are
 * older than this JDK's (categories about Unicode 8, decompositions about Unicode 10); {@code bert-characters.txt} holds
 * them, so that no newer JDK changes what a text is to a model. The JDK answers only what Unicode promises not to change:
 * how a character decomposes that did when the tables were made, and lower case, for which the file has what the
 * reference knows beyond JDK 25.
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
    /** Has a canonical decomposition. */
    private static final int DECOMPOSED = 32;
    /** No starter: canonical ordering may move it. */
    static final int ORDERED = 64;
    /** The file has its lower case. */
    private static final int LOWERED = 128;

    static final int CAPITAL_I_WITH_DOT = 0x130;
    static final int DOT_ABOVE = 0x307;

    private static final String RESOURCE = "bert-characters.txt";
    private static final String ORDER = "order ";
    private static final int PAGE_BITS = 8;
    private static final int PAGE = 1 << PAGE_BITS;
    /** By page of 256 code points their kinds; pages without any are one array. */
    private static final byte[][] KINDS = new byte[(Character.MAX_CODE_POINT + 1) / PAGE][];
    private static final Map<Integer, Integer> LOWER = new HashMap<>();
    private static final Map<Integer, Integer> CLASSES = new HashMap<>();
    /** The decompositions that were asked for so far, by page; a race only finds one twice. */
    private static final String[][] DECOMPOSITIONS = new String[KINDS.length][];

    static {
        Arrays.fill(KINDS, new byte[PAGE]);
        byte[] none = KINDS[0];
        try (InputStream in = BertCharacters.class.getResourceAsStream(RESOURCE);
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
            String section = "";
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(" ")) {
                    for (String range : line.strip().split(" ")) {
                        add(section, range, none);
                    }
                } else {
                    section = line;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private BertCharacters() {}

    private static void add(String section, String range, byte[] none) {
        int arrow = range.indexOf('>');
        if (arrow >= 0) {
            int codePoint = Integer.parseInt(range, 0, arrow, 16);
            LOWER.put(codePoint, Integer.parseInt(range, arrow + 1, range.length(), 16));
            mark(codePoint, LOWERED, none);
            return;
        }
        int dash = range.indexOf('-');
        int first = Integer.parseInt(range, 0, dash < 0 ? range.length() : dash, 16);
        int last = dash < 0 ? first : Integer.parseInt(range, dash + 1, range.length(), 16);
        int bit = switch (section) {
            case "dropped" -> DROPPED;
            case "space" -> SPACE;
            case "punctuation" -> PUNCTUATION;
            case "chinese" -> CHINESE;
            case "mark" -> MARK;
            case "decomposed" -> DECOMPOSED;
            default -> ORDERED;
        };
        for (int codePoint = first; codePoint <= last; codePoint++) {
            mark(codePoint, bit, none);
            if (bit == ORDERED) {
                CLASSES.put(codePoint, Integer.parseInt(section, ORDER.length(), section.length(), 10));
            }
        }
    }

    private static void mark(int codePoint, int bit, byte[] none) {
        int page = codePoint >> PAGE_BITS;
        if (KINDS[page] == none) {
            KINDS[page] = new byte[PAGE];
        }
        KINDS[page][codePoint & PAGE - 1] |= (byte) bit;
    }

    /** All that a character is, one bit each. */
    static int kind(int codePoint) {
        return KINDS[codePoint >> PAGE_BITS][codePoint & PAGE - 1];
    }

    /** The canonical combining class of a character; 0 for a starter. */
    static int combiningClass(int codePoint) {
        return CLASSES.getOrDefault(codePoint, 0);
    }

    /** The lower case of one character; {@link #CAPITAL_I_WITH_DOT} is the one whose lower case has two. */
    static int lowerCase(int codePoint) {
        int lower = Character.toLowerCase(codePoint);
        return lower == codePoint && (kind(codePoint) & LOWERED) != 0 ? LOWER.get(codePoint) : lower;
    }

    /**
     * The canonical decomposition of a character, without the nonspacing marks in it but for the first; null if it has
     * none.
     *
     * @param kind of the character
     */
    static String decomposition(int codePoint, int kind) {
        if ((kind & DECOMPOSED) == 0) {
            return null;
        }
        String[] page = DECOMPOSITIONS[codePoint >> PAGE_BITS];
        if (page == null) {
            page = new String[PAGE];
            DECOMPOSITIONS[codePoint >> PAGE_BITS] = page;
        }
        String known = page[codePoint & PAGE - 1];
        if (known == null) {
            known = decompose(codePoint);
            page[codePoint & PAGE - 1] = known;
        }
        return known;
    }

    private static String decompose(int codePoint) {
        String decomposed = Normalizer.normalize(Character.toString(codePoint), Normalizer.Form.NFD);
        StringBuilder kept = new StringBuilder();
        for (int at = 0; at < decomposed.length();) {
            int part = decomposed.codePointAt(at);
            if (at == 0 || (kind(part) & MARK) == 0) {
                kept.appendCodePoint(part);
            }
            at += Character.charCount(part);
        }
        return kept.toString();
    }
}
