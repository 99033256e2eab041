package org.vecformer.cli.dialog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PersonalitiesTest {
    @TempDir
    Path folder;

    @Test
    void thoseThatAreBuiltIn() {
        List<List<String>> all = Personalities.builtIn().all();
        assertThat(all).hasSizeGreaterThanOrEqualTo(8).doesNotHaveDuplicates()
                .allSatisfy(one -> assertThat(one).hasSizeBetween(3, 6).allMatch(sentence -> sentence.endsWith(".")));
    }

    @Test
    void aParagraphIsAPersonality() throws IOException {
        Path file = Files.writeString(folder.resolve("who.txt"), "\n\n  I am one. \r\nI am tall.\n \n\nI am two.");
        assertThat(Personalities.read(file).all())
                .isEqualTo(List.of(List.of("I am one.", "I am tall."), List.of("I am two.")));
    }

    @Test
    void aPersonaChatFileHasOneADialog() throws IOException {
        Path text = Files.writeString(folder.resolve("chat.txt"),
                "1 your persona: i am one .\n2 your persona: i am tall .\n3 hi\thello\n4 so\tyes\n"
                        + "1 your persona: i am two .\n2 hi\thello\n1 your persona: i am two .\n2 yes\tno\n");
        List<List<String>> expected = List.of(List.of("i am one .", "i am tall ."), List.of("i am two ."));
        assertThat(Personalities.read(text).all()).isEqualTo(expected);
        Path json = Files.writeString(folder.resolve("chat.json"),
                " [{\"personality\":[\"i am one .\",\"i am tall .\"],"
                        + "\"utterances\":[{\"candidates\":[\"hello\"],\"history\":[\"hi\"]}]},"
                        + "{\"personality\":[\"i am two .\"],\"utterances\":[{\"candidates\":[\"so\"],\"history\":[\"hi\"]}]}]");
        assertThat(Personalities.read(json).all()).isEqualTo(expected);
        Path broken = Files.writeString(folder.resolve("broken.json"), "[{\"personality\":5}]");
        assertThatThrownBy(() -> Personalities.read(broken)).isInstanceOf(IOException.class)
                .hasMessageContaining("broken.json");
    }

    @Test
    void anotherOneIsAnother() {
        Personalities three = new Personalities(List.of(List.of("a"), List.of("b"), List.of("c")));
        Random random = new Random(1);
        Set<List<String>> seen = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            seen.add(three.another(List.of("b"), random));
        }
        assertThat(seen).containsExactlyInAnyOrder(List.of("a"), List.of("c"));
        assertThat(new Personalities(List.of(List.of("a"))).another(List.of("a"), random)).containsExactly("a");
    }

    @Test
    void filesWithoutAny() throws IOException {
        Path empty = Files.writeString(folder.resolve("empty"), " \n\n");
        assertThatThrownBy(() -> Personalities.read(empty)).isInstanceOf(IOException.class)
                .hasMessageContaining("empty has no personality");
        Path latin = Files.write(folder.resolve("latin"), new byte[]{'a', (byte) 0xfc, '\n'});
        assertThatThrownBy(() -> Personalities.read(latin)).isInstanceOf(IOException.class)
                .hasMessageContaining("UTF-8");
        assertThatThrownBy(() -> Personalities.read(folder)).isInstanceOf(IOException.class)
                .hasMessageContaining("is not a file");
        assertThatThrownBy(() -> new Personalities(List.of())).isInstanceOf(IllegalArgumentException.class);
    }
}
