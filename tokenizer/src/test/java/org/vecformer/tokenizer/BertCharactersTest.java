package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.StringJoiner;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every code point through every step. The checksums are those of tokenizers 0.23.2, made by
 * {@code zlib.crc32} of {@code normalize_str("a" + c + "\u0301\u302eb") + "\n"} for all c but the surrogates.
 */
class BertCharactersTest {
    @ParameterizedTest
    @CsvSource({"true,false,false,false,8ef5141e", "false,true,false,false,4aa5668c",
        "false,false,true,false,573a6149", "false,false,false,true,da0b0e96", "true,true,true,true,270dad81",
        "true,true,false,true,26da78ab", "false,false,true,true,ed962cfd"})
    void everyCodePointIsNormalizedAsTheReferenceDoesIt(boolean cleanText, boolean splitChinese, boolean stripAccents,
            boolean lowerCase, String expected) {
        BertNormalizer normalizer = new BertNormalizer(cleanText, splitChinese, stripAccents, lowerCase);
        CRC32 crc = new CRC32();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c < 0xD800 || c > 0xDFFF) {
                String text = "a" + Character.toString(c) + "\u0301\u302eb";
                crc.update((normalizer.normalize(text) + "\n").getBytes(StandardCharsets.UTF_8));
            }
        }
        assertThat(String.format("%08x", crc.getValue())).isEqualTo(expected);
    }

    @Test
    void everyCodePointIsCutAsTheReferenceDoesIt() {
        CRC32 crc = new CRC32();
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            if (c < 0xD800 || c > 0xDFFF) {
                char[] text = ("a" + Character.toString(c) + "b").toCharArray();
                StringJoiner words = new StringJoiner("|", "", "\n");
                int end;
                for (int at = BertWords.start(text, 0, text.length); at < text.length; at = BertWords.start(text, end,
                        text.length)) {
                    end = BertWords.end(text, at, text.length);
                    words.add(new String(text, at, end - at));
                }
                crc.update(words.toString().getBytes(StandardCharsets.UTF_8));
            }
        }
        assertThat(String.format("%08x", crc.getValue())).isEqualTo("3fb5b38e");
    }

    /** Where this JDK's newer tables would give other ids. */
    @Test
    void theTablesAreNotTheJdks() {
        // A format character of Unicode 14, and a hole in the range of ideographs.
        assertThat(Character.getType(0x890)).isEqualTo(Character.FORMAT);
        assertThat(BertCharacters.kind(0x890)).isZero();
        assertThat(Character.isIdeographic(0x2B820)).isTrue();
        assertThat(BertCharacters.kind(0x2B820)).isZero();
        // Punctuation of Unicode 9, a nonspacing mark of Unicode 9, a decomposition of Unicode 13.
        assertThat(Character.getType(0x2E43)).isEqualTo(Character.OTHER_PUNCTUATION);
        assertThat(BertCharacters.kind(0x2E43)).isZero();
        assertThat(Character.getType(0x8D4)).isEqualTo(Character.NON_SPACING_MARK);
        assertThat(BertCharacters.kind(0x8D4)).isEqualTo(BertCharacters.ORDERED);
        assertThat(BertCharacters.decomposition(0x11938, BertCharacters.kind(0x11938))).isNull();
    }

    /** A run of marks is sorted, not searched: a million of them take no time. */
    @Test
    void aMillionMarksAreNoTrouble() {
        String text = "a" + "\u302e\ud834\udd65\u0301".repeat(250_000);
        String normalized = BertNormalizer.UNCASED.normalize(text);
        assertThat(normalized).isEqualTo("a" + "\ud834\udd65".repeat(250_000) + "\u302e".repeat(250_000));
    }
}
