package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.jline.reader.LineReader;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vecformer.cli.dialog.ConversationFile;

/** {@code gpt2 chat} of target/gpt2.jar on a terminal: keys that are typed into it, and what its screen shows. */
class ChatIT {
    private static final String PROMPT = "you>";
    private static final String[] TALL = {"chat", "--persona", "I am tall.", "--persona", "I like cats.", "--seed",
        "1", "--max-new-tokens", "8"};

    @TempDir
    Path folder;

    static Stream<String> javas() {
        return JarProcess.javas().stream();
    }

    @BeforeEach
    void tmux() {
        assumeTrue(TmuxScreen.isThere(), "skipped: no tmux here, which types and reads the screen");
    }

    private static TmuxScreen start(String... arguments) throws InterruptedException {
        TmuxScreen screen = TmuxScreen.start(JarProcess.thisJava(), 100, 40, arguments);
        screen.awaitLine(PROMPT);
        return screen;
    }

    /** What the same conversation has as lines. */
    private static List<String> replies(String... lines) {
        CommandRun run = CommandRun.withInput(String.join("\n", lines) + "\n", TALL);
        assertThat(run.status()).isZero();
        return run.out().lines().toList();
    }

    @ParameterizedTest
    @MethodSource("javas")
    void aConversation(String java) throws Exception {
        List<String> replies = replies("Hello there!", "Who are you?");
        try (TmuxScreen screen = TmuxScreen.start(java, 100, 40, TALL)) {
            screen.awaitLine(PROMPT);
            assertThat(screen.text()).contains("the model is \"I am tall. I like cats.\"", "transcript", "/help",
                    "Ctrl-D ends the chat");
            // Mistyped, and mended in the middle of the line.
            screen.type("Helo theree!").keys("Left", "BSpace", "Home", "Right", "Right").type("l").keys("Enter");
            screen.awaitText("you> Hello there!\nbot> " + replies.get(0) + "\n" + PROMPT);
            screen.type("Nothing").keys("C-u").enter("Who are you?");
            screen.awaitText("you> Who are you?\nbot> " + replies.get(1) + "\n" + PROMPT);
            screen.keys("Up");
            screen.awaitLine("you> Who are you?");
            screen.keys("Up");
            screen.awaitLine("you> Hello there!");
            screen.keys("Down", "C-u");
            screen.awaitLine(PROMPT);
            screen.enter("/persona");
            screen.awaitText("The model is \"I am tall. I like cats.\"\n" + PROMPT);
            screen.keys("C-d");
            assertThat(screen.awaitText("status=")).contains("status=0");
            // The terminal is again as it was.
            assertThat(screen.awaitText("iexten")).contains(" isig icanon iexten echo ".strip());
        }
    }

    @Test
    void commands() throws Exception {
        Path file = folder.resolve("saved.json");
        String suggestion = replies("Hello!", "/suggest").get(1);
        try (TmuxScreen screen = start(TALL)) {
            screen.enter("Hello!");
            screen.await("a reply", text -> text.contains("bot> ") && text.endsWith(PROMPT));
            // Into the line, to be changed and said.
            screen.enter("/suggest");
            screen.awaitLine("you> " + suggestion);
            screen.type(" Really?").keys("Enter");
            screen.await("a second reply",
                    text -> text.contains("you> " + suggestion + " Really?\nbot> ") && text.endsWith(PROMPT));
            screen.enter("/rank I am fine. | The moon.");
            assertThat(screen.await("a ranking", text -> text.contains("The moon.\n") && text.endsWith(PROMPT)))
                    .containsPattern("[0-9.]+ % +-[0-9.]+  I am fine\\.\n");
            screen.type("/se").keys("Tab").type("temp").keys("Tab").type("0.5").keys("Enter");
            screen.awaitText("temperature 0.5\n" + PROMPT);
            screen.enter("/set temperature cold");
            screen.awaitText("'cold'");
            screen.enter("/prsona");
            screen.awaitText("there is no command /prsona; did you mean /persona?\n" + PROMPT);
            screen.enter("/save " + file);
            screen.awaitText("saved 4 utterances to ");
            assertThat(ConversationFile.read(file).utterances()).hasSize(4);
            screen.enter("/reset");
            screen.awaitText("a new conversation\n" + PROMPT);
            screen.enter("/load " + file);
            screen.awaitText("loaded 4 utterances of ");
            screen.enter("/history");
            screen.await("the history",
                    text -> text.split("you> Hello!\nbot> ", -1).length == 3 && text.endsWith(PROMPT));
            screen.enter("/quit");
            assertThat(screen.awaitText("status=")).contains("status=0");
        }
    }

