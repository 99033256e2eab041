package org.vecformer.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.vecformer.bench.DeviceTests.Sizes;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.UnsupportedBackendException;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.KernelTimes;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Samples;

/**
 * Prints the speed of GPT-2 124M and BERT-base (random weights) on an OpenCL device, as tokens per second and as shares
 * of what the device itself can do, beside the targets; and where the time goes, kernel by kernel. Limits and model are
 * measured in turn, round by round; shares are formed within a round, and medians over rounds. Then each test runs once
 * more on an engine that has its device time every kernel, which makes it slower and is why the table is not of that run.
 * <p>
 * The help text says how to run it on a server that has a GPU and nothing else.
 */
public final class DeviceReport {

    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;

    private static final String HELP = """
            usage: java --enable-native-access=ALL-UNNAMED -cp benchmarks.jar org.vecformer.bench.DeviceReport [options]
              --device NAME    gpu (the first OpenCL GPU) or opencl:N (default: gpu)
              --weights LIST   how weights are kept, of f32, bf16, f16, int8, int4 (default: all)
              --rounds N       how often everything is measured (default: 5)
              --seconds S      how long a test is run in each round, and a limit before and after (default: 0.2)
              --small          tiny models: shows in a minute that all of it works, and no speed of interest
              --json           JSON lines instead of tables
              --help           this text

            A GPU server may have neither a JDK nor an OpenCL loader. Where there is a JDK 25, make a Java of 45 MB:
              jlink --compress zip-9 --strip-debug --no-header-files --no-man-pages --output java25 \\
                  --add-modules java.base,java.logging,java.management,jdk.incubator.vector,jdk.management,jdk.unsupported
            carry it and benchmarks.jar there, and run java25/bin/java with the line above (--add-modules
            jdk.incubator.vector saves the CPU's part of the work some time). OpenCL needs two libraries there:
              the loader, libOpenCL.so.1: ldconfig -p | grep libOpenCL. Debian has it in ocl-icd-libopencl1; from there or
                from elsewhere its file alone does, in a folder that LD_LIBRARY_PATH names
              the GPU's driver, named by a file in /etc/OpenCL/vendors. For NVIDIA that is libnvidia-opencl.so.1, which comes
                with the driver (in a container with NVIDIA_DRIVER_CAPABILITIES=compute,utility); if the file is missing:
                  mkdir vendors; echo libnvidia-opencl.so.1 > vendors/nvidia.icd; export OCL_ICD_VENDORS=$PWD/vendors
            """;

    /** What the command line asks for. */
    record Options(DeviceChoice device, List<WeightType> weights, int rounds, double seconds, Sizes sizes, boolean json,
            boolean help) {

        /**
         * @throws IllegalArgumentException for anything that is not understood; the message is for the user
         */
        static Options parse(String... args) {
            DeviceChoice device = new DeviceChoice.FirstGpu();
            List<WeightType> weights = Arrays.asList(WeightType.values());
            int rounds = 5;
            double seconds = 0.2;
            Sizes sizes = Sizes.USUAL;
            boolean json = false;
            boolean help = false;
            Arguments arguments = new Arguments(args);
            while (arguments.next()) {
                switch (arguments.option()) {
                    case "--json" -> json = true;
                    case "--help" -> help = true;
                    case "--small" -> sizes = Sizes.SMALL;
                    case "--device" -> device = arguments.device();
                    case "--weights" -> weights = arguments.weights();
                    case "--rounds" -> rounds = arguments.rounds();
                    case "--seconds" -> seconds = arguments.seconds();
                    default -> throw arguments.unknown();
                }
            }
            return new Options(device, weights, rounds, seconds, sizes, json, help);
        }
    }

    private final Options options;
    private final ModelFiles gpt2;
    private final ModelFiles bert;
    private final PrintStream out;

    private DeviceReport(Options options, ModelFiles gpt2, ModelFiles bert, PrintStream out) {
        this.options = options;
        this.gpt2 = gpt2;
        this.bert = bert;
        this.out = out;
    }

