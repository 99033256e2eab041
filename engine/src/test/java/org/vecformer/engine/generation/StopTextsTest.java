package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.TestModels;
import org.vecformer.tokenizer.StreamingDecoder;
import org.vecformer.tokenizer.Tokenizer;

/** Stop texts, wherever in tokens they begin and end. */
class StopTextsTest {

    @TempDir
    private static Path directory;
    private static Tokenizer tokenizer;

    @BeforeAll
    static void load() throws IOException {
        TestModels.writeByteTokenizer(directory, "a b", "b a", "ab a", "ab c", "c c");
        tokenizer = Tokenizer.load(directory);
    }

    private static TextStream stream(boolean include, String... stops) {
        return new TextStream(tokenizer, new StopTexts(List.of(stops)), include, new int[]{0});
    }

    private static int id(String token) {
        return tokenizer.id(token).orElseThrow();
    }

    @Test
    void whatMayBecomeAStopTextIsHeldBack() {
        TextStream stream = stream(false, "abcc");
        assertThat(stream.accept(id("c"))).isEqualTo("c");
        assertThat(stream.accept(id("ab"))).isEmpty();
        assertThat(stream.accept(id("ab"))).as("the first is no beginning any more").isEqualTo("ab");
        assertThat(stream.accept(id("c"))).isEmpty();
        assertThat(stream.isStopped()).isFalse();
        assertThat(stream.accept(id("cc"))).isEmpty();
        assertThat(stream.isStopped()).isTrue();
        assertThat(stream.finish()).isEmpty();
        assertThat(stream.text()).hasToString("cab");
    }

    @Test
    void theStopTextIsKeptOnRequestButNothingBehindIt() {
        TextStream stream = stream(true, "abc");
        assertThat(stream.accept(id("ab"))).isEmpty();
        assertThat(stream.accept(id("cc"))).isEqualTo("abc");
        assertThat(stream.isStopped()).isTrue();
        assertThat(stream.finish()).isEmpty();
        assertThat(stream.text()).hasToString("abc");
    }

    @Test
    void whatWasHeldBackComesInTheEnd() {
        TextStream stream = stream(false, "abcd");
        assertThat(stream.accept(id("abc"))).isEmpty();
        assertThat(stream.finish()).isEqualTo("abc");
        assertThat(stream.text()).hasToString("abc");
    }

    @Test
    void anEndTokenHasNoText() {
        TextStream stream = stream(false, "<|end");
        assertThat(stream.accept(0)).isEmpty();
        assertThat(stream.finish()).isEmpty();
        assertThat(stream.isStopped()).isFalse();
    }

    /** Random tokens and stop texts, against a search in the text as a whole. */
    @Test
    void theTextEndsWhereTheFirstStopTextEnds() {
        int[] tokens = {id("a"), id("b"), id("c"), id("ab"), id("ba"), id("aba"), id("abc"), id("cc")};
        Random random = new Random(20261122);
        int stopped = 0;
        for (int round = 0; round < 20_000; round++) {
            List<String> stops = new ArrayList<>();
            for (int i = random.nextInt(3); i >= 0; i--) {
                stops.add(random.ints(1 + random.nextInt(5), 'a', 'd')
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString());
            }
            boolean include = random.nextBoolean();
            TextStream stream = stream(include, stops.toArray(String[]::new));
            StringBuilder whole = new StringBuilder();
            StringBuilder shown = new StringBuilder();
            for (int i = 0; i < 12 && !stream.isStopped(); i++) {
                int token = tokens[random.nextInt(tokens.length)];
                whole.append(tokenizer.decode(new int[]{token}, true));
                shown.append(stream.accept(token));
                String expected = cut(whole.toString(), stops, include);
                assertThat(expected == null ? whole.toString() : expected).as("%s in %s", stops, whole)
                        .startsWith(shown.toString());
                assertThat(stream.isStopped()).as("%s in %s", stops, whole).isEqualTo(expected != null);
            }
            shown.append(stream.finish());
            String expected = cut(whole.toString(), stops, include);
            assertThat(shown.toString()).as("%s in %s", stops, whole).isEqualTo(stream.text().toString())
                    .isEqualTo(expected == null ? whole.toString() : expected);
            stopped += expected == null ? 0 : 1;
        }
        assertThat(stopped).isBetween(5_000, 19_000);
    }

    /** The text up to the first end of a stop text, or null if there is none. */
    private static String cut(String text, List<String> stops, boolean include) {
        for (int end = 1; end <= text.length(); end++) {
            int longest = 0;
            for (String stop : stops) {
                if (text.substring(0, end).endsWith(stop)) {
                    longest = Math.max(longest, stop.length());
                }
            }
            if (longest > 0) {
                return text.substring(0, include ? end : end - longest);
            }
        }
        return null;
    }

    @Test
    void stopsWhereTheReferenceStops() throws IOException {
        Path rows = Oracle.shared("oracle/logits_process/stop_strings.jsonl");
        Tokenizer gpt2 = Tokenizer.load(Oracle.shared("oracle/vocab/gpt2"));
        int count = 0;
        for (JsonNode row : Oracle.rows(rows)) {
            List<String> stops = new ArrayList<>();
            row.get("stop_strings").forEach(stop -> stops.add(stop.asText()));
            int[] ids = Oracle.ints(row.get("ids"));
            StreamingDecoder decoder = gpt2.streamingDecoder(false);
            StringBuilder text = new StringBuilder();
            int before = 0;
            for (int id : ids) {
                before = text.length();
                text.append(decoder.accept(id));
            }
            // The reference is asked whether a stop text ends in the last token.
            assertThat(new StopTexts(stops).find(text, before) != null).as("%s", row)
                    .isEqualTo(row.get("stopped").asBoolean());
            count++;
        }
        assertThat(count).isEqualTo(26);
    }
}
