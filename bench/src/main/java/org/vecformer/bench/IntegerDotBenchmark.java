package org.vecformer.bench;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Why int8 and int4 models compute in float32: the ways to a dot product of small integers from Java, beside float32
 * multiply-adds, in multiply-adds per microsecond of one thread on operands in the first-level cache. Processors have
 * instructions for it ({@code vpdpwssd}: 32 of them a vector), and C2 uses one for a single shape of loop, which loads
 * and stores its sums at every step. (See what was compiled with {@code -XX:+PrintOptoAssembly} of a debug JDK, or
 * hsdis.)
 * <p>
 * The numbers are from -127 to 127, so that all sums are exact in each way, and all results are compared before and
 * after.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"})
public class IntegerDotBenchmark {

    /** Inputs of an output. */
    private static final int INPUTS = 64;
    /** A panel of so many columns, as wide as eight vectors of 512 bits. */
    private static final int OUTPUTS = 128;
    private static final int MULTIPLY_ADDS = INPUTS * OUTPUTS;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_PREFERRED;

    private final float[] floatInputs = new float[INPUTS];
    /** Row k has the weights of input k. */
    private final float[] floatWeights = new float[INPUTS * OUTPUTS];
    private final float[] floatSums = new float[OUTPUTS];

    /** A pair of inputs, again and again for every output: the shape that C2 knows. */
    private final short[] pairedInputs = new short[INPUTS / 2 * 2 * OUTPUTS];
    /** Row k / 2 has the weights of inputs k and k + 1, output by output. */
    private final short[] pairedWeights = new short[INPUTS * OUTPUTS];
    /** An output's weights one after the other. */
    private final short[] outputWeights = new short[INPUTS * OUTPUTS];
    private final short[] shortInputs = new short[INPUTS];
    private final int[] sums = new int[OUTPUTS];
    private int[] expected;

    @Setup
    public void prepare() {
        SplittableRandom random = new SplittableRandom(42);
        for (int k = 0; k < INPUTS; k++) {
            shortInputs[k] = (short) random.nextInt(-127, 128);
            floatInputs[k] = shortInputs[k];
        }
        expected = new int[OUTPUTS];
        for (int k = 0; k < INPUTS; k++) {
            for (int n = 0; n < OUTPUTS; n++) {
                short weight = (short) random.nextInt(-127, 128);
                floatWeights[k * OUTPUTS + n] = weight;
                outputWeights[n * INPUTS + k] = weight;
                pairedWeights[k / 2 * 2 * OUTPUTS + 2 * n + k % 2] = weight;
                pairedInputs[k / 2 * 2 * OUTPUTS + 2 * n + k % 2] = shortInputs[k];
                expected[n] += shortInputs[k] * weight;
            }
        }
        check();
    }

    /** All ways come to the same sums. */
    @TearDown
    public final void check() {
        float[] floats = floatMultiplyAdd();
        for (int n = 0; n < OUTPUTS; n++) {
            same("float32", n, (int) floats[n]);
        }
        compare("pairs of shorts, map", shortPairsMap());
        compare("pairs of shorts, reduction", shortReduction());
        compare("vectors of shorts, widened products", shortVectors());
    }

    private void compare(String way, int[] actual) {
        for (int n = 0; n < OUTPUTS; n++) {
            same(way, n, actual[n]);
        }
    }

    private void same(String way, int n, int actual) {
        if (actual != expected[n]) {
            throw new IllegalStateException(way + ": output " + n + " is " + actual + ", expected " + expected[n]
                    + ": what was measured is wrong");
        }
    }

    /** What the engine does: a number of x times a row of a panel, the sums in registers. */
    @Benchmark
    @OperationsPerInvocation(MULTIPLY_ADDS)
    public float[] floatMultiplyAdd() {
        int step = FLOATS.length();
        for (int n = 0; n < OUTPUTS; n += 8 * step) {
            floatStrip(n, Math.min(8, (OUTPUTS - n) / step));
        }
        return floatSums;
    }

