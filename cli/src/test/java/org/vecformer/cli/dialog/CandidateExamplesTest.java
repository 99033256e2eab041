package org.vecformer.cli.dialog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.dialog.DialogExample;

/** Candidates of the file, and candidates that are drawn. */
class CandidateExamplesTest {
    private static final Path CHATS = Path.of("../engine/src/test/resources/dialog");

    @TempDir
    Path folder;

    private static List<DialogExample> all(ExampleFile file, Integer candidates, long seed) throws IOException {
        List<DialogExample> all = new ArrayList<>();
        try (CandidateExamples examples = file.open(candidates, seed)) {
            for (DialogExample next = examples.next(); next != null; next = examples.next()) {
                all.add(next);
            }
        }
        return all;
    }

    /** Dialogs of three replies each; every dialog ends with the same one. */
    private ExampleFile bare(int dialogs) throws IOException {
        StringBuilder text = new StringBuilder();
        for (int d = 0; d < dialogs; d++) {
            text.append("1 a\treply ").append(d).append(".0\n2 b\treply ").append(d).append(".1\n3 c\tbye\n");
        }
        return ExampleFile.scan(Files.writeString(folder.resolve("bare.txt"), text), null);
    }

    @Test
    void thoseOfTheFileOrTheLastOfThem() throws IOException {
        ExampleFile file = ExampleFile.scan(CHATS.resolve("persona-chat.json"), null);
        assertThat(file.dialogs()).isEqualTo(7);
        assertThat(file.examples()).isEqualTo(17);
        assertThat(file.bare()).isZero();
        List<DialogExample> whole = all(file, null, 1);
        assertThat(whole).allMatch(one -> one.candidates().size() == 7);
        List<DialogExample> few = all(file, 3, 2);
        for (int i = 0; i < whole.size(); i++) {
            assertThat(few.get(i).candidates()).isEqualTo(whole.get(i).candidates().subList(4, 7));
        }
        assertThatThrownBy(() -> file.open(8, 1)).isInstanceOf(IOException.class).hasMessageContaining("7 candidates")
                .hasMessageContaining("8 were asked for");
    }

    @Test
    void distractorsAreOfOtherDialogsEachOnceAndNotGold() throws IOException {
        ExampleFile file = bare(15);
        assertThat(file.bare()).isEqualTo(45);
        List<DialogExample> examples = all(file, null, 42);
        for (int i = 0; i < examples.size(); i++) {
            List<String> candidates = examples.get(i).candidates();
            String own = "reply " + i / 3 + ".";
            assertThat(candidates).hasSize(ExampleFile.CANDIDATES).doesNotHaveDuplicates();
            assertThat(candidates.subList(0, 19)).noneMatch(text -> text.startsWith(own))
                    .doesNotContain(examples.get(i).gold());
        }
        assertThat(examples.get(2).gold()).isEqualTo("bye");
    }

    @Test
    void theSeedDecides() throws IOException {
        ExampleFile file = bare(30);
        assertThat(all(file, 5, 1)).isEqualTo(all(file, 5, 1)).isNotEqualTo(all(file, 5, 2));
        // Over many draws every reply of another dialog comes up about as often: 90 draws of 4 among 58 others.
        Set<String> drawn = all(file, 5, 3).stream().flatMap(one -> one.candidates().subList(0, 4).stream())
                .collect(Collectors.toCollection(HashSet::new));
        assertThat(drawn.size()).isGreaterThan(55);
    }

    @Test
    void tooFewRepliesAreNamed() throws IOException {
        ExampleFile file = bare(3);
        // Two other dialogs with two replies each; the one that all share is gold of the third.
        assertThat(all(file, 5, 1)).hasSize(9).allMatch(one -> one.candidates().size() == 5);
        assertThatThrownBy(() -> all(file, 6, 1)).isInstanceOf(IOException.class)
                .hasMessageContaining("4 different replies").hasMessageContaining("5 are needed");
    }
}
