package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.Activation;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Gpt2Config;

/** Each benchmark of an op runs, untimed, and passes its own check; and the check finds a wrong result. */
class BenchmarksTest {

    static Stream<Arguments> benchmarks() {
        LayerNormBenchmark norm = new LayerNormBenchmark();
        norm.rows = 3;
        ActivationBenchmark activation = new ActivationBenchmark();
        activation.rows = 2;
        activation.activation = Activation.GELU;
        AttentionBenchmark decode = new AttentionBenchmark();
        decode.shape = AttentionBenchmark.Shape.DECODE;
        AttentionBenchmark prompt = new AttentionBenchmark();
        prompt.shape = AttentionBenchmark.Shape.PROMPT;
        List<OpBenchmark> all = new ArrayList<>(List.of(norm, activation, decode, prompt));
        for (WeightType type : WeightType.values()) {
            all.add(matmul(MatmulBenchmark.Shape.PROMPT, type));
        }
        all.add(matmul(MatmulBenchmark.Shape.DECODE, WeightType.INT4));
        return all.stream()
                .flatMap(b -> Stream.of(Twin.values()).map(k -> Arguments.of(b, k)));
    }

    private static MatmulBenchmark matmul(MatmulBenchmark.Shape shape, WeightType weights) {
        MatmulBenchmark matmul = new MatmulBenchmark();
        matmul.shape = shape;
        matmul.weights = weights;
        return matmul;
    }

    @ParameterizedTest
    @MethodSource
    void benchmarks(OpBenchmark benchmark, Twin backend) throws IOException, InterruptedException {
        assumePresent(backend);
        benchmark.backend = backend;
        benchmark.threads = 1;
        benchmark.open();
        benchmark.compute();
        benchmark.checkAndClose();
    }

    private static void assumePresent(Twin backend) {
        assumeTrue(backend != Twin.OPENCL || Devices.present(), Devices.SKIPPED);
    }

    @ParameterizedTest
    @EnumSource
    void forward(Twin backend, @TempDir Path folder) throws IOException, InterruptedException {
        assumePresent(backend);
        RandomModel.write(folder, Gpt2Config.ofSizes(300, 160, 32, 2, 4), 1);
        ForwardBenchmark benchmark = new ForwardBenchmark();
        benchmark.backend = backend;
        benchmark.weights = WeightType.BF16;
        benchmark.threads = 1;
        benchmark.open(folder);
        assertThat(benchmark.decode()).isEqualTo(1);
        assertThat(benchmark.prompt()).isEqualTo(1);
        benchmark.checkAndClose();
    }

    @ParameterizedTest
    @EnumSource(EncoderBenchmark.Batch.class)
    void encoder(EncoderBenchmark.Batch batch, @TempDir Path folder) throws IOException, InterruptedException {
        RandomModel.write(folder, BertConfig.ofSizes(300, 128, 24, 2, 3), 1);
        for (Twin backend : Twin.values()) {
            if (backend == Twin.OPENCL && (batch == EncoderBenchmark.Batch.EIGHT_128 || !Devices.present())) {
                continue;
            }
            EncoderBenchmark benchmark = new EncoderBenchmark();
            benchmark.backend = backend;
            benchmark.weights = WeightType.F32;
            benchmark.batch = batch;
            benchmark.threads = 1;
            benchmark.open(folder);
            assertThat(benchmark.encode().length).isEqualTo(batch.shape().lengths().size());
            benchmark.checkAndClose();
        }
    }

    @ParameterizedTest
    @EnumSource
    void batchDecode(WeightType weights, @TempDir Path folder) throws IOException, InterruptedException {
        RandomModel.write(folder, Gpt2Config.ofSizes(300, 160, 32, 2, 4), 1);
        BatchDecodeBenchmark benchmark = new BatchDecodeBenchmark();
        benchmark.sequences = 3;
        benchmark.weights = weights;
        benchmark.open(folder);
        assertThat(benchmark.step()).isPositive();
        benchmark.checkAndClose();
    }

    @Test
    void integerDot() {
        // It compares all ways with each other.
        IntegerDotBenchmark benchmark = new IntegerDotBenchmark();
        benchmark.prepare();
        benchmark.shortVectors()[5]++;
        assertThat(benchmark.floatMultiplyAdd()).hasSize(128);
        benchmark.check();
    }

    @ParameterizedTest
    @EnumSource
    void decoding(DecodingBenchmark.Strategy strategy, @TempDir Path folder) throws IOException, InterruptedException {
        RandomModel.write(folder, Gpt2Config.ofSizes(300, 160, 24, 2, 3), 1);
        DecodingBenchmark benchmark = new DecodingBenchmark();
        benchmark.strategy = strategy;
        benchmark.weights = WeightType.F32;
        benchmark.open(folder);
        assertThat(benchmark.generate().ids()).hasSize(64);
        benchmark.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void turn(boolean cache, @TempDir Path folder) throws IOException, InterruptedException {
        RandomModel.write(folder, Gpt2Config.ofSizes(300, 160, 24, 2, 3), 1);
        TurnBenchmark benchmark = new TurnBenchmark();
        benchmark.history = 90;
        benchmark.cache = cache;
        benchmark.open(folder);
        assertThat(benchmark.turn().ids()).hasSize(20);
        benchmark.close();
    }

    @ParameterizedTest
    @MethodSource
    void sampling(SamplingBenchmark.Chain chain) {
        SamplingBenchmark benchmark = new SamplingBenchmark();
        benchmark.chain = chain;
        benchmark.prepare();
        assertThat(benchmark.sample()).isBetween(0, 50256);
        benchmark.checkAgain();
    }

    static Stream<SamplingBenchmark.Chain> sampling() {
        return Stream.of(SamplingBenchmark.Chain.values());
    }

    @ParameterizedTest
    @EnumSource
    void samplers(SamplerBenchmark.Stage stage) {
        SamplerBenchmark benchmark = new SamplerBenchmark();
        benchmark.stage = stage;
        benchmark.prepare();
        assertThat(benchmark.apply()).isBetween(1, 50257);
        benchmark.checkAgain();
    }

    @ParameterizedTest
    @EnumSource
    void aWrongResultEndsTheBenchmark(Twin backend) throws IOException, InterruptedException {
        assumePresent(backend);
        LayerNormBenchmark benchmark = new LayerNormBenchmark();
        benchmark.backend = backend;
        benchmark.threads = 1;
        benchmark.rows = 1;
        benchmark.open();
        benchmark.spoil();
        assertThatThrownBy(benchmark::checkAndClose).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("layerNorm is wrong");
    }
}
