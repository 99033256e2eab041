package org.vecformer.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.vecformer.bench.SpeedReport.Line;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.Limits;

/**
 * GPT-2 124M, by {@link SpeedReport}: a token after the other in each type of weights, sixteen sequences at once, a
 * prompt; and what a token leaves on the heap.
 *
 * @param limits  the machine's
 * @param rounds  how often
 * @param seconds how long a limit is measured, each time
 */
record DecodeTargets(Engine engine, ModelFiles files, Limits limits, int rounds, double seconds)
        implements
            TargetsReport.Part {

    private static final int SEQUENCES = 16;
    private static final int FEW_TOKENS = 16;
    private static final int MANY_TOKENS = 80;
    /** Its id, in an array that doubles as it grows. */
    private static final int TOKEN_BYTES = 16;

    @Override
    public void measure(Consumer<Target> rows) throws IOException {
        List<Target> others = new ArrayList<>();
        Target int8 = null;
        for (WeightType type : List.of(WeightType.F32, WeightType.BF16, WeightType.INT8, WeightType.INT4)) {
            boolean together = type == WeightType.F32 || type == WeightType.INT8;
            List<Line> lines = SpeedReport.measure(engine, files, type, limits,
                    SpeedReport.plan(together ? List.of(SEQUENCES) : List.of(), rounds, seconds));
            Target one = decode(type, lines, int8);
            rows.accept(one);
            if (type == WeightType.INT8) {
                int8 = one;
            }
            if (together) {
                others.add(together(type, lines));
            }
            if (type == WeightType.F32) {
                others.add(row(find("prompt f32", lines), ">= 1.2 x PyTorch", lines));
            }
        }
        others.forEach(rows);
        rows.accept(allocation());
    }

    private static Target decode(WeightType type, List<Line> lines, Target int8) {
        Line line = find("decode " + Arguments.spelt(type), lines);
        double speed = line.values().median();
        double share = line.shares().median();
        return switch (type) {
            case F32 -> row(line, ">= 90 % of its limit; no peer faster", lines).reached(share >= 0.9);
            case INT8 -> row(line, ">= 75 % of its limit", lines).reached(share >= 0.75);
            case INT4 -> row(line, "faster than our int8 and every peer's 4-bit", lines)
                    .beside("our int8", int8.ours(), speed / int8.ours()).reached(speed > int8.ours());
            default -> row(line, "", lines);
        };
    }

    private static Target together(WeightType type, List<Line> lines) {
        String one = "decode " + Arguments.spelt(type);
        Line line = find(one + " x " + SEQUENCES, lines);
        double ratio = line.byOne().median();
        return row(line, ">= 8 x one", lines).beside("one sequence", find(one, lines).values().median(), ratio)
                .reached(ratio >= 8);
    }

    private static Target row(Line line, String goal, List<Line> lines) {
        return Target.of(line.name(), goal, line.values().median(), line.unit()).of(line.limit(),
                find(line.limit().label(), lines).values().median(), line.shares().median());
    }

    private static Line find(String name, List<Line> lines) {
        return lines.stream().filter(line -> line.name().equals(name)).findFirst().orElseThrow();
    }

    /** What the generation of a token adds to the heap: the difference between a long text and a short one. */
    private Target allocation() throws IOException {
        try (Gpt model = Gpt.load(engine, files, LoadOptions.defaults());
                TextGenerator generator = TextGenerator.open(model, null)) {
            long few = Long.MAX_VALUE;
            long many = Long.MAX_VALUE;
            // The least of some: the compiler's threads, too, may allocate.
            for (int i = 0; i < 4; i++) {
                few = Math.min(few, allocated(generator, FEW_TOKENS));
                many = Math.min(many, allocated(generator, MANY_TOKENS));
            }
            double bytes = (double) (many - few) / (MANY_TOKENS - FEW_TOKENS);
            return Target.of("heap a token", String.format(Locale.ROOT, "<= %d bytes: the token itself",
                    TOKEN_BYTES), bytes, "bytes").reached(bytes <= TOKEN_BYTES);
        }
    }

    private static long allocated(TextGenerator generator, int tokens) {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getTotalThreadAllocatedBytes();
        generator.generate(new int[]{1, 2, 3}, GenerationOptions.defaults().withMaxNewTokens(tokens),
                TokenListener.NONE);
        return threads.getTotalThreadAllocatedBytes() - before;
    }
}
