package org.vecformer.cli;

import java.util.Locale;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import picocli.CommandLine.Option;

/** On what a command computes. */
final class ComputeOptions {
    @Option(names = "--threads", paramLabel = "N", description = "threads that compute; one for each core if not given")
    Integer threads;

    @Option(names = "--device", paramLabel = "cpu|gpu|opencl:N", description = "where to compute: the cpu (if not given), the first OpenCL GPU, or a device of info --devices; never another one than that")
    String device;

    @Option(names = "--backend", paramLabel = "auto|vector|scalar", description = "the CPU's kernels: the Vector API's, plain Java's, or (auto) the better one that works here")
    Backend backend;

    @Option(names = "--require-simd", description = "fail rather than run on plain Java kernels")
    boolean requireSimd;

    @Option(names = "--weights", paramLabel = "auto|f32|f16|bf16|int8|int4", description = "how weights are kept in memory; auto: as in the file; int8 and int4 keep matrices in blocks of 32 numbers with a scale, position tables as in the file")
    Weights weights;

    /** The kernels of the CPU, as the command line spells them. */
    enum Backend {
        auto, vector, scalar
    }

    /** The types of weights, as the command line spells them. */
    enum Weights {
        auto, f32, f16, bf16, int8, int4
    }

    /**
     * What the options ask of the engine.
     *
     * @throws UsageException if they contradict each other
     */
    EngineOptions engine() {
        DeviceChoice where = device();
        if (threads != null && (threads < 1 || threads > EngineOptions.MOST_THREADS)) {
            throw new UsageException("--threads is " + threads + "; expected 1 to " + EngineOptions.MOST_THREADS);
        }
        if (requireSimd && backend == Backend.scalar) {
            throw new UsageException("--require-simd and --backend scalar exclude each other");
        }
        BackendChoice choice = backend == null
                ? BackendChoice.AUTO
                : BackendChoice.valueOf(backend.name().toUpperCase(Locale.ROOT));
        return EngineOptions.defaults().withBackend(choice).withThreads(threads == null ? 0 : threads)
                .withRequireSimd(requireSimd).withDevice(where);
    }

    private DeviceChoice device() {
        DeviceChoice choice;
        try {
            choice = device == null ? new DeviceChoice.Cpu() : DeviceChoice.parse(device);
        } catch (IllegalArgumentException e) {
            throw new UsageException("--device is '" + device + "'; expected cpu, gpu or opencl:N");
        }
        if (!(choice instanceof DeviceChoice.Cpu) && (backend != null || requireSimd)) {
            throw new UsageException((backend != null ? "--backend" : "--require-simd")
                    + " is about the CPU's kernels; it does not go with --device " + device);
        }
        return choice;
    }

    /** The type that the weights shall have; null for that of the file. */
    WeightType weightType() {
        return weights == null || weights == Weights.auto
                ? null
                : WeightType.valueOf(weights.name().toUpperCase(Locale.ROOT));
    }

    /** Whether any of these options was given. */
    boolean given() {
        return threads != null || device != null || backend != null || requireSimd || weights != null;
    }
}
