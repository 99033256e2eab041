package org.vecformer.yardstick;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.UnsupportedBackendException;

class LimitsTest {

    @Test
    void thoseOfTheProcessor() {
        try (Engine engine = Engine.create(EngineOptions.defaults().withThreads(1));
                Limits limits = Limits.of(engine)) {
            assertThat(limits).isInstanceOf(CpuLimits.class);
            assertThat(limits.measure(Limit.FMA_PEAK, 0.001)).isPositive();
        }
    }

    @Test
    @Tag("opencl")
    void thoseOfADevice() {
        boolean present;
        try {
            present = !ComputeDevice.list().isEmpty();
        } catch (UnsupportedBackendException _) {
            present = false;
        }
        assumeTrue(present, "skipped: no OpenCL device here (install pocl-opencl-icd, or the GPU vendor's driver)");
        try (Engine engine = Engine.create(EngineOptions.defaults().withDevice(new DeviceChoice.OpenCl(0)));
                Limits limits = Limits.of(engine)) {
            for (Limit limit : Limit.values()) {
                assertThat(limits.measure(limit, 0.001)).isPositive().isFinite();
            }
        }
    }
}
