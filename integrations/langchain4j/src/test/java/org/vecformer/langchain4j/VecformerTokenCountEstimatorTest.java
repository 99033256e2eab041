package org.vecformer.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.CustomMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vecformer.tokenizer.Tokenizer;

/**
 * The contract of {@link dev.langchain4j.model.TokenCountEstimator} as its javadoc has it: langchain4j-core ships no tests
 * of it.
 */
class VecformerTokenCountEstimatorTest {

    private static Tokenizer gpt;
    private static Tokenizer bert;

    @BeforeAll
    static void load(@TempDir Path directory) throws IOException {
        gpt = Tokenizer.load(Storyteller.DIRECTORY);
        bert = Tokenizer.load(TinyBert.write(directory, 0));
    }

    private static int count(String text) {
        return gpt.ids(text).length;
    }

    @Test
    void aTextCountsAsTheModelSeesIt() {
        VecformerTokenCountEstimator estimator = new VecformerTokenCountEstimator(gpt);
        for (String text : List.of("", " ", "Once upon a time", "caf\u00e9 \ud83d\ude00\n\n", "x".repeat(1000))) {
            assertThat(estimator.estimateTokenCountInText(text)).as(text).isEqualTo(count(text));
        }
        assertThat(new VecformerTokenCountEstimator(bert).estimateTokenCountInText("the sky is blue")).isEqualTo(6);
    }

    static Stream<ChatMessage> messages() {
        return Stream.of(SystemMessage.from("Once upon a time"), UserMessage.from("Once upon a time"),
                UserMessage.from("Tom", "Once upon a time"), AiMessage.from("Once upon a time"),
                AiMessage.builder().text("Once upon a time").thinking("How do stories begin?").build());
    }

    @ParameterizedTest
    @MethodSource("messages")
    void aMessageCountsAsItsText(ChatMessage message) {
        assertThat(new VecformerTokenCountEstimator(gpt).estimateTokenCountInMessage(message))
                .isEqualTo(count("Once upon a time")).isPositive();
    }

    @Test
    void messagesCountAsTheirSum() {
        VecformerTokenCountEstimator estimator = new VecformerTokenCountEstimator(gpt);
        UserMessage twoTexts = UserMessage.from(TextContent.from("Once upon"), TextContent.from("a time"));
        assertThat(estimator.estimateTokenCountInMessage(twoTexts)).isEqualTo(count("Once upon") + count("a time"));
        assertThat(estimator.estimateTokenCountInMessages(
                List.of(SystemMessage.from("Tell a story."), twoTexts, AiMessage.from("There was a girl."))))
                .isEqualTo(count("Tell a story.") + count("Once upon") + count("a time") + count("There was a girl."));
        assertThat(estimator.estimateTokenCountInMessages(List.of())).isZero();
    }

    static Stream<ChatMessage> noTexts() {
        ToolExecutionRequest request = ToolExecutionRequest.builder().id("1").name("add").arguments("{}").build();
        return Stream.of(AiMessage.from(request), AiMessage.from("text", List.of(request)),
                ToolExecutionResultMessage.from(request, "2"), CustomMessage.from(Map.of("text", "Once")),
                UserMessage.from(TextContent.from("Once"), ImageContent.from("http://localhost/cat.png")));
    }

    @ParameterizedTest
    @MethodSource("noTexts")
    void refusesWhatIsNotText(ChatMessage message) {
        VecformerTokenCountEstimator estimator = new VecformerTokenCountEstimator(gpt);
        assertThatThrownBy(() -> estimator.estimateTokenCountInMessage(message))
                .isInstanceOf(UnsupportedFeatureException.class);
        assertThatThrownBy(() -> estimator.estimateTokenCountInMessages(List.of(message)))
                .isInstanceOf(UnsupportedFeatureException.class);
    }
}
