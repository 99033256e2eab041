package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.CpuLimits;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Samples;

class RandomModelTest {

    private static final Gpt2Config TINY = Gpt2Config.ofSizes(300, 128, 24, 2, 3);

    @TempDir
    Path folder;

    @Test
    void theModelLoadsAndComputesSomething() throws IOException {
        RandomModel.write(folder, TINY, 1);
        try (Engine engine = Engine.create(EngineOptions.defaults().withBackend(BackendChoice.SCALAR).withThreads(1));
                Gpt model = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
                SpeedRun run = new SpeedRun(model, new SpeedRun.Plan(10, 5, List.of(2), 2, 0.001));
                Limits limits = new CpuLimits(1, 1)) {
            assertThat(model.config()).isEqualTo(TINY);
            // Hand-counted: embeddings (300 + 128) x 24, two blocks of 7224, the last norm 48.
            assertThat(model.parameters()).isEqualTo(428 * 24 + 2 * 7224 + 48);

            SpeedRun.Result result = run.run(limits);

            for (Samples samples : List.of(result.prompt(), result.decode(), result.batches().getFirst(),
                    result.readBandwidth(), result.fmaPeak())) {
                assertThat(samples.values()).hasSize(2);
                assertThat(samples.least()).isPositive();
                assertThat(samples.most()).isFinite();
            }
        }
    }

    @Test
    void aBertLoadsAndComputesSomething() throws IOException {
        BertConfig config = BertConfig.ofSizes(300, 64, 24, 2, 3);
        RandomModel.write(folder, config, 1);
        try (Engine engine = Engine.create(EngineOptions.defaults().withBackend(BackendChoice.SCALAR).withThreads(1));
                VecformerEncoder encoder = VecformerEncoder.load(engine, ModelFiles.of(folder), WeightType.F32);
                var prepared = encoder.prepare(List.of(new int[]{7, 200, 31}, new int[]{8, 200, 31}))) {
            assertThat(encoder.config()).isEqualTo(config);
            // Hand-counted: embeddings (300 + 64 + 2) x 24 and their norm, two blocks of 7224, the pooler 600.
            assertThat(encoder.parameters()).isEqualTo(366 * 24 + 48 + 2 * 7224 + 600);
            float[][] vectors = prepared.encode();
            double square = 0;
            for (float x : vectors[0]) {
                square += x * x;
            }
            assertThat(square).isCloseTo(1, within(1e-5));
            assertThat(vectors[1]).isNotEqualTo(vectors[0]);
        }
    }

    @Test
    void theSameSeedGivesTheSameBytes() throws IOException {
        RandomModel.write(folder.resolve("a"), TINY, 7);
        RandomModel.write(folder.resolve("b"), TINY, 7);
        RandomModel.write(folder.resolve("c"), TINY, 8);
        byte[] a = weights("a");
        assertThat(weights("b")).isEqualTo(a);
        assertThat(weights("c")).hasSameSizeAs(a).isNotEqualTo(a);
        assertThat(folder.resolve("a/config.json")).hasSameTextualContentAs(folder.resolve("b/config.json"));
    }

    private byte[] weights(String model) throws IOException {
        return Files.readAllBytes(folder.resolve(model).resolve("model.safetensors"));
    }

    @Test
    void aTemporaryModelLeavesNothingBehind() throws IOException {
        Path directory;
        try (TemporaryModel model = TemporaryModel.create(TINY)) {
            directory = model.directory();
            assertThat(directory.resolve("model.safetensors")).isRegularFile();
            // What an interrupted writer would leave.
            Files.writeString(directory.resolve(".model.safetensors.1.tmp"), "half");
        }
        assertThat(directory).doesNotExist();
    }
}
