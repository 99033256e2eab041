package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What tokenizing takes of the heap: no word and no id costs an object, and long texts of any kind take no more for each
 * character than short ones.
 */
class TokenizerWorkTest {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int CHARACTERS = 1 << 18;

    @TempDir
    private static Path directory;
    private static Tokenizer bytePair;
    private static Tokenizer wordPiece;
    private static Tokenizer openAiGpt;

    @BeforeAll
    static void load() throws IOException {
        assertThat(THREADS.isThreadAllocatedMemoryEnabled()).isTrue();
        bytePair = Fixtures.tiny(directory.resolve("gpt"));
        wordPiece = Tokenizer.load(WordPieceFixtures.write(directory.resolve("bert"), null));
        openAiGpt = Tokenizer.load(OpenAiGptFixtures.write(directory.resolve("openai"), null));
    }

    private static double bytesPerCharacter(String text, Consumer<String> work) {
        // What is remembered for later is no cost of a text; a word is remembered when it comes again.
        work.accept(text);
        work.accept(text);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        work.accept(text);
        return (THREADS.getCurrentThreadAllocatedBytes() - before) / (double) text.length();
    }

    private static String words(int length, Random random) {
        StringBuilder text = new StringBuilder();
        while (text.length() < length) {
            for (int i = 1 + random.nextInt(2); i > 0; i--) {
                text.append((char) ('a' + random.nextInt(26)));
            }
            text.append(' ');
        }
        return text.toString();
    }

    /** Two bytes for the copy of the characters; at most four for an id in the list, doubled when it grows, and out of it. */
    @Test
    void wordsCostNoObjects() {
        String text = words(CHARACTERS, new Random(1));
        assertThat(bytesPerCharacter(text, bytePair::ids)).isLessThan(2 + 3 * 4);
        assertThat(bytesPerCharacter(text, wordPiece::ids)).isLessThan(2 * 2 + 3 * 4);
        assertThat(bytesPerCharacter(text, openAiGpt::ids)).isLessThan(2 * 2 + 3 * 4);
        int[] ids = bytePair.ids(text);
        assertThat(ids.length).isGreaterThan(text.length() / 4);
        assertThat(bytesPerCharacter(text, _ -> bytePair.decode(ids))).isLessThan(6 + 6 + 4);
    }

    /** Words that never come twice are not remembered: an entry of some hundred bytes for each would make it 25. */
    @Test
    void rareWordsCostNoObjects() {
        Random random = new Random(2);
        StringBuilder text = new StringBuilder();
        while (text.length() < CHARACTERS) {
            for (int i = 0; i < 8; i++) {
                text.append((char) ('a' + random.nextInt(26)));
            }
            text.append(' ');
        }
        String before = text.substring(0, CHARACTERS / 2);
        String after = text.substring(CHARACTERS / 2);
        for (Tokenizer tokenizer : new Tokenizer[]{bytePair, openAiGpt}) {
            tokenizer.ids(before);
            long allocated = THREADS.getCurrentThreadAllocatedBytes();
            tokenizer.ids(after);
            assertThat((THREADS.getCurrentThreadAllocatedBytes() - allocated) / (double) after.length())
                    .isLessThan(2 * 2 + 4 * 4);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "ab", " ", "\n", "1", "!", "\u65e5", "\u0301", "a\u0301", "\u302e\u0301", "\uac01",
        "\ud83d\ude42", "\ud834\udd65", "\u0344", "the", " the", "<|endoftex", "[MAS"})
    void longTextsTakeNoMoreMemoryThanShortOnes(String unit) {
        for (Tokenizer tokenizer : new Tokenizer[]{bytePair, wordPiece, openAiGpt}) {
            String once = unit.repeat(CHARACTERS / 4 / unit.length());
            String more = unit.repeat(CHARACTERS / unit.length());
            int[] ids = tokenizer.ids(more);
            assertThat(ids.length).isLessThanOrEqualTo(4 * tokenizer.ids(once).length + 4 * unit.length() + 8);
            // Arrays grow in steps, so that one may be half empty.
            assertThat(bytesPerCharacter(more, tokenizer::ids))
                    .isLessThan(2 * bytesPerCharacter(once, tokenizer::ids) + 1);
            assertThat(bytesPerCharacter(more, tokenizer::encode))
                    .isLessThan(2 * bytesPerCharacter(once, tokenizer::encode) + 1);
            assertThat(bytesPerCharacter(more, _ -> tokenizer.decode(ids))).isLessThan(300);
        }
    }
}
