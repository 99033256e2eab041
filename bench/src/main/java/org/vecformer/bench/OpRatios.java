package org.vecformer.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.CpuBackend;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.kernel.PackedBatch;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;
import org.vecformer.loader.Activation;
import org.vecformer.yardstick.Machine;
import org.vecformer.yardstick.Samples;

/**
 * The slow check for vector operations that C2 does not turn into instructions: how many times as fast as plain kernels
 * each op runs on vector kernels, at each lane width that the machine has, on one thread. An operation that is a call
 * makes objects, and its op some ten to a hundred times slower than it should be; at one width only, often. So a ratio
 * far below what is usual is enough to find it; and since both kernels run in turn and the thread's processor time is
 * what counts, it holds on a machine that others use too.
 * <p>
 * Each width has a JVM of its own, forced by {@value #FORCED_BITS}; ARM's shapes are those of 128 bits. Both kernels
 * must give the same bits, too.
 */
public final class OpRatios {

    static final int OK = 0;
    static final int MISSED = 1;
    static final int USAGE = 2;

    static final String FORCED_BITS = "vecformer.vectorBits";

    private static final String HELP = """
            usage: java --add-modules jdk.incubator.vector -cp ... org.vecformer.bench.OpRatios [options]
              --here     in this JVM, at the lane width that it has, instead of one JVM for each width
              --help     this text
            """;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private static final int ROUNDS = 9;
    private static final int ROWS = 64;
    private static final int FEW_ROWS = 4;
    private static final int INPUTS = 512;
    private static final int OUTPUTS = 1024;
    private static final int COLUMNS = 1000;
    private static final int HEADS = 4;
    private static final int HEAD_SIZE = 32;

    /** How long kernels run before they are timed, and how long they are timed in each round, in seconds. */
    record Times(double warmUp, double round) {

        static final Times USUAL = new Times(0.3, 0.006);

        /** For an op that was too slow: the compiler may not have been done with it. */
        Times again() {
            return new Times(10 * warmUp, 2 * round);
        }
    }

    /** An op with its operands, which both kernels share. */
    interface Work {
        void run(Ops ops);

        /** What {@link #run} leaves behind. */
        HeapTensor out();
    }

    /** Makes operands. */
    interface Preparation {
        Work prepare(Operands operands, Arena arena) throws IOException;
    }

    /**
     * An op to look at.
     *
     * @param floor what its ratio may not be under with 128 bits, some 40 % of what a Xeon has; twice that with 256 and
     *              with 512
     */
    record Case(String name, double floor, Preparation preparation) {

        double floor(int bits) {
            return bits > 128 ? 2 * floor : floor;
        }
    }

    private record Product(HeapTensor x, int rows, PackedMatrix w, PackedVector bias, Activation activation,
            HeapTensor residual, HeapTensor out) implements Work {

        @Override
        public void run(Ops ops) {
            ops.matmul(x, rows, w, bias, activation, residual, out);
        }
    }

    private record LayerNorm(HeapTensor x, PackedVector gain, PackedVector bias, HeapTensor out) implements Work {

        @Override
        public void run(Ops ops) {
            ops.layerNorm(x, x.rows(), gain, bias, 1e-5f, out);
        }
    }

    private record Attention(HeapTensor qkv, PackedBatch batch, KeyValuePages pages, HeapTensor out) implements Work {

        @Override
        public void run(Ops ops) {
            ops.attention(qkv, batch, pages, 0, 0.1f, out, null);
        }
    }

    private final CpuBackend scalar;
    private final CpuBackend vector;
    private final PrintStream out;
    private final PrintStream err;

    private OpRatios(CpuBackend scalar, CpuBackend vector, PrintStream out, PrintStream err) {
        this.scalar = scalar;
        this.vector = vector;
        this.out = out;
        this.err = err;
    }

