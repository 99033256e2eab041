package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.loader.Activation;

class OpRatiosTest {

    /** Each kernel runs a few times and nobody looks at the clock. */
    private static final OpRatios.Times SHORT = new OpRatios.Times(1e-9, 1e-9);

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int measure(List<OpRatios.Case> cases) throws IOException, InterruptedException {
        return OpRatios.measure(cases, SHORT, new PrintStream(out), new PrintStream(err));
    }

    private static String text(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static List<OpRatios.Case> withFloor(double floor) {
        return OpRatios.cases().stream()
                .map(op -> new OpRatios.Case(op.name(), floor, op.preparation())).toList();
    }

    @Test
    void allTypesOfWeightsAndAllActivationsAreLookedAt() {
        List<String> names = OpRatios.cases().stream().map(OpRatios.Case::name).toList();
        assertThat(names).doesNotHaveDuplicates();
        Arrays.stream(WeightType.values()).forEach(type -> assertThat(names)
                .filteredOn(name -> name.startsWith("matmul, " + Arguments.spelt(type) + ", ")).hasSize(3));
        Arrays.stream(Activation.values())
                .forEach(activation -> assertThat(names).contains("bias, activation " + activation + ", residual"));
        assertThat(OpRatios.cases()).allMatch(op -> op.floor() > 0.5 && op.floor(128) == op.floor()
                && op.floor(512) == 2 * op.floor());
    }

    @Test
    void bothKernelsAgreeOnEveryOp() throws Exception {
        assertThat(measure(withFloor(0))).as(text(err)).isEqualTo(OpRatios.OK);
        assertThat(text(err)).isEmpty();
        assertThat(text(out).lines().skip(2)).hasSameSizeAs(OpRatios.cases());
    }

    @Test
    void whatIsTooSlowIsNamed() throws Exception {
        List<OpRatios.Case> one = withFloor(1e9).stream().filter(op -> op.name().equals("layer norm")).toList();
        assertThat(measure(one)).isEqualTo(OpRatios.MISSED);
        assertThat(text(err).lines()).singleElement().asString()
                .matches("OpRatios: layer norm with (128|256|512) bits: "
                        + "vector kernels are [0-9.]+ times as fast as plain ones; the floor is [0-9.]+");
    }

    /** An op that gives something else each time. */
    private record Counting(HeapTensor out) implements OpRatios.Work {

        @Override
        public void run(Ops ops) {
            out.data()[0]++;
            Arrays.fill(out.data(), out.data()[0] >= 0 ? out.data()[0] : 0);
        }
    }

    @Test
    void kernelsThatDifferAreFound() throws Exception {
        List<OpRatios.Case> one = List.of(new OpRatios.Case("op", 0, (_, _) -> new Counting(HeapTensor.zeros(1, 32))));
        assertThat(measure(one)).isEqualTo(OpRatios.MISSED);
        assertThat(text(err)).contains(" bits: plain and vector kernels differ");
    }

    @Test
    void anUnknownOptionIsAUsageError() throws Exception {
        assertThat(OpRatios.run(new String[]{"--there"}, new PrintStream(out), new PrintStream(err)))
                .isEqualTo(OpRatios.USAGE);
        assertThat(text(err).lines()).containsExactly("OpRatios: unknown option --there; see --help");
    }
}
