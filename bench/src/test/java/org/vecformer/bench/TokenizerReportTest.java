package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.tokenizer.Tokenizer;

class TokenizerReportTest {

    @TempDir
    Path folder;
    private Path text;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeEach
    void write() throws IOException {
        Files.write(folder.resolve("vocab.txt"), EncoderReportTest.vocabulary());
        text = Files.writeString(folder.resolve("text.txt"), "A bird in the hand,\n\nis it worth two?\n");
    }

    /** Another library, which is wrong on texts with a question mark if so told. */
    private record Other(Tokenizer tokenizer, boolean wrong) implements TextTokenizer {

        @Override
        public String name() {
            return "other";
        }

        @Override
        public int count(String text) {
            return ids(text).length;
        }

        @Override
        public int[] ids(String text) {
            int[] ids = tokenizer.ids(text);
            return wrong && text.contains("?") ? Arrays.copyOf(ids, ids.length - 1) : ids;
        }
    }

    private int run(boolean wrong, String... args) {
        return TokenizerReport.run("TheReport", args, directory -> List.of(new Other(Tokenizer.load(directory), wrong)),
                new PrintStream(out), new PrintStream(err));
    }

    private String errors() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aLineForEachTokenizer() {
        int status = run(false, "--tokenizer", folder.toString(), "--text", text.toString(), "--rounds", "2",
                "--seconds", "0.0001", "--json");
        assertThat(status).as(errors()).isZero();
        // 14 letters and a comma, 12 letters and a question mark; [CLS] and [SEP] around each line.
        assertThat(out.toString(StandardCharsets.UTF_8).lines()).hasSize(3).allMatch(line -> line
                .contains("\"threads\":1,\"bytes\":35,\"ids\":32,\"rounds\":2,\"unit\":\"MB/s\",\"median\":"));
    }

    @Test
    void otherIdsAreAFailure() {
        int status = run(true, "--tokenizer", folder.toString(), "--text", text.toString(), "--rounds", "1",
                "--seconds", "0.0001");
        assertThat(status).isEqualTo(TokenizerReport.DIFFERENT);
        assertThat(errors().lines()).containsExactly("TheReport: other has other ids than ours for 1 of 2 lines; the"
                + " first of them begins with \"is it worth two?\"");
    }

    @Test
    void sourcesInAFolderAreATextButForLinesWithSpecialTokens() throws IOException {
        Path sources = Files.createDirectories(folder.resolve("sources/inner"));
        Files.writeString(sources.resolve("A.java"), "A bird in the hand,\nString s = \"[SEP]\";\n");
        Files.writeString(sources.resolve("b.txt"), "not this one");
        Files.writeString(sources.getParent().resolve("B.java"), "\nis it worth two?");
        List<TokenizerReport.Row> rows = TokenizerReport.rows(folder, sources.getParent(),
                directory -> List.of(new Other(Tokenizer.load(directory), false)), 2, 0.0001);
        assertThat(rows).extracting(TokenizerReport.Row::name).containsExactly("vecformer, ids",
                "vecformer, ids and offsets", "other");
        assertThat(rows.getFirst().ratio().values()).containsExactly(1, 1);
        TokenizerReport.Row other = rows.getLast();
        assertThat(other.ratio().values()[0]).isEqualTo(other.ours().values()[0] / other.speed().values()[0]);
        assertThat(TokenizerReport.Lines.read(sources.getParent(), Tokenizer.load(folder)).lines())
                .containsExactly("is it worth two?", "A bird in the hand,");
        assertThatThrownBy(() -> TokenizerReport.rows(folder, sources.getParent(),
                directory -> List.of(new Other(Tokenizer.load(directory), true)), 1, 0.0001))
                .isInstanceOf(IllegalStateException.class).hasMessageStartingWith("other has other ids");
    }

    @Test
    void usageErrorsAreOneLineAndStatus2() throws IOException {
        assertThat(run(false, "--text", "x")).isEqualTo(2);
        assertThat(run(false, "--tokenizer", "x")).isEqualTo(2);
        assertThat(run(false, "--tokenizer", folder.toString(), "--text",
                Files.createFile(folder.resolve("empty")).toString())).isEqualTo(2);
        assertThat(errors().lines()).containsExactly("TheReport: --tokenizer is missing",
                "TheReport: --text is missing",
                "TheReport: the text " + folder.resolve("empty") + " is empty");
    }
}