    public static void main(String[] args) throws Exception {
        int status = run(args, System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    /** The program but for the end of the process; returns the exit status. */
    static int run(String[] args, PrintStream out, PrintStream err) throws IOException, InterruptedException {
        boolean here = false;
        Arguments arguments = new Arguments(args);
        try {
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--here" -> here = true;
                    case "--help" -> {
                        out.print(HELP);
                        return OK;
                    }
                    default -> throw arguments.unknown();
                }
            }
        } catch (IllegalArgumentException e) {
            err.println("OpRatios: " + e.getMessage());
            return USAGE;
        }
        Optional<String> missing = Machine.vectorsMissing();
        if (missing.isPresent()) {
            err.println("OpRatios: " + missing.get());
            return USAGE;
        }
        return here ? measure(cases(), Times.USUAL, out, err) : atEachWidth(out);
    }

    private static int atEachWidth(PrintStream out) throws IOException, InterruptedException {
        int widest;
        try (Engine vector = Twin.VECTOR.open(1)) {
            widest = vector.vectorBits();
        }
        out.printf("%s; Java %s; times as fast as plain kernels, one thread%n", Machine.processor(), Runtime.version());
        int status = OK;
        for (int bits = 128; bits <= widest; bits *= 2) {
            out.flush();
            Process jvm = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--add-modules", "jdk.incubator.vector", "-D" + FORCED_BITS + "=" + bits, "-cp",
                    System.getProperty("java.class.path"), OpRatios.class.getName(), "--here").inheritIO().start();
            status = Math.max(status, jvm.waitFor());
        }
        return status;
    }

    /** Looks at ops at the lane width of this JVM; returns the exit status. */
    static int measure(List<Case> cases, Times times, PrintStream out, PrintStream err)
            throws IOException, InterruptedException {
        try (Engine scalar = Twin.SCALAR.open(1); Engine vector = Twin.VECTOR.open(1)) {
            vector.awaitWarmUp();
            out.printf("%n%-40s %8s %-17s %s%n", vector.vectorBits() + " bits", "median", "(least - most)", "floor");
            OpRatios ratios = new OpRatios(scalar.cpu(), vector.cpu(), out, err);
            boolean missed = false;
            for (Case op : cases) {
                missed |= !ratios.reaches(op, times);
            }
            return missed ? MISSED : OK;
        }
    }

    /** Whether an op is as fast as it should be, at the second try if need be. */
    private boolean reaches(Case op, Times times) throws IOException {
        double floor = op.floor(vector.vectorBits());
        try (Arena arena = Arena.ofConfined();
                Ops plain = scalar.openOps(ROWS * ROWS);
                Ops fast = vector.openOps(ROWS * ROWS)) {
            Work work = op.preparation.prepare(new Operands(arena, scalar.pool()), arena);
            Samples ratios = ratios(work, plain, fast, times);
            // Written so that NaN misses too.
            if (!(ratios.median() >= floor)) {
                ratios = ratios(work, plain, fast, times.again());
            }
            out.printf(Locale.ROOT, "%-40s %8.1f %-17s %.1f%n", op.name, ratios.median(),
                    String.format(Locale.ROOT, "(%.1f - %.1f)", ratios.least(), ratios.most()), floor);
            out.flush();
            String failure = null;
            if (!sameBits(work, plain, fast)) {
                failure = "plain and vector kernels differ";
            } else if (!(ratios.median() >= floor)) {
                failure = String.format(Locale.ROOT, "vector kernels are %.2f times as fast as plain ones; the floor is"
                        + " %.1f", ratios.median(), floor);
            }
            if (failure != null) {
                err.printf("OpRatios: %s with %d bits: %s%n", op.name, vector.vectorBits(), failure);
            }
            return failure == null;
        }
    }

    private static Samples ratios(Work work, Ops plain, Ops fast, Times times) {
        secondsPerRun(work, fast, times.warmUp);
        secondsPerRun(work, plain, times.warmUp);
        double[] ratios = new double[ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            double slow = secondsPerRun(work, plain, times.round);
            ratios[round] = slow / secondsPerRun(work, fast, times.round);
        }
        return new Samples(ratios);
    }

    private static double secondsPerRun(Work work, Ops ops, double seconds) {
        long start = THREADS.getCurrentThreadCpuTime();
        long elapsed;
        int runs = 0;
        do {
            work.run(ops);
            runs++;
            elapsed = THREADS.getCurrentThreadCpuTime() - start;
        } while (elapsed < seconds * 1e9);
        return elapsed / 1e9 / runs;
    }

    private static boolean sameBits(Work work, Ops plain, Ops fast) {
        work.run(plain);
        float[] expected = work.out().data().clone();
        Arrays.fill(work.out().data(), Float.NaN);
        work.run(fast);
        for (int r = 0; r < work.out().rows(); r++) {
            int at = work.out().offset(r);
            int end = at + work.out().columns();
            // Compares bits.
            if (!Arrays.equals(expected, at, end, work.out().data(), at, end)) {
                return false;
            }
        }
        return true;
    }

    /** All ops that have kernels, with all types of weights and all activations. */
    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (WeightType type : WeightType.values()) {
            for (int rows : new int[]{1, FEW_ROWS, ROWS}) {
                cases.add(new Case("matmul, " + Arguments.spelt(type) + ", rows: " + rows,
                        type == WeightType.F32 && rows == 1 ? 0.7 : 1.5,
                        (operands, _) -> new Product(operands.activations(rows, INPUTS), rows,
                                operands.matrix(type, INPUTS, OUTPUTS).packed(), null, null, null,
                                HeapTensor.zeros(rows, OUTPUTS))));
            }
        }
        cases.add(new Case("bias and residual", 0.7, (operands, _) -> finish(operands, null)));
        for (Activation activation : Activation.values()) {
            cases.add(new Case("bias, activation " + activation + ", residual", 0.7,
                    (operands, _) -> finish(operands, activation)));
        }
        cases.add(new Case("layer norm", 0.9,
                (operands, _) -> new LayerNorm(operands.activations(FEW_ROWS, COLUMNS),
                        operands.vector(COLUMNS, 1).packed(), operands.vector(COLUMNS, 0).packed(),
                        HeapTensor.zeros(FEW_ROWS, COLUMNS))));
        cases.add(new Case("attention, 1 token after 999", 0.8,
                (operands, arena) -> attention(operands, arena, 999, 1)));
        cases.add(new Case("attention, prompt of " + ROWS, 0.8,
                (operands, arena) -> attention(operands, arena, 0, ROWS)));
        return cases;
    }

    /** The end of a matrix product is an op only behind one: here of a single input. */
    private static Work finish(Operands operands, Activation activation) throws IOException {
        return new Product(operands.activations(ROWS, 1), ROWS, operands.matrix(WeightType.F32, 1, OUTPUTS).packed(),
                operands.vector(OUTPUTS, 0).packed(), activation, operands.activations(ROWS, OUTPUTS),
                HeapTensor.zeros(ROWS, OUTPUTS));
    }

    /** The keys and values of the past are zeros, and stay so. */
    private static Work attention(Operands operands, Arena arena, int past, int rows) {
        int[] table = new int[Math.ceilDiv(past + rows, KeyValuePages.POSITIONS)];
        KeyValuePages pages = new KeyValuePages(arena, table.length, 1, HEADS, HEAD_SIZE, WeightType.F32);
        for (int i = 0; i < table.length; i++) {
            table[i] = i;
            pages.commit(i);
        }
        PackedBatch batch = new PackedBatch(1);
        batch.sequences = 1;
        batch.starts[1] = rows;
        batch.past[0] = past;
        batch.pages[0] = table;
        return new Attention(operands.activations(rows, 3 * HEADS * HEAD_SIZE), batch, pages,
                HeapTensor.zeros(rows, HEADS * HEAD_SIZE));
    }
}
