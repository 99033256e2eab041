package org.vecformer.cli.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
    private static final String NO_LOCALE = "ANSI_X3.4-1968";

    private static List<byte[]> commandLine(String... entries) {
        List<byte[]> bytes = new ArrayList<>();
        for (String entry : entries) {
            bytes.add(entry.getBytes(StandardCharsets.UTF_8));
        }
        return bytes;
    }

    @Test
    void theBytesOfTheCommandLineCountNotWhatTheLocaleMadeOfThem() throws Exception {
        // Java 17 makes question marks of what it cannot read, Java 25 U+FFFD.
        List<byte[]> line = commandLine("java", "-jar", "x.jar", "generate", "Grüße, 世界 😀?");
        assertThat(Arguments.original(new String[]{"generate", "Gr??e, ?????? ?????"}, line, NO_LOCALE))
                .containsExactly("generate", "Grüße, 世界 😀?");
        assertThat(Arguments.original(new String[]{"generate", "Gr\uFFFD\uFFFDe"}, line, NO_LOCALE))
                .containsExactly("generate", "Grüße, 世界 😀?");
    }

    @Test
    void aReplacementCharacterThatWasTypedIsKept() throws Exception {
        assertThat(Arguments.original(new String[]{"\uFFFD"}, commandLine("java", "M", "\uFFFD"), "UTF-8"))
                .containsExactly("\uFFFD");
    }

    @Test
    void bytesThatAreNoUtf8AreRefused() {
        List<byte[]> line = commandLine("java", "M", "tokenize");
        line.add(new byte[]{'a', (byte) 0xFC, 'b'});
        assertThatThrownBy(() -> Arguments.original(new String[]{"tokenize", "a?b"}, line, NO_LOCALE))
                .isInstanceOf(BadArgumentException.class).hasMessageContaining("argument 2")
                .hasMessageContaining("UTF-8");
    }

    @Test
    void anotherLocaleIsTrustedWithItsOwnBytes() throws Exception {
        List<byte[]> line = commandLine("java", "M");
        line.add(new byte[]{'a', (byte) 0xFC, 'b'});
        assertThat(Arguments.original(new String[]{"aüb"}, line, "ISO-8859-1")).containsExactly("aüb");
    }

    @Test
    void withoutACommandLineLostCharactersAreRefused() throws Exception {
        assertThatThrownBy(() -> Arguments.original(new String[]{"a\uFFFDb"}, null, "Cp1252"))
                .isInstanceOf(BadArgumentException.class).hasMessageContaining("argument 1")
                .hasMessageContaining("Cp1252");
        assertThat(Arguments.original(new String[]{"süß"}, null, "Cp1252")).containsExactly("süß");
    }

    @Test
    void aCommandLineThatDoesNotMatchIsNotUsed() throws Exception {
        // java @options, where the file of options ends in arguments
        assertThat(Arguments.original(new String[]{"generate", "x"}, commandLine("java", "@options", "x"), "UTF-8"))
                .containsExactly("generate", "x");
        assertThat(Arguments.original(new String[]{"a", "b"}, commandLine("b"), "UTF-8")).containsExactly("a", "b");
    }

    @Test
    void anyTextComesBackFromTheEncoding() {
        SplittableRandom random = new SplittableRandom(7);
        for (int round = 0; round < 300; round++) {
            String[] arguments = new String[random.nextInt(5)];
            for (int i = 0; i < arguments.length; i++) {
                StringBuilder text = new StringBuilder();
                int length = random.nextInt(round % 50 == 0 ? 200_000 : 20);
                for (int c = 0; c < length; c++) {
                    int codePoint = random.nextInt(0x11_0000);
                    text.appendCodePoint(codePoint >= 0xD800 && codePoint < 0xE000 ? ' ' : codePoint);
                }
                arguments[i] = text.toString();
            }
            List<String> encoded = Arguments.encode(arguments);
            assertThat(encoded).allMatch(s -> s.length() < 128 * 1024)
                    .allMatch(s -> s.chars().allMatch(c -> c > 0x20 && c < 0x7F));
            assertThat(Arguments.decode(encoded.toArray(String[]::new))).isEqualTo(arguments);
        }
    }

    @Test
    void plainArgumentsTravelAsTheyAre() {
        assertThat(Arguments.needEncoding(new String[]{"generate", "Once upon a \"time\"?", ""}, false)).isFalse();
        assertThat(Arguments.needEncoding(new String[]{"é"}, false)).isTrue();
        assertThat(Arguments.needEncoding(new String[]{"x".repeat(200_000)}, false)).isTrue();
    }

    @Test
    void windowsWouldLoseQuotesAndExpandWildcards() {
        assertThat(Arguments.needEncoding(new String[]{"generate", "plain"}, true)).isFalse();
        for (String argument : List.of("say \"x\"", "what?", "*.txt", "", "a\\", "%PATH%", "two words")) {
            assertThat(Arguments.needEncoding(new String[]{argument}, true)).as(argument).isTrue();
        }
    }

    @Test
    void theProcessesOwnCommandLineIsRead() {
        List<byte[]> line = Arguments.processCommandLine();
        if (line != null) {
            assertThat(new String(line.get(0), StandardCharsets.UTF_8)).endsWith("java");
        }
    }

    @Test
    void optionsForTheVirtualMachineGoOn() {
        List<byte[]> line = commandLine("java", "-Xmx4g", "-cp", "a:b", "--add-modules", "jdk.incubator.vector",
                "-agentlib:jdwp=transport=dt_socket", "-Dx=y", "-jar", "gpt2.jar", "generate", "-Dnot=this");
        assertThat(Launcher.virtualMachineOptions(line, 2))
                .isEqualTo(Arrays.asList("-Xmx4g", "--add-modules", "jdk.incubator.vector", "-Dx=y"));
        assertThat(Launcher.virtualMachineOptions(commandLine("java", "-ea", "org.vecformer.Main", "-x"), 1))
                .containsExactly("-ea");
    }
}
