package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A chat without a terminal: lines in, lines out. */
class ChatCommandTest {
    private static final String[] QUIET = {"chat", "--seed", "1", "--max-new-tokens", "8", "--persona", "I am tall.",
        "--quiet"};

    @TempDir
    Path folder;

    private static CommandRun chat(String input, String... more) {
        String[] line = Stream.concat(Arrays.stream(QUIET), Arrays.stream(more))
                .toArray(String[]::new);
        return CommandRun.withInput(input, line);
    }

    @Test
    void aLineInIsALineOut() {
        CommandRun run = chat("Hello!\n\n /set temperature 1.1\n/foo\nWho are you?\n/save\nAnd now?");
        assertThat(run.status()).isZero();
        assertThat(run.out().lines().toList()).hasSize(3).noneMatch(String::isBlank);
        assertThat(run.err().lines().toList()).hasSize(2).first().asString()
                .isEqualTo("gpt2 chat: there is no command /foo; there are "
                        + String.join(", ", ChatVerb.allTyped()));
        assertThat(chat("").out()).isEmpty();
        // The same lines give the same replies.
        assertThat(chat("Hello!\n/set temperature 1.1\nWho are you?\nAnd now?\n").out()).isEqualTo(run.out());
        assertThat(chat("Hello!\n/quit\nWho are you?\n").out()).isEqualTo(run.out().lines().findFirst().get() + "\n");
    }

    @Test
    void standardErrorTellsWhatRuns() {
        CommandRun run = CommandRun.withInput("/set top-k 3\n", "chat");
        assertThat(run.status()).isZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains("gpt2 chat: storyteller (reads dialogs as a transcript")
                .contains("temperature 0.7").containsPattern("--seed \\d+ gives the same again")
                .contains("the model is \"").contains("gpt2 chat: top-k 3");
        assertThat(chat("/set top-k 3\n").err()).isEmpty();
    }

    @Test
    void whatIsAskedForIsShown() {
        String out = chat("Hello!\n/rank I am fine. | The moon.\n/persona\n/history\n/suggest\n").out();
        List<String> lines = out.lines().toList();
        assertThat(lines).hasSize(7);
        assertThat(lines.get(1)).matches(" *[0-9.]+ % +-[0-9.]+  I am fine\\.");
        assertThat(lines.get(2)).endsWith("  The moon.");
        assertThat(lines.get(3)).isEqualTo("I am tall.");
        assertThat(lines.get(4)).isEqualTo("you> Hello!");
        assertThat(lines.get(5)).isEqualTo("bot> " + lines.getFirst());
        assertThat(lines.get(6)).isNotBlank();
    }

    @Test
    void repliesAsJson() {
        String input = "Hello!\n\n/rank a | b\n/suggest\n/persona\n/set top-k 3\n/foo\n/history\n";
        CommandRun run = chat(input, "--json");
        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        List<Map<String, Object>> lines = run.objects();
        assertThat(lines).hasSize(7);
        assertThat(lines.get(0)).containsOnlyKeys("text", "ids", "finish_reason");
        assertThat(lines.get(0).get("finish_reason")).isIn("length", "eos", "stop");
        assertThat((List<?>) lines.get(0).get("ids")).isNotEmpty();
        assertThat(lines.get(1)).containsOnlyKeys("ranking");
        assertThat(CommandRun.asObject(((List<?>) lines.get(1).get("ranking")).getFirst())).containsOnlyKeys("index",
                "text", "score", "probability");
        assertThat(lines.get(2)).containsOnlyKeys("suggestion", "ids", "finish_reason");
        assertThat(lines.get(3)).isEqualTo(Map.of("persona", List.of("I am tall.")));
        assertThat(lines.get(4)).isEqualTo(Map.of("done", "top-k 3"));
        assertThat(lines.get(5)).containsOnlyKeys("error");
        assertThat(lines.get(6)).isEqualTo(
                Map.of("history", List.of("you> Hello!", "bot> " + lines.getFirst().get("text"))));
    }