    public static void main(String[] args) {
        int status = run(args, System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    /** The program but for the end of the process; returns the exit status. */
    static int run(String[] args, PrintStream out, PrintStream err) {
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            err.println("DeviceReport: " + e.getMessage());
            return USAGE;
        }
        if (options.help) {
            out.print(HELP);
            return OK;
        }
        EngineOptions engine = EngineOptions.defaults().withDevice(options.device);
        // The device comes first: models take a while to make.
        try (Engine timed = Engine.create(engine);
                Limits limits = Limits.of(timed);
                TemporaryModel gpt2 = TemporaryModel.create(options.sizes.gpt2());
                TemporaryModel bert = TemporaryModel.create(options.sizes.bert())) {
            DeviceReport report = new DeviceReport(options, ModelFiles.of(gpt2.directory()),
                    ModelFiles.of(bert.directory()), out);
            report.begin(timed.device().orElseThrow());
            report.forEach(timed, test -> report.speed(test, limits));
            try (Engine profiled = Engine.create(engine.withProfiling(true))) {
                report.forEach(profiled, test -> report.kernels(test, profiled));
            }
            return OK;
        } catch (IOException | UnsupportedBackendException | DeviceException | IllegalStateException e) {
            err.println("DeviceReport: " + e.getMessage());
            return FAILED;
        }
    }

    private interface Measurement {
        void of(DeviceTest test) throws IOException;
    }

    /** All tests, a model after the other. */
    private void forEach(Engine engine, Measurement measurement) throws IOException {
        for (WeightType type : options.weights) {
            try (Gpt model = Gpt.load(engine, gpt2, LoadOptions.defaults().withWeights(type));
                    DeviceTests tests = DeviceTests.of(engine, model, type, options.sizes)) {
                measure(tests, measurement);
            }
        }
        for (WeightType type : options.weights) {
            try (Bert model = Bert.load(engine, bert, LoadOptions.defaults().withWeights(type));
                    DeviceTests tests = DeviceTests.of(engine, model, type, options.sizes)) {
                measure(tests, measurement);
            }
        }
    }

    private static void measure(DeviceTests tests, Measurement measurement) throws IOException {
        for (DeviceTest test : tests.all()) {
            // The first run compiles kernels, which is not what a speed is about; checked before and after.
            test.check().run();
            measurement.of(test);
            test.check().run();
        }
    }

    private void speed(DeviceTest test, Limits limits) throws IOException {
        // For the JVM's compiler, and for a GPU that sleeps.
        runsPerSecond(test, 2 * options.seconds);
        limits.measure(test.limit(), options.seconds);
        double[] runs = new double[options.rounds];
        double[] limit = new double[options.rounds];
        for (int i = 0; i < options.rounds; i++) {
            double before = limits.measure(test.limit(), options.seconds);
            runs[i] = runsPerSecond(test, options.seconds);
            limit[i] = (before + limits.measure(test.limit(), options.seconds)) / 2;
        }
        Target row = row(test, new Samples(runs), new Samples(limit));
        out.println(options.json ? row.json() : row.text());
        out.flush();
    }

    static Target row(DeviceTest test, Samples runs, Samples limit) {
        double share = runs.shareOf(test.gigas(), limit).median();
        Target row = Target.of(test.name(), test.goal(), runs.median() * test.tokens(), "tokens/s")
                .of(test.limit(), limit.median(), share);
        return Double.isNaN(test.goalShare()) ? row : row.reached(share >= test.goalShare());
    }

    private static double runsPerSecond(DeviceTest test, double seconds) {
        long start = System.nanoTime();
        long elapsed;
        int runs = 0;
        do {
            test.run().run();
            runs++;
            elapsed = System.nanoTime() - start;
        } while (elapsed < seconds * 1e9);
        return runs / (elapsed / 1e9);
    }

    private void kernels(DeviceTest test, Engine engine) throws IOException {
        test.run().run();
        engine.resetProfile();
        long start = System.nanoTime();
        test.run().run();
        KernelTimes times = KernelTimes.of(engine.profile(), (System.nanoTime() - start) / 1e9);
        out.println(options.json
                ? json(test, times)
                : System.lineSeparator() + test.name() + ", a run of "
                        + test.tokens() + " tokens:" + System.lineSeparator() + times.text());
        out.flush();
    }

    private static String json(DeviceTest test, KernelTimes times) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("target", test.name());
            json.writeNumberField("tokens", test.tokens());
            times.write(json);
            json.writeEndObject();
        }
        return text.toString();
    }

    /** Which device it is about, and what it is not. */
    private void begin(ComputeDevice device) throws IOException {
        boolean cpu = device.type() == ComputeDevice.Type.CPU;
        if (options.json) {
            StringWriter text = new StringWriter();
            try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
                json.writeStartObject();
                json.writeStringField("device", device.name());
                json.writeStringField("device_type", device.type().name().toLowerCase(Locale.ROOT));
                json.writeStringField("platform", device.platform());
                json.writeStringField("driver", device.driver());
                json.writeStringField("java", Runtime.version().toString());
                json.writeEndObject();
            }
            out.println(text);
            return;
        }
        out.printf(Locale.ROOT, "opencl:%d, %s (%s, driver %s); Java %s; medians of %d rounds%n%s%s%n", device.index(),
                device.name(), device.platform(), device.driver(), Runtime.version(), options.rounds,
                cpu ? "This OpenCL device is a CPU: these are no speeds of a GPU.%n".formatted() : "",
                options.sizes == Sizes.SMALL ? "Tiny models: these are no speeds of interest.%n".formatted() : "");
        out.println(Target.HEADER);
    }
}
