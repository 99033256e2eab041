package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.vecformer.bench.TargetsReport.Options;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.Samples;

/**
 * {@code java -jar gpt2.jar} from start to exit, launcher included: how long it takes, and how much memory.
 *
 * @param gpt2 random weights of GPT-2 124M's shape, in float32
 */
record ProcessTargets(Engine engine, Options options, ModelFiles gpt2) implements TargetsReport.Part {

    private static final int TOKENS = 64;
    private static final String PROMPT = "464,2068,7586";
    private static final int MEGABYTES = 150;

    @Override
    public void measure(Consumer<Target> rows) throws IOException, InterruptedException {
        if (options.jar().isEmpty()) {
            rows.accept(Target.missing("process", "< 1.0 s", "give gpt2.jar by --jar"));
            return;
        }
        Path jar = options.jar().get();
        double start = seconds(jar, 2 * options.rounds(), "generate", "--greedy", "--max-new-tokens", "32",
                "Once upon a time");
        rows.accept(Target.of("process, embedded model, 32 tokens", "< 1.0 s", start, "s").reached(start < 1));
        for (WeightType type : List.of(WeightType.F32, WeightType.INT8)) {
            rows.accept(Target.of("process, first token of 124M, " + Arguments.spelt(type) + " from a float32 file",
                    "<= 1.5 x a native program's", seconds(jar, options.rounds(), command(type, 1)), "s"));
        }
        for (WeightType type : List.of(WeightType.F32, WeightType.INT8)) {
            rows.accept(memory(jar, type));
        }
    }

    private String[] command(WeightType type, int tokens) {
        return new String[]{"generate", "--model", gpt2.directory().toString(), "--ids", PROMPT, "--weights",
            Arguments.spelt(type), "--greedy", "--ignore-eos", "--json", "--max-new-tokens",
            String.valueOf(tokens)};
    }

    /** The median of so many runs, after one that is not counted. */
    private static double seconds(Path jar, int runs, String... arguments) throws IOException, InterruptedException {
        JarRun.of(jar, arguments);
        double[] seconds = new double[runs];
        for (int i = 0; i < runs; i++) {
            seconds[i] = JarRun.of(jar, arguments).seconds();
        }
        return new Samples(seconds).median();
    }

    /** What the larger of the two processes needs beside weights and cache. */
    private Target memory(Path jar, WeightType type) throws IOException, InterruptedException {
        String name = "peak resident memory beside weights and cache, 124M " + Arguments.spelt(type);
        String goal = "<= " + MEGABYTES + " MB";
        long peak = JarRun.of(jar, command(type, TOKENS)).peakResidentBytes();
        if (peak == 0) {
            return Target.missing(name, goal, "only Linux tells a process's peak");
        }
        long accounted;
        try (Gpt model = Gpt.load(engine, gpt2, LoadOptions.defaults().withWeights(type));
                Session session = model.openSession(new SessionOptions(TOKENS, 1))) {
            accounted = model.weightBytes() + session.cacheBytes();
        }
        double rest = (peak - accounted) / 1e6;
        return Target.of(String.format(Locale.ROOT, "%s (%.0f MB in all)", name, peak / 1e6), goal, rest, "MB")
                .reached(rest <= MEGABYTES);
    }
}
