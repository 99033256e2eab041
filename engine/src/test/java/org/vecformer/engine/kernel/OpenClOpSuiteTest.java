package org.vecformer.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.TestDevices;
import org.vecformer.engine.tensor.Tensor;

/** The op suite on an OpenCL device, where every result has the same bits from run to run. */
@Tag("opencl")
class OpenClOpSuiteTest extends OpSuite {

    private static Engine engine;

    @BeforeAll
    static void open() {
        engine = Engine.create(EngineOptions.defaults().withDevice(TestDevices.choiceOrSkip()));
    }

    @AfterAll
    static void close() {
        if (engine != null) {
            engine.close();
        }
    }

    @Override
    Backend tested() {
        return engine.compute();
    }

    @Override
    void check(Function<OpLab, Tensor> op, float[][] tested) {
        OpLab again = lab(tested());
        assertThat(Arrays.deepEquals(again.numbers(op.apply(again)), tested)).as("the same again").isTrue();
    }
}