    @Test
    void ctrlCStopsTheReplyAndNotTheProgram() throws Exception {
        try (TmuxScreen screen = start("chat", "--persona", "I am tall.", "--min-new-tokens", "440", "--max-new-tokens",
                "440", "--backend", "scalar", "--threads", "1", "--seed", "1")) {
            // It may be done before the key is there.
            for (int i = 1; i <= 10 && !screen.text().contains("[stopped]"); i++) {
                int number = i;
                screen.enter("Tell me more.");
                screen.await("the beginning of a reply", text -> text.split("\nbot> ", -1).length == number + 1);
                screen.keys("C-c");
                screen.awaitLine(PROMPT);
            }
            assertThat(screen.text()).containsPattern("\nbot> .*\\[stopped\\]\nyou>").doesNotContain("status=");
            screen.enter("/set min-new-tokens 1").enter("/set max-new-tokens 5").enter("/history");
            screen.await("the history", text -> text.split("\\[stopped\\]", -1).length >= 3 && text.endsWith(PROMPT));
            // What is typed while a reply is written is the next line.
            screen.enter("And then?").enter("/persona");
            screen.await("both", text -> text.contains("The model is \"I am tall.\"") && text.endsWith(PROMPT));
            screen.type("half a line").keys("C-c");
            screen.awaitLine(PROMPT);
            screen.keys("C-c");
            screen.awaitText("Ctrl-D or /quit ends the chat; so does Ctrl-C once more.\n" + PROMPT);
            screen.enter("/persona");
            screen.await("the persona again",
                    text -> text.split("The model is \"I am tall", -1).length == 3 && text.endsWith(PROMPT));
            screen.keys("C-c");
            screen.await("it said again",
                    text -> text.split("so does Ctrl-C once more", -1).length == 3 && text.endsWith(PROMPT));
            screen.keys("C-c");
            assertThat(screen.awaitText("status=")).contains("status=130");
            assertThat(screen.awaitText("iexten")).contains("isig icanon iexten echo");
        }
    }

    @Test
    void aNarrowTerminalAndWideCharacters() throws Exception {
        try (TmuxScreen screen = TmuxScreen.start(JarProcess.thisJava(), 24, 30, "chat", "--quiet", "--seed", "1",
                "--persona", "I am tall.", "--max-new-tokens", "30", "--min-new-tokens", "30")) {
            screen.awaitLine(PROMPT);
            screen.type("Grüße, 世界 😀! It is a long way to the end of this line.").keys("Left", "BSpace").type("e?")
                    .keys("Enter");
            screen.await("a reply", text -> text.contains("bot> ") && text.endsWith(PROMPT));
            screen.resize(60, 30);
            screen.enter("/history");
            String text = screen.await("the history",
                    all -> all.contains("you> Grüße, 世界 😀! It is a long way to the end of this line?.")
                            && all.endsWith(PROMPT));
            assertThat(text).doesNotContain("\u001b");
        }
    }

    @Test
    void personaChatModels() throws Exception {
        for (String name : List.of("tiny-gpt2", "tiny-openai-gpt")) {
            String model = Path.of("../engine/src/test/resources/dialog", name).toAbsolutePath().normalize().toString();
            try (TmuxScreen screen = start("chat", "--model", model, "--persona", "i like cats .", "--seed", "2")) {
                assertThat(screen.text()).contains("next-utterance head");
                screen.enter("hello !");
                screen.await("a reply", text -> text.contains("\nbot> ") && text.endsWith(PROMPT));
                screen.enter("/rank hello ! | i like dogs .");
                screen.await("a ranking", text -> text.contains(" %  ") && text.endsWith(PROMPT));
                screen.keys("C-d");
                assertThat(screen.awaitText("status=")).contains("status=0");
            }
        }
    }

    /** As in a pipe: nothing but replies on standard output. */
    @ParameterizedTest
    @MethodSource("javas")
    void linesInLinesOut(String java) throws Exception {
        try (JarProcess gpt2 = JarProcess.start(java, TALL)) {
            for (String line : List.of("Hello there!", "Who are you?")) {
                int before = gpt2.out().length();
                gpt2.input().write((line + "\n").getBytes(StandardCharsets.UTF_8));
                gpt2.input().flush();
                gpt2.awaitOutput(before + 1);
                while (!gpt2.out().endsWith("\n")) {
                    Thread.sleep(5);
                }
            }
            gpt2.input().close();
            assertThat(gpt2.await()).isZero();
            assertThat(gpt2.out().lines()).containsExactlyElementsOf(replies("Hello there!", "Who are you?"));
        }
    }

    /** Only a chat on a terminal pays for JLine. */
    @Test
    void nothingElseLoadsWhatATerminalNeeds() throws Exception {
        try (JarFile jar = new JarFile(JarProcess.jar().toFile())) {
            assertThat(jar.getEntry(LineReader.class.getName().replace('.', '/') + ".class")).isNotNull();
        }
        for (String command : List.of("generate Once --max-new-tokens 2", "tokenize Once", "chat --help", "chat")) {
            Path logs = Files.createDirectory(folder.resolve("classes-" + command.length()));
            try (JarProcess gpt2 = JarProcess.shell(Map.of("LOG", logs + "/%p"), JarProcess.thisJava(),
                    "echo Hello | \"$JAVA\" -Xlog:class+load:file=\"$LOG\" -jar \"$JAR\" " + command)) {
                assertThat(gpt2.await()).as(gpt2.err()).isZero();
            }
            assertThat(classes(logs)).as(command).contains(Main.class.getName())
                    .noneMatch(name -> name.startsWith("org.jline."));
        }
    }

    /** The names of the classes that the launcher and its child loaded. */
    private static List<String> classes(Path logs) throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.list(logs)) {
            for (Path file : files.toList()) {
                // [0.041s][info][class,load] java.lang.Object source: shared objects file
                Files.readAllLines(file).forEach(line -> names.add(line.replaceAll("^\\S+ (\\S+) source:.*", "$1")));
            }
        }
        return names;
    }
}
