package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.opencl.MatmulPlan.Tile;
import org.vecformer.engine.kernel.opencl.MatmulPlan.Tiles;
import org.vecformer.engine.kernel.opencl.MatmulPlan.Vectors;

/** Plans for devices that are not here. */
class MatmulPlanTest {

    private static ComputeDevice device(int computeUnits, int maxWorkGroupSize, long localMemory) {
        return new ComputeDevice(0, "a device", "a vendor", "a platform", "1", "OpenCL 1.2", ComputeDevice.Type.GPU,
                computeUnits, maxWorkGroupSize, 1L << 34, 1L << 32, localMemory, false);
    }

    private static final ComputeDevice SMALL = device(10, 256, 32 << 10);
    private static final ComputeDevice LARGE = device(132, 1024, 48 << 10);

    @ParameterizedTest
    @EnumSource(WeightType.class)
    void everyInputIsInOneShareAndNoShareIsEmpty(WeightType type) {
        for (ComputeDevice device : new ComputeDevice[]{SMALL, LARGE}) {
            for (int rows : new int[]{1, 2, 3, 8, 9, 16, 17, 130, 5000}) {
                for (int inputs : type.quantized()
                        ? new int[]{32, 768, 3072, 16384}
                        : new int[]{1, 7, 768, 3073, 16384}) {
                    for (int outputs : new int[]{1, 768, 50257}) {
                        MatmulPlan plan = MatmulPlan.of(device, rows, type, inputs, outputs);
                        int steps = switch (plan) {
                            case Vectors vectors -> inputs / Vectors.portion(vectors.rows(), type);
                            case Tiles _ -> inputs;
                        };
                        int share = switch (plan) {
                            case Vectors vectors -> vectors.share();
                            case Tiles tiles -> tiles.share();
                        };
                        assertThat(plan.shares()).as("%s", plan).isGreaterThanOrEqualTo(1);
                        assertThat((long) plan.shares() * share).as("%s", plan).isGreaterThanOrEqualTo(steps);
                        assertThat((plan.shares() - 1L) * share).as("%s", plan).isLessThan(Math.max(steps, 1));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 64, 128, 256, 1024})
    void groupsAreNoLargerThanTheDeviceTakes(int most) {
        ComputeDevice device = device(4, most, 32 << 10);
        for (int rows : new int[]{1, 2, 4, 8}) {
            Vectors plan = (Vectors) MatmulPlan.of(device, rows, WeightType.F16, 768, 768);
            assertThat(plan.items()).isBetween(32, most);
            assertThat(plan.items() % 32).isZero();
        }
        Tiles plan = (Tiles) MatmulPlan.of(device, 4096, WeightType.F16, 768, 3072);
        assertThat(plan.tile()).isEqualTo(most >= 256 ? Tile.LARGE : most >= 128 ? Tile.MEDIUM : Tile.SMALL);
    }

    @Test
    void littleLocalMemoryMeansSmallTiles() {
        assertThat(MatmulPlan.of(device(4, 1024, 16 << 10), 4096, WeightType.F16, 768, 3072))
                .isEqualTo(new Tiles(Tile.MEDIUM, 768, 1));
    }

    @Test
    void tilesAreAsLargeAsLeavesWorkForAllUnits() {
        assertThat(MatmulPlan.of(LARGE, 4096, WeightType.F32, 768, 3072)).isEqualTo(new Tiles(Tile.LARGE, 768, 1));
        assertThat(MatmulPlan.of(LARGE, 4096, WeightType.F32, 768, 768)).isEqualTo(new Tiles(Tile.MEDIUM, 768, 1));
        assertThat(MatmulPlan.of(LARGE, 512, WeightType.F32, 768, 768)).isEqualTo(new Tiles(Tile.SMALL, 768, 1));
        assertThat(MatmulPlan.of(SMALL, 4096, WeightType.F32, 768, 768)).isEqualTo(new Tiles(Tile.LARGE, 768, 1));
        // 36 of 128 rows would be computed for nothing.
        assertThat(MatmulPlan.of(SMALL, 92, WeightType.F32, 768, 50257)).isEqualTo(new Tiles(Tile.SMALL, 768, 1));
    }

    @Test
    void inputsAreSharedOutWhereThereAreTooFewOutputs() {
        assertThat(MatmulPlan.of(LARGE, 32, WeightType.F32, 768, 768).shares()).isEqualTo(6);
        assertThat(MatmulPlan.of(LARGE, 1, WeightType.F32, 3072, 768).shares()).isEqualTo(6);
        assertThat(MatmulPlan.of(SMALL, 1, WeightType.F32, 3072, 768).shares()).isEqualTo(1);
        // Not for a few bytes: the launch that adds up takes longer.
        assertThat(MatmulPlan.of(LARGE, 1, WeightType.INT4, 768, 768).shares()).isEqualTo(1);
        assertThat(MatmulPlan.of(LARGE, 1, WeightType.F16, 768, 50257).shares()).isEqualTo(1);
    }
}
