package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedSequence;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.Timing;
import org.vecformer.engine.generation.TokenLogprob;
import org.vecformer.engine.generation.TokenScore;

/** Small things of generate's options and of what it shows. */
class ValuesTest {
    @Test
    void listsHaveCommasBetweenAndMayHoldThem() {
        assertThat(Values.list("a, b,c")).containsExactly("a", " b", "c");
        assertThat(Values.list("a\\,b,\\\\,\\n")).containsExactly("a,b", "\\", "\\n");
        assertThat(Values.list("")).containsExactly("");
        assertThat(Values.list(",")).containsExactly("", "");
    }

    @Test
    void escapesStandForCharacters() {
        assertThat(Values.unescaped("a\\n\\t\\r\\\\n\\x\\")).isEqualTo("a\n\t\r\\n\\x\\");
    }

    @Test
    void coloursAreForTerminalsUnlessTheEnvironmentSaysElse() {
        assertThat(ProbabilityColours.of(true, Map.of()).colours()).isTrue();
        assertThat(ProbabilityColours.of(false, Map.of()).colours()).isFalse();
        assertThat(ProbabilityColours.of(true, Map.of("NO_COLOR", "1")).colours()).isFalse();
        assertThat(ProbabilityColours.of(true, Map.of("NO_COLOR", "")).colours()).isTrue();
        assertThat(ProbabilityColours.of(false, Map.of("FORCE_COLOR", "1")).colours()).isTrue();
        assertThat(ProbabilityColours.of(false, Map.of("FORCE_COLOR", "1", "NO_COLOR", "1")).colours()).isFalse();
        assertThat(List.of(0.0, 0.04, 0.05, 0.3, 0.5, 0.8, 1.0)).extracting(ProbabilityColours::level)
                .containsExactly(0, 0, 1, 2, 3, 4, 4);
        assertThat(ProbabilityColours.level(Double.NaN)).isZero();
        assertThat(new ProbabilityColours(true).show("a\nb", 0.9))
                .isEqualTo("\u001b[48;5;120;30ma\u001b[0m\n\u001b[48;5;120;30mb\u001b[0m");
    }

    @Test
    void whatAModelWritesIsEscapedInThePage() {
        assertThat(ProbabilityPage.escaped("<b a=\"x\" c='y'>&\u0000\u001b\u007f\u0085\n"))
                .isEqualTo("&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;\u2400\u241b\u2421\ufffd\n");
    }

    @Test
    void aPageWithoutTokenizerShowsIds() {
        GeneratedSequence sequence = new GeneratedSequence(new int[]{7, 8}, "", FinishReason.LENGTH,
                OptionalDouble.of(-1.5), List.of(new TokenScore(7, -0.1, List.of(new TokenLogprob(7, -0.1))),
                        new TokenScore(8, -4, List.of(new TokenLogprob(9, -0.2)))));
        String page = ProbabilityPage.of("<model>",
                "5 6", new GenerationResult(new int[]{5, 6}, List.of(sequence), new Timing(0, 0, 2, 1)), null);
        assertThat(page).contains("<title>&lt;model&gt;</title>").contains("score -1.5000")
                .contains("class=\"t p4\" tabindex=\"0\">7 <").contains("class=\"t p0\" tabindex=\"0\">8 <")
                .contains("token 9");
    }
}
