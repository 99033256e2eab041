package org.vecformer.cli.dialog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.engine.dialog.DialogExample;

/** PersonaChat files, good and bad. */
class ExampleReaderTest {
    private static final Path CHATS = Path.of("../engine/src/test/resources/dialog");

    @TempDir
    Path folder;

    private List<NumberedExample> read(Path file, String split) throws IOException {
        List<NumberedExample> all = new ArrayList<>();
        try (ExampleReader reader = ExampleReader.open(file, split)) {
            for (NumberedExample next = reader.next(); next != null; next = reader.next()) {
                all.add(next);
            }
            assertThat(reader.next()).as("behind the end").isNull();
        }
        return all;
    }

    private List<NumberedExample> read(String content) throws IOException {
        return read(Files.writeString(folder.resolve("file"), content), null);
    }

    private void isRefused(String content, String... parts) throws IOException {
        isRefused(content.getBytes(StandardCharsets.UTF_8), parts);
    }

    private void isRefused(byte[] content, String... parts) throws IOException {
        Path file = Files.write(folder.resolve("bad"), content);
        assertThatThrownBy(() -> read(file, null)).isExactlyInstanceOf(IOException.class)
                .hasMessageStartingWith(file.toString()).hasMessageContainingAll(parts);
    }

    @Test
    void theTwoFormatsSayTheSame() throws IOException {
        List<NumberedExample> text = read(CHATS.resolve("persona-chat.txt"), null);
        assertThat(text).hasSize(17).isEqualTo(read(CHATS.resolve("persona-chat.json"), null))
                .isEqualTo(read(CHATS.resolve("persona-chat.json"), "valid"));
        assertThat(read(CHATS.resolve("persona-chat.json"), "train"))
                .isEqualTo(text.stream().filter(one -> one.dialog() <= 2).toList());
    }

    @Test
    void linesOfConvAi2() throws IOException {
        assertThat(read("""
                1 your persona: i have two dogs .
                2 partner's persona: i swim .
                3 your persona: i'm from café .

                4 hello\\nyou ?\thi .\t\thi .|no .|hi .||yes
                5 and ?\tso .\t1
                1 __SILENCE__\tfirst
                12 your persona: late .
                13 tell\tno more""")).containsExactly(
                new NumberedExample(1, new DialogExample(List.of("i have two dogs .", "i'm from café ."),
                        List.of("hello\nyou ?"), List.of("no .", "hi .", "yes", "hi ."))),
                new NumberedExample(1, new DialogExample(List.of("i have two dogs .", "i'm from café ."),
                        List.of("hello\nyou ?", "hi .", "and ?"), List.of("so ."))),
                new NumberedExample(2, new DialogExample(List.of(), List.of("__SILENCE__"), List.of("first"))),
                new NumberedExample(2, new DialogExample(List.of("late ."), List.of("__SILENCE__", "first", "tell"),
                        List.of("no more"))));
    }

    @Test
    void windowsFilesWithAByteOrderMark() throws IOException {
        List<NumberedExample> expected = List.of(new NumberedExample(1,
                new DialogExample(List.of("i swim ."), List.of("hello"), List.of("hi"))));
        assertThat(read("\uFEFF1 your persona: i swim .\r\n2 hello\thi\r\n")).isEqualTo(expected);
        assertThat(read("\uFEFF\r\n [{\"utterances\":[{\"history\":[\"hello\"],\"more\":{\"x\":[1]},"
                + "\"candidates\":[\"hi\"]}],\"id\":7,\"personality\":[\"i swim .\"]}]")).isEqualTo(expected);
    }

    @Test
    void badLinesAreNamed() throws IOException {
        isRefused("1 your persona: x\nhello\thi\n", "line 2", "no number");
        isRefused("2 hello\thi\n", "line 1", "the number 2", "expected 1");
        isRefused("1 hello\thi\n3 a\tb\n3 c\td\n", "line 3", "the number 3", "expected 4");
        isRefused("1 hello\n", "line 1", "1 column", "a reply");
        isRefused("1 a\tb\tc\td\te\n", "line 1", "5 columns");
        isRefused("1 \tb\n", "line 1", "utterance is empty");
        isRefused("1 a\t \n", "line 1", "reply is empty");
        isRefused("99999999999999999999 a\tb\n", "line 1", "no number");
        isRefused(new byte[]{'1', ' ', 'a', '\n', (byte) 0xC3, '(', '\n'}, "line 1");
        isRefused(new byte[]{'1', ' ', 'a', '\t', 'b', '\n', '2', ' ', (byte) 0xFF, '\n'}, "line 2", "UTF-8");
    }

