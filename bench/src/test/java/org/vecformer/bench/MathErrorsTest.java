package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.kernel.ScalarMath;

/** The report of errors finds them where they are. */
class MathErrorsTest {

    private static final int SPARSE = 65_521;

    @Test
    void theErrorsAreThoseThatTheFunctionsState() {
        for (MathErrors.Function function : MathErrors.FUNCTIONS) {
            MathErrors.Worst worst = MathErrors.worst(function, SPARSE);
            assertThat(worst.ulp()).as(function.name()).isBetween(0.4, 5.2);
            assertThat(worst.absolute()).as(function.name()).isBetween(1e-9, 2e-7);
            assertThat(worst.tried()).as(function.name()).isEqualTo(510L * Math.ceilDiv(1 << 23, SPARSE));
        }
    }

    @Test
    void anErrorInOnePlaceIsFound() {
        MathErrors.Function wrong = new MathErrors.Function("wrong",
                x -> x == 0.5f ? Math.nextUp(ScalarMath.exp(x)) : (float) Math.exp(x), Math::exp, -1);
        assertThat(MathErrors.worst(wrong, 1 << 20).ulpAt()).isEqualTo(0.5f);
        MathErrors.Function infinite = new MathErrors.Function("infinite",
                x -> x == 2 ? Float.POSITIVE_INFINITY : (float) Math.exp(x), Math::exp, -1);
        assertThat(MathErrors.worst(infinite, 1 << 20).ulp()).isInfinite();
        MathErrors.Function undefined = new MathErrors.Function("undefined",
                x -> x == 2 ? Float.NaN : (float) Math.exp(x), Math::exp, -1);
        assertThat(MathErrors.worst(undefined, 1 << 20).ulp()).isInfinite();
    }

    @Test
    void theReportHasALineForEachFunctionThatWasAskedFor() {
        assertThat(report(MathErrors.OK, "--step", "1000003", "--functions", "exp,erf").lines()
                .map(line -> line.split(" ")[0])).containsExactly("function", "exp", "erf");
        assertThat(report(MathErrors.OK, "--help")).contains("--step", "quickGelu");
        assertThat(report(MathErrors.USAGE, "--functions", "sin")).contains("sin", "geluNew");
        assertThat(report(MathErrors.USAGE, "--step", "0")).contains("--step is 0; expected 1 to");
        assertThat(report(MathErrors.USAGE, "--what")).contains("unknown option --what");
    }

    private static String report(int expected, String... args) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(text, true, StandardCharsets.UTF_8);
        assertThat(MathErrors.run(out, out, args)).isEqualTo(expected);
        return text.toString(StandardCharsets.UTF_8);
    }
}