    private void floatStrip(int n, int vectors) {
        int step = FLOATS.length();
        if (vectors < 8) {
            for (int v = 0; v < vectors; v++) {
                FloatVector s = FloatVector.zero(FLOATS);
                for (int k = 0; k < INPUTS; k++) {
                    s = FloatVector.fromArray(FLOATS, floatWeights, k * OUTPUTS + n + v * step)
                            .fma(FloatVector.broadcast(FLOATS, floatInputs[k]), s);
                }
                s.intoArray(floatSums, n + v * step);
            }
            return;
        }
        FloatVector s0 = FloatVector.zero(FLOATS), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        for (int k = 0; k < INPUTS; k++) {
            FloatVector x = FloatVector.broadcast(FLOATS, floatInputs[k]);
            int w = k * OUTPUTS + n;
            s0 = x.fma(FloatVector.fromArray(FLOATS, floatWeights, w), s0);
            s1 = x.fma(FloatVector.fromArray(FLOATS, floatWeights, w + step), s1);
            s2 = x.fma(FloatVector.fromArray(FLOATS, floatWeights, w + 2 * step), s2);
            s3 = x.fma(FloatVector.fromArray(FLOATS, floatWeights, w + 3 * step), s3);
            s4 = x.fma(FloatVector.fromArray(FLOATS, floatWeights, w + 4 * step), s4);
            s5 = x.fma(FloatVector.fromArray(FLOATS, floatWeights, w + 5 * step), s5);
            s6 = x.fma(FloatVector.fromArray(FLOATS, floatWeights, w + 6 * step), s6);
            s7 = x.fma(FloatVector.fromArray(FLOATS, floatWeights, w + 7 * step), s7);
        }
        s0.intoArray(floatSums, n);
        s1.intoArray(floatSums, n + step);
        s2.intoArray(floatSums, n + 2 * step);
        s3.intoArray(floatSums, n + 3 * step);
        s4.intoArray(floatSums, n + 4 * step);
        s5.intoArray(floatSums, n + 5 * step);
        s6.intoArray(floatSums, n + 6 * step);
        s7.intoArray(floatSums, n + 7 * step);
    }

    /** The loop that C2 makes {@code vpdpwssd} of: pairs multiplied and added to an array of sums. */
    @Benchmark
    @OperationsPerInvocation(MULTIPLY_ADDS)
    public int[] shortPairsMap() {
        Arrays.fill(sums, 0);
        for (int k = 0; k < INPUTS / 2; k++) {
            addPairs(pairedInputs, pairedWeights, 2 * OUTPUTS * k, sums);
        }
        return sums;
    }

    private static void addPairs(short[] a, short[] b, int from, int[] out) {
        for (int n = 0; n < OUTPUTS; n++) {
            out[n] += a[from + 2 * n] * b[from + 2 * n] + a[from + 2 * n + 1] * b[from + 2 * n + 1];
        }
    }

    /** The same pairs with the sum in a register, as a matrix product wants it: C2 has no such instruction for that. */
    @Benchmark
    @OperationsPerInvocation(MULTIPLY_ADDS)
    public int[] shortReduction() {
        for (int n = 0; n < OUTPUTS; n++) {
            sums[n] = dot(shortInputs, outputWeights, n * INPUTS);
        }
        return sums;
    }

    private static int dot(short[] a, short[] b, int from) {
        int sum = 0;
        for (int k = 0; k < INPUTS; k += 2) {
            sum += a[k] * b[from + k] + a[k + 1] * b[from + k + 1];
        }
        return sum;
    }

    /**
     * The Vector API: it has no product of shorts that is wider than a short. So words of two shorts are taken apart by
     * shifts, and there are 32-bit products ({@code vpmulld}: two or three steps of a multiplier each).
     */
    @Benchmark
    @OperationsPerInvocation(MULTIPLY_ADDS)
    public int[] shortVectors() {
        int step = INTS.length();
        for (int n = 0; n < OUTPUTS; n += step) {
            IntVector even = IntVector.zero(INTS), odd = even;
            for (int k = 0; k < INPUTS / 2; k++) {
                IntVector words = ShortVector.fromArray(SHORTS, pairedWeights, 2 * (k * OUTPUTS + n))
                        .reinterpretAsInts();
                even = even.add(words.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 16)
                        .mul(shortInputs[2 * k]));
                odd = odd.add(words.lanewise(VectorOperators.ASHR, 16).mul(shortInputs[2 * k + 1]));
            }
            even.add(odd).intoArray(sums, n);
        }
        return sums;
    }
}
