package org.vecformer.cli.dialog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.cli.dialog.Conversation.Speaker;
import org.vecformer.cli.dialog.Conversation.Utterance;

class ConversationFileTest {
    @TempDir
    Path folder;

    private static Conversation sample() {
        Map<String, String> sampling = new LinkedHashMap<>();
        sampling.put("temperature", "0.7");
        sampling.put("top-k", "5");
        sampling.put("presence-penalty", "-1.0E-5");
        sampling.put("greedy", "true");
        return new Conversation("tiny \"model\"", List.of("I am Zoë.", "世界 😀"), List.of("a\nb"), sampling, -7, 3,
                List.of(new Utterance(Speaker.USER, "hi\u001b[31m", false), new Utterance(Speaker.BOT, "", false),
                        new Utterance(Speaker.USER, "  spaces  ", false), new Utterance(Speaker.BOT, "so", true)));
    }

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("conversation.json"), text);
    }

    @Test
    void whatIsReadIsWhatWasWritten() throws IOException {
        String text = ConversationFile.text(sample());
        assertThat(ConversationFile.read(file(text))).isEqualTo(sample());
        assertThat(text).contains("\"temperature\" : 0.7", "\"top-k\" : 5", "\"presence-penalty\" : -1.0E-5",
                "\"greedy\" : true", "\"stopped\" : true", "\"seed\" : -7").doesNotContain("\u001b");
        assertThat(text.split("\"stopped\"")).hasSize(2);
    }

    @Test
    void theSmallestConversation() throws IOException {
        assertThat(ConversationFile
                .read(file("{\"version\":1,\"utterances\":[],\"format\":\"vecformer-conversation\"}")))
                .isEqualTo(new Conversation("", List.of(), List.of(), Map.of(), 0, 0, List.of()));
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', delimiter = ';', value = {
        // What is wrong; instead of what; this
        "not JSON ; { ; {{", "expected a JSON object ; { ; [{}] {", "format ; vecformer-conversation ; something",
        "version ; \"version\" : 1 ; \"version\" : 2", "whole number ; \"version\" : 1 ; \"version\" : 1.5",
        "whole number ; \"version\" : 1 ; \"version\" : \"1\"", "not a string ; \"tiny \\\"model\\\"\" ; 5",
        "not a list ; [ \"I am Zoë.\", \"世界 😀\" ] ; {}", "not a string ; \"I am Zoë.\" ; null",
        "not an object ; \"sampling\" : { ; \"sampling\" : 5, \"x\" : {",
        "not a number ; \"top-k\" : 5 ; \"top-k\" : [5]", "not a number ; \"top-k\" : 5 ; \"top-k\" : null",
        "up to 1000000 ; \"drawn\" : 3 ; \"drawn\" : 2000000", "drawn replies is -1 ; \"drawn\" : 3 ; \"drawn\" : -1",
        "whole number ; \"seed\" : -7 ; \"seed\" : 99999999999999999999", "not JSON ; \"seed\" : -7 ; \"drawn\" : 3",
        "no utterances ; \"utterances\" ; \"persona\"", "unknown field \"mood\" ; \"seed\" ; \"mood\"",
        "unknown field \"mood\" ; \"stopped\" ; \"mood\"", "true or false ; \"stopped\" : true ; \"stopped\" : 1",
        "speaker ; \"bot\" ; \"model\"", "in turn ; \"bot\" ; \"user\"", "not a string ; \"so\" ; 7",
        "not a string ; \"text\" : \"so\" ; \"text\" : {}", "no text ; \"text\" : \"so\", ; ``"})
    void whatIsWrongIsSaid(String expected, String part, String instead) throws IOException {
        String good = ConversationFile.text(sample());
        assertThat(good).contains(part);
        // "persona" is there already: a second one is no JSON to this reader.
        Path file = file(part.equals("\"utterances\"")
                ? "{\"format\":\"vecformer-conversation\",\"version\":1}"
                : good.replaceFirst(java.util.regex.Pattern.quote(part),
                        java.util.regex.Matcher.quoteReplacement(instead)));
        assertThatThrownBy(() -> ConversationFile.read(file)).isInstanceOf(IOException.class)
                .hasMessageContaining("conversation.json is not a saved conversation: ").hasMessageContaining(expected);
    }

    @Test
    void theUserHasNotTheLastWord() throws IOException {
        Path file = file("{\"format\":\"vecformer-conversation\",\"version\":1,\"utterances\":"
                + "[{\"speaker\":\"user\",\"text\":\"hi\"}]}");
        assertThatThrownBy(() -> ConversationFile.read(file)).isInstanceOf(IOException.class)
                .hasMessageContaining("the last utterance is the user's");
        assertThatThrownBy(() -> ConversationFile.read(file(ConversationFile.text(sample()) + "{}")))
                .hasMessageContaining("behind the JSON object");
    }

    @Test
    void whatIsNoFile() {
        assertThatThrownBy(() -> ConversationFile.read(folder)).isInstanceOf(IOException.class)
                .hasMessageContaining("is not a file");
        assertThatThrownBy(() -> ConversationFile.read(folder.resolve("none"))).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> ConversationFile.read(Path.of("/dev/zero"))).isInstanceOf(IOException.class);
    }

    @Test
    void damagedFilesAreRefusedOrRead() throws IOException {
        byte[] good = ConversationFile.text(sample()).getBytes(StandardCharsets.UTF_8);
        Random random = new Random(5);
        int refused = 0;
        for (int i = 0; i < 3000; i++) {
            byte[] bad = good.clone();
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                bad[random.nextInt(bad.length)] = (byte) (random.nextBoolean()
                        ? random.nextInt(256)
                        : "{}[]\",:0-e\\".charAt(random.nextInt(11)));
            }
            Path file = Files.write(folder.resolve("bad"),
                    random.nextInt(4) == 0 ? Arrays.copyOf(bad, random.nextInt(bad.length)) : bad);
            try {
                ConversationFile.read(file);
            } catch (IOException e) {
                refused++;
                assertThat(e).hasMessageContaining("bad is not a saved conversation");
            }
        }
        assertThat(refused).isGreaterThan(1000);
        Path deep = Files.writeString(folder.resolve("deep"), "{\"persona\":" + "[".repeat(1_000_000));
        assertThatThrownBy(() -> ConversationFile.read(deep)).isInstanceOf(IOException.class);
    }
}
