package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;
import org.vecformer.engine.Engine;
import org.vecformer.engine.UnsupportedBackendException;

class TwinTest {

    @Test
    void theCpusTwins() {
        try (Engine scalar = Twin.SCALAR.open(1); Engine vector = Twin.VECTOR.open(2)) {
            assertThat(scalar.backend()).isEqualTo("scalar");
            assertThat(vector.backend()).isEqualTo("vector");
            assertThat(vector.threads()).isEqualTo(2);
            // One unit in the last place is another result.
            assertThat(Twin.agree(vector, new float[]{1, 2}, new float[]{1, Math.nextUp(2f)})).isFalse();
            assertThat(Twin.agree(vector, new float[]{1, 2}, new float[]{1, 2})).isTrue();
        }
    }

    @Test
    void theDevicesTwin() {
        assumeTrue(Devices.present(), Devices.SKIPPED);
        try (Engine device = Twin.OPENCL.open(1)) {
            assertThat(device.backend()).isEqualTo("opencl");
            assertThat(Twin.agree(device, new float[]{1, 2}, new float[]{1, Math.nextUp(2f)})).isTrue();
            assertThat(Twin.agree(device, new float[]{1, 2}, new float[]{1.001f, 2})).isFalse();
            assertThat(Twin.agree(device, new float[]{1, 2}, new float[]{1, Float.NaN})).isFalse();
        }
    }

    @Test
    void theDeviceThatIsNamedAndNoOther() {
        System.setProperty(Twin.DEVICE, "opencl:999");
        try {
            assertThatThrownBy(() -> Twin.OPENCL.open(1)).isInstanceOf(UnsupportedBackendException.class);
        } finally {
            System.clearProperty(Twin.DEVICE);
        }
    }
}
