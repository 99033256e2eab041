package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.dialog.ReplyOptions;
import org.vecformer.engine.sampler.SamplerKind;

class ReplySettingsTest {
    @Test
    void withoutAnySettingRepliesAreAsTheEngineHasThem() {
        ReplySettings settings = new ReplySettings();
        settings.check();
        ReplyOptions options = settings.options(5);
        ReplyOptions defaults = ReplyOptions.defaults().withSeed(5);
        assertThat(options).usingRecursiveComparison().ignoringFields("sampling").isEqualTo(defaults);
        assertThat(options.sampling()).hasToString(defaults.sampling().toString()).hasToString("Sampling[top_p]");
        assertThat(settings.given()).isEmpty();
        assertThat(settings.effective()).containsExactly(entry("min-new-tokens", "1"), entry("max-new-tokens", "20"),
                entry("max-history", "2"), entry("temperature", "0.7"), entry("top-p", "0.9"));
    }

    @Test
    void aChangeIsANewObject() {
        ReplySettings before = new ReplySettings();
        ReplySettings after = before.with("temperature", "1.5").with("top-k", "7").with("max-new-tokens", "5")
                .with("max-history", "0").with("repetition-penalty", "1.2").with("top-p", "1");
        assertThat(before.given()).isEmpty();
        assertThat(after.given()).containsOnly(entry("temperature", "1.5"), entry("top-k", "7"),
                entry("max-new-tokens", "5"), entry("max-history", "0"), entry("repetition-penalty", "1.2"),
                entry("top-p", "1.0"));
        ReplyOptions options = after.options(1);
        assertThat(options.temperature()).isEqualTo(1.5);
        assertThat(options.maxNewTokens()).isEqualTo(5);
        assertThat(options.historyTurns()).isZero();
        assertThat(options.sampling().has(SamplerKind.TOP_K)).isTrue();
        assertThat(options.sampling().has(SamplerKind.TOP_P)).isFalse();
        assertThat(ReplySettings.of(after.given()).given()).isEqualTo(after.given());
        assertThat(after.with("top-k", "default").given()).doesNotContainKey("top-k");
    }

    @Test
    void greedyIsASwitch() {
        ReplySettings greedy = new ReplySettings().with("greedy", "on");
        assertThat(greedy.options(1).greedy()).isTrue();
        assertThat(greedy.options(1).seed()).isEmpty();
        assertThat(greedy.effective()).containsEntry("greedy", "true").doesNotContainKeys("temperature", "top-p");
        assertThat(greedy.with("greedy", "off").options(1).greedy()).isFalse();
        assertThatThrownBy(() -> greedy.with("temperature", "2")).isInstanceOf(UsageException.class)
                .hasMessageContaining("--greedy");
    }

    @Test
    void aBoundMovesTheOtherDefault() {
        assertThat(new ReplySettings().with("min-new-tokens", "30").options(1).maxNewTokens()).isEqualTo(30);
        assertThat(new ReplySettings().with("min-new-tokens", "0").options(1).minNewTokens()).isZero();
        assertThatThrownBy(() -> new ReplySettings().with("max-new-tokens", "5").with("min-new-tokens", "6"))
                .isInstanceOf(UsageException.class).hasMessageContaining("6 is more than --max-new-tokens 5");
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Map<String, String> bad = Map.of("temperature", "0", "top-p", "NaN", "max-new-tokens", "0", "max-history", "-1",
                "top-k", "many", "seed", "1e3", "min-p", "true", "greedy", "0.5");
        bad.forEach((name, value) -> assertThatThrownBy(() -> new ReplySettings().with(name, value)).as(name)
                .isInstanceOf(UsageException.class).hasMessageContaining("--" + name));
        assertThatThrownBy(() -> new ReplySettings().with("temprature", "1")).isInstanceOf(UsageException.class)
                .hasMessage("there is no setting 'temprature'; did you mean temperature?");
        assertThatThrownBy(() -> ReplySettings.of(Map.of("model", "x"))).isInstanceOf(UsageException.class);
        assertThatThrownBy(() -> ReplySettings.of(Map.of("top-k=5 --seed", "x"))).isInstanceOf(UsageException.class);
        assertThatThrownBy(() -> ReplySettings.of(Map.of("", "x"))).isInstanceOf(UsageException.class);
    }
}
