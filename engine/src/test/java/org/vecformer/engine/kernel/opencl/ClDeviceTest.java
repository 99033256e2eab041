package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.TestDevices;

@Tag("opencl")
class ClDeviceTest {

    private static final String ADD = """
            kernel void add(global float *to, global const float *from, const int count, const float factor) {
                int i = get_global_id(0);
                if (i < count) {
                    to[i] += factor * from[i];
                }
            }
            """;

    @Test
    void aKernelRuns() {
        try (ClDevice device = ClDevice.open(TestDevices.choiceOrSkip(), true)) {
            try (ClQueue queue = device.openQueue();
                    ClBuffer a = device.allocate(400, "a");
                    ClBuffer b = device.allocate(400, "b");
                    ClKernel kernel = device.program("add", ADD, new String[0]).kernel("add")) {
                float[] numbers = new float[100];
                for (int i = 0; i < 100; i++) {
                    numbers[i] = i;
                }
                queue.fill(a, 0, 400, 0.5f);
                queue.write(b, 0, numbers, 0, 100);
                queue.launch(kernel.set(0, a).set(1, b).set(2, 100).set(3, 2f), new long[]{128}, new long[]{32});
                queue.launch(kernel, new long[]{128}, new long[]{32});
                float[] sums = new float[100];
                queue.read(a, 0, sums, 0, 100);
                for (int i = 0; i < 100; i++) {
                    assertThat(sums[i]).isEqualTo(0.5f + 4 * i);
                }
                queue.finish();
                assertThat(device.profile().get("add").launches()).isEqualTo(2);
                assertThat(device.live()).isEqualTo(new LiveObjects(2, 1, 1, 1, 1, 800));
            }
            assertThat(device.live()).isEqualTo(new LiveObjects(0, 1, 0, 0, 0, 0));
        }
    }
}
