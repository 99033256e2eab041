package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StreamingDecoderTest {
    private static Tokenizer tiny;

    @BeforeAll
    static void load(@TempDir Path directory) throws IOException {
        tiny = Fixtures.tiny(directory);
    }

    @Test
    void waitsForWholeCharacters() {
        int[] ids = byteIds("a\uD83D\uDE42é".getBytes(StandardCharsets.UTF_8));
        StreamingDecoder decoder = tiny.streamingDecoder();
        String[] pieces = {"a", "", "", "", "\uD83D\uDE42", "", "é"};
        for (int i = 0; i < ids.length; i++) {
            assertThat(decoder.accept(ids[i])).isEqualTo(pieces[i]);
        }
        assertThat(decoder.finish()).isEmpty();
    }

    @Test
    void anUnfinishedCharacterEndsAsReplacementAndTheDecoderStartsAnew() {
        StreamingDecoder decoder = tiny.streamingDecoder();
        int[] ids = byteIds("\uD83D\uDE42".getBytes(StandardCharsets.UTF_8));
        assertThat(decoder.accept(ids[0]) + decoder.accept(ids[1])).isEmpty();
        assertThat(decoder.finish()).isEqualTo("\uFFFD");
        assertThat(decoder.finish()).isEmpty();
        assertThat(decoder.accept(64)).isEqualTo("a");
    }

    @Test
    void skipsSpecialTokensIfAsked() {
        int[] ids = byteIds("é".getBytes(StandardCharsets.UTF_8));
        StreamingDecoder shown = tiny.streamingDecoder();
        assertThat(shown.accept(ids[0]) + shown.accept(999) + shown.accept(ids[1]) + shown.finish())
                .isEqualTo("\uFFFD<|endoftext|>\uFFFD");
        StreamingDecoder skipped = tiny.streamingDecoder(true);
        assertThat(skipped.accept(ids[0]) + skipped.accept(999) + skipped.accept(ids[1]) + skipped.finish())
                .isEqualTo("é");
    }

    /** Table 3-8 to 3-11 of the Unicode standard, and more: dots stand for U+FFFD. */
    @ParameterizedTest
    @CsvSource({"C0AFE080BFF0818241,........A", "EDA080EDBFBFEDAF41,........A", "F4919293FF4180BF42,.....A..B",
        "E180E2F09192F1BF41,....A", "C2,.", "E282,.", "F09F99,.", "80,.", "FE,.", "F0908080,\uD800\uDC00",
        "F48FBFBF,\uDBFF\uDFFF", "F4908080,....", "E0A080,\u0800", "ED9FBF,\uD7FF", "EE8080,\uE000", "E09FBF,...",
        "F08FBFBF,....", "C1BF,..", "DFBF,\u07FF", "C241,.A", "E2C2A9,.©"})
    void maximalSubparts(String hex, String expected) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        assertThat(Utf8Decoder.decode(bytes, bytes.length)).isEqualTo(expected.replace('.', '\uFFFD'));
        assertThat(stream(byteIds(bytes))).isEqualTo(expected.replace('.', '\uFFFD'));
    }

    @Test
    void piecesJoinToTheWholeForAnyIds() {
        Random random = new Random(5);
        for (int i = 0; i < 5000; i++) {
            boolean bytesOnly = random.nextBoolean();
            int[] ids = random.ints(random.nextInt(40), 0, bytesOnly ? 256 : 1003).toArray();
            String whole = tiny.decode(ids);
            assertThat(stream(ids)).isEqualTo(whole);
            StreamingDecoder decoder = tiny.streamingDecoder(true);
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                text.append(decoder.accept(id));
            }
            assertThat(text.append(decoder.finish()).toString()).isEqualTo(tiny.decode(ids, true));
        }
    }

    @Test
    void piecesAreNeverHalfACharacter() {
        Random random = new Random(6);
        for (int i = 0; i < 2000; i++) {
            String text = Fixtures.randomText(random, 30);
            StreamingDecoder decoder = tiny.streamingDecoder();
            StringBuilder shown = new StringBuilder();
            for (int id : tiny.ids(text)) {
                String piece = decoder.accept(id);
                assertThat(piece.codePoints()).noneMatch(c -> c >= 0xD800 && c <= 0xDFFF);
                shown.append(piece);
                assertThat(text).startsWith(shown);
            }
            assertThat(decoder.finish()).isEmpty();
            assertThat(shown.toString()).isEqualTo(text);
        }
    }

    private static String stream(int[] ids) {
        StreamingDecoder decoder = tiny.streamingDecoder();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.accept(id));
        }
        return text.append(decoder.finish()).toString();
    }

    /** One id for each byte. */
    private static int[] byteIds(byte[] bytes) {
        int[] ids = new int[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            ids[i] = tiny.id(String.valueOf(ByteAlphabet.symbol(bytes[i] & 0xFF))).orElseThrow();
        }
        return ids;
    }
}
