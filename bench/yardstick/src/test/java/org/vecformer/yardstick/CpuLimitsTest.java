package org.vecformer.yardstick;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CpuLimitsTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void bothLimitsArePositiveAndFinite(int threads) {
        // The loops check their sums themselves.
        try (Limits limits = new CpuLimits(threads, 5_000_000)) {
            assertThat(limits.readBandwidth(0.001)).isPositive().isFinite();
            assertThat(limits.fmaPeak(0.001)).isPositive().isFinite();
            for (Limit limit : Limit.values()) {
                assertThat(limits.measure(limit, 0.001)).isPositive().isFinite();
            }
        }
    }

    @Test
    void tooMuchToReadIsSaid() {
        try (Limits limits = new CpuLimits(1, 1L << 60)) {
            assertThatThrownBy(() -> limits.readBandwidth(0.001)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("1099511627776 MB");
            assertThat(limits.fmaPeak(0.001)).isPositive();
        }
    }

    @Test
    void nothingToMeasureIsRefused() {
        assertThatThrownBy(() -> new CpuLimits(0, 1 << 20)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0 threads");
        assertThatThrownBy(() -> new CpuLimits(1, 0)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0 bytes");
    }
}
