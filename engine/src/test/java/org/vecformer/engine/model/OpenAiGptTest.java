package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.TestModels.Names;
import org.vecformer.engine.TestModels.Shape;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.ModelFiles;

/** Files of OpenAI GPTs, new and old, and what a model without a multiple choice head says. */
class OpenAiGptTest {

    @TempDir
    private Path folder;

    private static final int[] IDS = new Random(3).ints(40, 0, Shape.ODD.vocabulary()).toArray();

    /** The logits of the last token and, behind them, the choice. */
    private static float[] run(Gpt model) {
        try (Session session = model.openSession(SessionOptions.defaults());
                Sequence sequence = session.newSequence()) {
            session.feed(sequence, IDS, 0, IDS.length);
            float[] numbers = new float[model.outputs() + 1];
            session.logits(0, numbers);
            numbers[model.outputs()] = session.choice(0);
            return numbers;
        }
    }

    @Test
    void oldNamesAreTheSameModel() throws IOException {
        Path now = TestModels.writeOpenAi(folder.resolve("new"), Shape.ODD, 5, DType.F32, Names.NEW);
        Path old = TestModels.writeOpenAi(folder.resolve("old"), Shape.ODD, 5, DType.F32, Names.OLD);
        try (Engine engine = TestBackends.open(2);
                Gpt expected = Gpt.load(engine, ModelFiles.of(now), LoadOptions.defaults());
                Gpt actual = Gpt.load(engine, ModelFiles.of(old), LoadOptions.defaults())) {
            assertThat(actual).isInstanceOf(OpenAiGpt.class);
            assertThat(actual.config()).isEqualTo(expected.config());
            assertThat(actual.parameters()).isEqualTo(expected.parameters());
            assertThat(run(actual)).isEqualTo(run(expected)).doesNotContain(Float.NaN);
        }
    }

    @Test
    void onlyAModelWithAChoiceHeadChooses() throws IOException {
        Path plain = TestModels.write(folder.resolve("plain"), Shape.ODD, 5, DType.F32);
        try (Engine engine = TestBackends.open(1);
                Gpt model = Gpt.load(engine, ModelFiles.of(plain), LoadOptions.defaults())) {
            assertThat(model.hasChoiceHead()).isFalse();
            assertThat(model.isLanguageModel()).isTrue();
            assertThatIllegalStateException().isThrownBy(() -> run(model))
                    .withMessage("the model has no multiple choice head");
        }
    }

    @Test
    void aTensorThatIsMissingIsNamed() throws IOException {
        Path directory = TestModels.writeOpenAi(folder.resolve("short"), Shape.ODD, 5, DType.F32, Names.NEW);
        Path config = directory.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"n_layer\": 2", "\"n_layer\": 3"));
        try (Engine engine = TestBackends.open(1)) {
            assertThatExceptionOfType(FormatException.class)
                    .isThrownBy(() -> Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults()).close())
                    .withMessageContaining("h.2.ln_1.weight");
            // A GPT-2's config beside an OpenAI GPT's weights.
            Files.writeString(config, Files.readString(config).replace("openai-gpt", "gpt2").replace("afn", "x"));
            assertThatExceptionOfType(FormatException.class)
                    .isThrownBy(() -> Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults()).close())
                    .withMessageContaining("has no tensor wpe.weight");
        }
    }
}
