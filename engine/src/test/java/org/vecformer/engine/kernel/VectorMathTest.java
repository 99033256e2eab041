package org.vecformer.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every lane of every width has the bits that {@link ScalarMath} gives; widths the machine lacks run in software. */
@Tag("all-widths")
class VectorMathTest {
    private static final float[] SAMPLES = FloatSamples.all();
    private static final int CHUNK = 1024;

    private interface FloatFunction {
        float at(float x);
    }

    enum Function {
        EXP(ScalarMath::exp, VectorMath::exp), TANH(ScalarMath::tanh, VectorMath::tanh), //
        SIGMOID(ScalarMath::sigmoid, VectorMath::sigmoid), ERF(ScalarMath::erf, VectorMath::erf), //
        GELU_NEW(ScalarMath::geluNew, VectorMath::geluNew), GELU(ScalarMath::gelu, VectorMath::gelu), //
        QUICK_GELU(ScalarMath::quickGelu, VectorMath::quickGelu), RELU(ScalarMath::relu, VectorMath::relu), //
        SILU(ScalarMath::silu, VectorMath::silu);

        private final FloatFunction scalar;
        private final UnaryOperator<FloatVector> vector;

        Function(FloatFunction scalar, UnaryOperator<FloatVector> vector) {
            this.scalar = scalar;
            this.vector = vector;
        }
    }

    @ParameterizedTest
    @EnumSource
    void lanesHaveTheBitsOfTheScalarFunction(Function function) {
        float[] input = Arrays.copyOf(SAMPLES, (SAMPLES.length + CHUNK - 1) / CHUNK * CHUNK);
        float[] expected = new float[input.length];
        for (int i = 0; i < input.length; i++) {
            expected[i] = function.scalar.at(input[i]);
        }
        for (VectorSpecies<Float> species : Arrays.asList(FloatVector.SPECIES_64, FloatVector.SPECIES_128,
                FloatVector.SPECIES_256, FloatVector.SPECIES_512)) {
            float[] actual = new float[CHUNK];
            // A quarter of the values for each width, a different one each; the edges, at the end, for all.
            int first = Integer.numberOfTrailingZeros(species.length()) % 4;
            for (int chunk = first; chunk < input.length / CHUNK; chunk += 4) {
                apply(function.vector, species, input, chunk * CHUNK, actual);
                assertSameBits(function, species, input, expected, chunk * CHUNK, actual);
            }
            apply(function.vector, species, input, input.length - CHUNK, actual);
            assertSameBits(function, species, input, expected, input.length - CHUNK, actual);
        }
    }

    private static void apply(UnaryOperator<FloatVector> f, VectorSpecies<Float> species, float[] input, int from,
            float[] output) {
        for (int i = 0; i < CHUNK; i += species.length()) {
            f.apply(FloatVector.fromArray(species, input, from + i)).intoArray(output, i);
        }
    }

    private static void assertSameBits(Function function, VectorSpecies<Float> species, float[] input,
            float[] expected, int from, float[] actual) {
        for (int i = 0; i < CHUNK; i++) {
            // floatToIntBits, not the raw bits: the payload of a NaN is not promised.
            if (Float.floatToIntBits(actual[i]) != Float.floatToIntBits(expected[from + i])) {
                assertThat(actual[i]).as("%s(%s) with %s bits", function, input[from + i], species.vectorBitSize())
                        .isEqualTo(expected[from + i]);
                assertThat(Float.floatToIntBits(actual[i])).isEqualTo(Float.floatToIntBits(expected[from + i]));
            }
        }
    }
}
