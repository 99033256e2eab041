package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.engine.ComputeDevice;

/** How attention is cut on devices that are not here. */
class AttentionPlanTest {

    private static ComputeDevice device(ComputeDevice.Type type, int kilobytes, int group) {
        return new ComputeDevice(0, "name", "vendor", "platform", "driver", "OpenCL 1.2", type, 40, group, 1L << 33,
                1L << 31, kilobytes << 10, false);
    }

    @ParameterizedTest
    @CsvSource({"64, 48, 1024, 3", "64, 32, 1024, 3", "128, 48, 1024, 2", "256, 48, 1024, 2", "256, 32, 1024, 1",
        "64, 48, 64, 2", "1, 16, 256, 3", "2000, 48, 1024, 0", "64, 48, 32, 0"})
    void largeTilesWhereThereIsRoom(int headSize, int kilobytes, int group, int tiles) {
        AttentionPlan plan = AttentionPlan.of(device(ComputeDevice.Type.GPU, kilobytes, group), headSize);
        assertThat(plan.tiles()).isEqualTo(List.of(16, 32, 64).subList(0, tiles));
        assertThat(plan.group()).isLessThanOrEqualTo(group).isPositive();
    }

    @Test
    void withoutRoomForTilesEachRowAttendsAlone() {
        AttentionPlan plan = AttentionPlan.of(device(ComputeDevice.Type.GPU, 48, 32), 64);
        assertThat(plan.tiles()).isEmpty();
        assertThat(plan.fewRows()).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void aCpuCompilesOneKernelOfTiles() {
        AttentionPlan plan = AttentionPlan.of(device(ComputeDevice.Type.CPU, 2048, 4096), 64);
        assertThat(plan.tiles()).containsExactly(32);
    }
}
