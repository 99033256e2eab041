package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.UnsupportedBackendException;

/** target/gpt2.jar on an OpenCL device: JOCL and its native libraries are part of it. */
class DeviceIT {

    @BeforeEach
    void device() {
        try {
            ComputeDevice.list();
        } catch (UnsupportedBackendException e) {
            assumeTrue(false, "skipped: no OpenCL device here (install pocl-opencl-icd): " + e.getMessage());
        }
    }

    private static String text(String... options) throws InterruptedException {
        List<String> arguments = new ArrayList<>(List.of("generate", "Once upon a time", "--greedy"));
        arguments.addAll(List.of(options));
        try (JarProcess gpt2 = JarProcess.start(JarProcess.thisJava(), arguments.toArray(String[]::new))) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            return gpt2.out();
        }
    }

    @Test
    void aDeviceTellsTheSameStory() throws Exception {
        String told = text("--max-new-tokens", "100");
        assertThat(told).startsWith(", there was a little girl named Lily.");
        assertThat(text("--max-new-tokens", "100", "--device", "opencl:0")).isEqualTo(told);
        assertThat(text("--max-new-tokens", "100", "--device", "opencl:0", "--weights", "f32")).isEqualTo(told);
    }

    @Test
    void theJarListsItsDevices() throws Exception {
        try (JarProcess gpt2 = JarProcess.start(JarProcess.thisJava(), "info", "--devices")) {
            assertThat(gpt2.await()).isZero();
            assertThat(gpt2.out().lines().toList()).hasSize(2 + ComputeDevice.list().size());
            assertThat(gpt2.out()).contains("\ncpu ").contains("\nopencl:0 ");
            assertThat(gpt2.err()).isEmpty();
        }
    }
}