    @Test
    void linesOfJson() {
        CommandRun run = chat("{\"text\":\"Hello!\"}\n{\"text\":\"\"}\n{\"text\":\"/quit\"}\n", "--jsonl");
        assertThat(run.status()).isZero();
        assertThat(run.objects()).hasSize(3).first()
                .isEqualTo(chat("Hello!\n", "--json").objects().getFirst());
        CommandRun bad = chat("{\"text\":\"Hello!\"}\n{\"ids\":[1]}\n", "--jsonl");
        assertThat(bad.status()).isEqualTo(1);
        assertThat(bad.objects()).hasSize(1);
        assertThat(bad.err()).hasLineCount(1).contains("line 2 of standard input");
    }

    @Test
    void nothingThatATerminalWouldObeyIsShown() {
        CommandRun run = chat("Hi\u001b[31m\u009b there\n/persona set \u001b]0;x\u0007 | b\n/history\n/f\u001b[5m\n"
                + "/save \u001b[1m/x\n/load \u001b[1m/x\n/set \u001b[1m 1\n");
        assertThat(run.out() + run.err()).doesNotContain("\u001b", "\u009b", "\u0007");
        assertThat(run.out()).contains("you> Hi?[31m? there");
        assertThat(run.err().lines()).hasSize(4);
    }

    @Test
    void theConversationOfAFileGoesOn() throws IOException {
        Path file = folder.resolve("c.json");
        String whole = chat("Hello!\nWho are you?\nAnd now?\n").out();
        String first = chat("Hello!\n/save " + file + "\n").out();
        CommandRun second = CommandRun.withInput("Who are you?\nAnd now?\n", "chat", "--load", file.toString(),
                "--quiet");
        assertThat(first + second.out()).isEqualTo(whole);
        assertThat(CommandRun.withInput("", "chat", "--load", file.toString()).err())
                .contains("loaded 2 utterances of ");
        assertThat(CommandRun.withInput("/set\n", "chat", "--load", file.toString(), "--temperature", "0.4").out())
                .contains("temperature 0.4\n", "max-new-tokens 8\n", "seed 1\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-gpt2", "tiny-openai-gpt"})
    void aPersonaChatModelRanksByItsHead(String name) {
        String model = Path.of("../engine/src/test/resources/dialog", name).toString();
        CommandRun run = CommandRun.withInput("hello !\n/rank hello ! | bye .\n/suggest\n", "chat", "--model", model,
                "--persona", "i like cats .", "--seed", "1", "--json");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.err()).contains("ranks replies by the next-utterance head").contains("<speaker1>");
        assertThat(run.objects()).hasSize(3);
        assertThat((String) run.objects().getFirst().get("text")).isNotBlank();
        assertThat((List<?>) run.objects().get(1).get("ranking")).hasSize(2);
    }

    @Test
    void ctrlCEndsAChatOfLinesWithWhatWasWritten() {
        Interruption interruption = new Interruption();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        OutputStream out = new OutputStream() {
            @Override
            public void write(int b) {
                bytes.write(b);
                if (b == '\n') {
                    Thread hook = Thread.startVirtualThread(interruption::endCleanly);
                    while (!interruption.requested()) {
                        Thread.onSpinWait();
                    }
                    assertThat(hook.isAlive()).isTrue();
                }
            }
        };
        int status = CommandRun.run("Hello!\nWho are you?\n".getBytes(StandardCharsets.UTF_8), out,
                OutputStream.nullOutputStream(), interruption, QUIET);
        interruption.finished();
        assertThat(status).isEqualTo(130);
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(chat("Hello!\n").out());
    }

    @Test
    void whatCannotBeSaid() throws IOException {
        CommandRun latin = CommandRun.withInput(new byte[]{'a', (byte) 0xfc, '\n'}, QUIET);
        assertThat(latin.status()).isEqualTo(1);
        assertThat(latin.err()).hasLineCount(1).contains("UTF-8");
        assertThat(CommandRun.of("chat", "hello").err()).hasLineCount(1).contains("'hello'");
        Path names = Files.writeString(folder.resolve("who.txt"), "I am one.\n\nI am one.\nI am tall.\n");
        CommandRun two = CommandRun.withInput("/persona random\n/persona random\n", "chat", "--quiet", "--personas",
                names.toString(), "--persona", "I am one.");
        assertThat(two.out()).isEqualTo("I am one.\nI am tall.\nI am one.\n");
    }
}
