package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.TestDevices;

@Tag("opencl")
class DeviceLimitsTest {

    /** What the kernels compute is checked by the class itself; closing it would tell of a leak. */
    @Test
    void bothLimitsArePositiveAndFinite() {
        try (DeviceLimits limits = DeviceLimits.open(TestDevices.choiceOrSkip(), 9_000_000)) {
            assertThat(limits.device()).isEqualTo(TestDevices.firstOrSkip());
            for (int i = 0; i < 2; i++) {
                assertThat(limits.readBandwidth(0.001)).isPositive().isFinite();
                assertThat(limits.fmaPeak(0.001)).isPositive().isFinite();
            }
        }
    }

    @Test
    void aGroupIsReadAtLeast() {
        try (DeviceLimits limits = DeviceLimits.open(TestDevices.choiceOrSkip(), 1)) {
            assertThat(limits.readBandwidth(0.001)).isPositive().isFinite();
        }
    }

    @Test
    void nothingHasToBeMeasured() {
        DeviceLimits limits = DeviceLimits.open(TestDevices.choiceOrSkip());
        limits.close();
    }
}