    @Test
    void badJsonIsNamed() throws IOException {
        isRefused("{\"train\":[],\"dev\":[]}", "no list valid", "train, dev");
        isRefused("{}", "no list valid");
        isRefused("{\"valid\":{}}", "valid is no list");
        isRefused("{\"valid\":[3]}", "valid[0] is not an object");
        isRefused("[{\"personality\":[],\"utterances\":[]},{\"personality\":[],\"utterances\":[{\"history\":[]}]}]",
                "[1].utterances[0] has no \"candidates\"");
        isRefused("[{\"personality\":[],\"utterances\":[{\"history\":[],\"candidates\":[]}]}]",
                "[0].utterances[0] has no \"candidates\"");
        isRefused("[{\"personality\":[],\"utterances\":[{\"candidates\":[\"x\"]}]}]", "has no \"history\"");
        isRefused("[{\"personality\":\"x\"}]", "[0].personality is not a list");
        isRefused("[{\"personality\":[\"x\",1]}]", "[0].personality[1] is not a string");
        isRefused("[{\"dialog\":[],\"bot_profile\":[]}]", "[0] has no \"personality\"", "dialog, bot_profile");
        isRefused("[{\"personality\":[]}]", "[0] has no \"utterances\"");
        isRefused("[{\"personality\":[],\"utterances\":[", "not JSON");
        isRefused("[\n{\"personality\":]", "line 2", "not JSON");
        isRefused("[{\"personality\":[\"\u00e9\"]".getBytes(StandardCharsets.ISO_8859_1), "not JSON");
        isRefused("[".repeat(5000), "[0] is not an object");
        isRefused("[{\"x\":" + "[".repeat(5000), "not JSON");
    }

    @Test
    void otherFilesAreRefusedInASentence() throws IOException {
        isRefused("", "is empty");
        isRefused("\n\n", "is empty");
        isRefused("user 1 personas,user 2 personas\n\"I love\",\"You\"\n", "is no PersonaChat file", "your persona");
        assertThatThrownBy(() -> ExampleReader.open(folder, null)).hasMessageContaining("is not a file");
        assertThatThrownBy(() -> ExampleReader.open(folder.resolve("nowhere"), null))
                .isInstanceOf(NoSuchFileException.class);
        Path text = Files.writeString(folder.resolve("text"), "1 a\tb\n");
        assertThatThrownBy(() -> ExampleReader.open(text, "train")).hasMessageContaining("no split train");
        Path list = Files.writeString(folder.resolve("list"), "[]");
        assertThatThrownBy(() -> ExampleReader.open(list, "train")).hasMessageContaining("no split train");
        assertThatThrownBy(() -> ExampleFile.scan(list, null)).hasMessageContaining("no replies");
    }

    /** Whatever bytes change, it reads or it says what is wrong. */
    @ParameterizedTest
    @CsvSource({"persona-chat.txt, 1", "persona-chat.json, 2"})
    void damagedFiles(String name, long seed) throws IOException {
        byte[] good = Files.readAllBytes(CHATS.resolve(name));
        SplittableRandom random = new SplittableRandom(seed);
        Path file = folder.resolve("damaged");
        int refused = 0;
        for (int round = 0; round < 300; round++) {
            byte[] bad = good.clone();
            for (int i = random.nextInt(1, 6); i > 0; i--) {
                bad[random.nextInt(bad.length)] = (byte) (random.nextBoolean()
                        ? random.nextInt(256)
                        : "\t\n|1{}[]\":,".charAt(random.nextInt(11)));
            }
            Files.write(file, bad);
            try {
                read(file, null);
            } catch (IOException e) {
                refused++;
                assertThat(e).isExactlyInstanceOf(IOException.class).hasMessageStartingWith(file.toString());
            }
        }
        assertThat(refused).isBetween(30, 299);
    }
}
