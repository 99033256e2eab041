package org.vecformer.cli.dialog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.dialog.ExampleScore;

/** Results that are kept, and read again. */
class ResultsFileTest {
    private static final List<ExampleScore> SCORES = new ArrayList<>();

    static {
        SCORES.add(new ExampleScore(List.of(0.1, -1e-7, 1 / 3.), true, -Math.PI, 3, "caf\u00e9 \"\n\u2028", 2 / 3.));
        SCORES.add(null);
        SCORES.add(new ExampleScore(List.of(1., 2.), false, -1e300, 7, null, 0));
        SCORES.add(new ExampleScore(List.of(-5.), true, -0.0, 1, "", 0));
    }

    @TempDir
    Path folder;

    private Map<String, String> header() {
        return new LinkedHashMap<>(Map.of("model", "tiny \"x\"", "seed", "42"));
    }

    private Path file() throws IOException {
        Path file = folder.resolve("results.jsonl");
        try (ResultsFile results = ResultsFile.open(file, header())) {
            assertThat(results.done()).isEmpty();
            for (ExampleScore score : SCORES) {
                results.add(score);
            }
        }
        return file;
    }

    private void holds(Path file, List<ExampleScore> expected) throws IOException {
        try (ResultsFile results = ResultsFile.open(file, header())) {
            assertThat(results.done()).isEqualTo(expected);
        }
    }

    @Test
    void everyNumberIsReadBack() throws IOException {
        Path file = file();
        assertThat(Files.readAllLines(file)).hasSize(SCORES.size() + 1);
        holds(file, SCORES);
    }

    /** Whatever the last write left, it goes on behind the last whole line. */
    @Test
    void cutAnywhere() throws IOException {
        byte[] whole = Files.readAllBytes(file());
        Path cut = folder.resolve("cut.jsonl");
        for (int length = 0; length < whole.length; length++) {
            Files.write(cut, Arrays.copyOf(whole, length));
            try (ResultsFile results = ResultsFile.open(cut, header())) {
                assertThat(results.done()).isEqualTo(SCORES.subList(0, results.done().size()));
                for (ExampleScore score : SCORES.subList(results.done().size(), SCORES.size())) {
                    results.add(score);
                }
            }
            assertThat(Files.readAllBytes(cut)).as("cut at %d", length).isEqualTo(whole);
        }
    }

    @Test
    void ofAnotherEvaluation() throws IOException {
        Path file = file();
        byte[] before = Files.readAllBytes(file);
        Map<String, String> other = header();
        other.put("seed", "43");
        assertThatThrownBy(() -> ResultsFile.open(file, other)).hasMessageContaining("another evaluation")
                .hasMessageContaining("seed is 42").hasMessageContaining("here it is 43");
        Map<String, String> more = header();
        more.put("weights", "int8");
        assertThatThrownBy(() -> ResultsFile.open(file, more)).hasMessageContaining("weights is missing");
        Map<String, String> fewer = header();
        fewer.remove("seed");
        assertThatThrownBy(() -> ResultsFile.open(file, fewer)).hasMessageContaining("it has [seed]");
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
    }

    @Test
    void foreignFilesAreNotTouched() throws IOException {
        for (String content : List.of("hello", "1 your persona: x\n", "{\"format\":\"x\"}\n", "\n", "{}\n{}\n",
                "\0\0\0")) {
            Path file = Files.writeString(folder.resolve("foreign"), content);
            assertThatThrownBy(() -> ResultsFile.open(file, header())).as(content)
                    .isExactlyInstanceOf(IOException.class).hasMessageContaining("not a file of results");
            assertThat(file).hasContent(content);
        }
        assertThatThrownBy(() -> ResultsFile.open(folder, header())).hasMessageContaining("not a file");
        assertThatThrownBy(() -> ResultsFile.open(folder.resolve("no/x"), header()))
                .hasMessageContaining("no directory");
    }

    @Test
    void aDamagedLineInTheMiddleIsNamed() throws IOException {
        Path file = file();
        for (String[] change : new String[][]{{"\"example\":3", "\"example\":4"}, {"\"example\":3", "\"example\":x"},
            {"\"tokens\":7,", ""}, {"\"tokens\":7", "\"tokens\":7,\"y\":0"}, {"[1.0,2.0]", "3"},
            {"\"hit\":false", "\"hit\":\"no\""}}) {
            Path damaged = Files.writeString(folder.resolve("damaged.jsonl"),
                    Files.readString(file).replace(change[0], change[1]));
            assertThatThrownBy(() -> ResultsFile.open(damaged, header())).as(change[1])
                    .isExactlyInstanceOf(IOException.class).hasMessageContaining("line 4 is not example 3");
        }
    }

    @Test
    void inUse() throws IOException {
        Path file = file();
        try (ResultsFile _ = ResultsFile.open(file, header())) {
            assertThatThrownBy(() -> ResultsFile.open(file, header())).hasMessageContaining("in use");
        }
        holds(file, SCORES);
    }
}
