package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class PreTokenizerTest {
    /** The pattern itself, with white space as Unicode has it: the slow answer to compare with. */
    private static final Pattern PATTERN = Pattern.compile(
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            Pattern.UNICODE_CHARACTER_CLASS);

    @Test
    void cutsWhereThePatternDoes() {
        Random random = new Random(7);
        for (int i = 0; i < 20_000; i++) {
            String text = Fixtures.randomText(random, 20);
            assertThat(cut(text)).as("%s", text).isEqualTo(match(text));
        }
    }

    @Test
    void everyCodePointIsOfItsClass() {
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c >= 0xD800 && c <= 0xDFFF) {
                continue;
            }
            String text = "a " + Character.toString(c) + "1'" + Character.toString(c) + " \n" + Character.toString(c);
            assertThat(cut(text)).as("U+%04X", c).isEqualTo(match(text));
        }
    }

    @Test
    void contractions() {
        assertThat(cut("it's they're 'sx 'S '' 're'll'")).containsExactly("it", "'s", " they", "'re", " '", "sx", " '",
                "S", " ''", " '", "re", "'ll", "'");
    }

    private static List<String> cut(String text) {
        char[] chars = text.toCharArray();
        List<String> words = new ArrayList<>();
        for (int start = 0; start < chars.length;) {
            int end = PreTokenizer.next(chars, start, chars.length);
            words.add(text.substring(start, end));
            start = end;
        }
        return words;
    }

    private static List<String> match(String text) {
        List<String> words = new ArrayList<>();
        Matcher matcher = PATTERN.matcher(text);
        while (matcher.find()) {
            words.add(matcher.group());
        }
        return words;
    }
}
