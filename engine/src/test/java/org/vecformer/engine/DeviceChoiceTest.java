package org.vecformer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceChoiceTest {

    @Test
    void whatIsWrittenIsRead() {
        assertThat(DeviceChoice.parse("cpu")).isEqualTo(new DeviceChoice.Cpu()).hasToString("cpu");
        assertThat(DeviceChoice.parse("gpu")).isEqualTo(new DeviceChoice.FirstGpu()).hasToString("gpu");
        assertThat(DeviceChoice.parse("opencl:12")).isEqualTo(new DeviceChoice.OpenCl(12)).hasToString("opencl:12");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "CPU", "cuda", "gpu:0", "opencl", "opencl:", "opencl:-1", "opencl:1x", "opencl: 1",
        "opencl:1234567890", "opencl:٣"})
    void anythingElseIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> DeviceChoice.parse(text))
                .withMessageContaining("\"" + text + "\"").withMessageContaining("opencl:N");
    }

    @Test
    void indexesCountFromZero() {
        assertThatIllegalArgumentException().isThrownBy(() -> new DeviceChoice.OpenCl(-1)).withMessageContaining("-1");
    }
}
