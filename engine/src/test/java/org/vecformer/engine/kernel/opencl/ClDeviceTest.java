package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jocl.CL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.DeviceMemoryException;
import org.vecformer.engine.TestDevices;
import org.vecformer.engine.UnsupportedBackendException;

/** A device and what is made on it: what goes in comes out, what goes wrong is said, and nothing is left behind. */
@Tag("opencl")
class ClDeviceTest {

    private static final String SOURCE = """
            kernel void add(global float *to, global const float *from, const int count, const float factor) {
                int i = get_global_id(0);
                if (i < count) {
                    to[i] += factor * from[i];
                }
            }

            kernel void sum_of_group(global float *to, global const float *from, local float *shared) {
                int i = get_local_id(0);
                shared[i] = from[get_global_id(0)];
                barrier(CLK_LOCAL_MEM_FENCE);
                if (i == 0) {
                    float sum = 0;
                    for (int k = 0; k < get_local_size(0); k++) {
                        sum += shared[k];
                    }
                    to[get_group_id(0)] = sum;
                }
            }

            kernel void is_null(global int *to, global const int *maybe) {
                to[0] = maybe == 0 ? 1 : 2;
            }
            """;
    private static final String[] NO_DEFINES = {};
    private static final ClProgramCache NO_CACHE = new ClProgramCache(null);

    private ClDevice device;

    @BeforeEach
    void open() {
        device = ClDevice.open(found(), false, NO_CACHE);
    }

    @AfterEach
    void close() {
        if (device != null) {
            device.close();
        }
    }

    private static ClDiscovery.Found found() {
        return ClPlatforms.choose(TestDevices.choiceOrSkip());
    }

    private ClKernel kernel(String name) {
        return device.program("test.cl", SOURCE, NO_DEFINES).kernel(name);
    }

    private static float[] ramp(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = i;
        }
        return numbers;
    }

    @Test
    void devicesAreListedInTheOrderOfTheirNames() {
        List<ComputeDevice> devices = ComputeDevice.list();
        for (int i = 0; i < devices.size(); i++) {
            ComputeDevice listed = devices.get(i);
            assertThat(listed.index()).isEqualTo(i);
            assertThat(listed.name()).isNotBlank().doesNotContain("\0");
            assertThat(listed.version()).startsWith("OpenCL ");
            assertThat(listed.computeUnits()).isPositive();
            assertThat(listed.maxWorkGroupSize()).isPositive();
            assertThat(listed.maxAllocation()).isPositive().isLessThanOrEqualTo(listed.globalMemory());
            assertThat(listed.localMemory()).isGreaterThanOrEqualTo(1 << 15);
            assertThat(ClPlatforms.choose(DeviceChoice.parse("opencl:" + i)).description()).isEqualTo(listed);
        }
    }

    @Test
    void aDeviceThatIsNotThereIsRefusedAndThoseThatAreAreNamed() {
        List<ComputeDevice> devices = ComputeDevice.list();
        assertThatThrownBy(() -> ClDevice.open(new DeviceChoice.OpenCl(devices.size()), false))
                .isInstanceOf(UnsupportedBackendException.class).hasMessageContaining("opencl:" + devices.size())
                .hasMessageContaining("opencl:0 (" + devices.getFirst().name());
        if (devices.stream().noneMatch(listed -> listed.type() == ComputeDevice.Type.GPU)) {
            assertThatThrownBy(() -> ClDevice.open(new DeviceChoice.FirstGpu(), false))
                    .isInstanceOf(UnsupportedBackendException.class).hasMessageContaining("no OpenCL GPU")
                    .hasMessageContaining("opencl:0 (");
        }
    }

    @Test
    void aKernelRunsWithTheArgumentsThatWereSetLast() {
        try (ClQueue queue = device.openQueue();
                ClBuffer a = device.allocate(400, "a");
                ClBuffer b = device.allocate(400, "b");
                ClKernel kernel = kernel("add")) {
            queue.fill(a, 0, 400, 0.5f);
            queue.write(b, 0, ramp(100), 0, 100);
            queue.launch(kernel.set(0, a).set(1, b).set(2, 100).set(3, 2f), new long[]{128}, new long[]{32});
            queue.launch(kernel.set(3, 3f).set(2, 50), new long[]{128}, new long[]{32});
            queue.launch(kernel, new long[]{128}, null);
            queue.launch(kernel.set(0, b).set(1, a).set(2, 1), new long[]{128}, new long[]{32});
            float[] sums = new float[101];
            queue.read(a, 0, sums, 1, 100);
            for (int i = 0; i < 100; i++) {
                assertThat(sums[i + 1]).isEqualTo(0.5f + (i < 50 ? 8 : 2) * i);
            }
            queue.read(b, 0, sums, 0, 2);
            assertThat(sums[0]).isEqualTo(1.5f);
            assertThat(sums[1]).isEqualTo(1);
            assertThat(kernel.maxWorkGroupSize()).isBetween(1, device.description().maxWorkGroupSize());
        }
    }

    @Test
    void aKernelGetsLocalMemoryAndNullPointers() {
        try (ClQueue queue = device.openQueue();
                ClBuffer a = device.allocate(256, "a");
                ClBuffer b = device.allocate(256, "b");
                ClKernel sum = kernel("sum_of_group");
                ClKernel isNull = kernel("is_null")) {
            queue.write(b, 0, ramp(64), 0, 64);
            queue.launch(sum.set(0, a).set(1, b).local(2, 128), new long[]{64}, new long[]{32});
            float[] sums = new float[2];
            queue.read(a, 0, sums, 0, 2);
            assertThat(sums).containsExactly(31 * 16, 31 * 16 + 32 * 32);
            queue.launch(sum.local(2, 64), new long[]{64}, new long[]{16});
            queue.read(a, 0, sums, 0, 1);
            assertThat(sums[0]).isEqualTo(15 * 8);
            int[] answer = new int[1];
            queue.launch(isNull.set(0, a).set(1, null), new long[]{1}, null);
            queue.read(a, 0, answer, 0, 1);
            assertThat(answer).containsExactly(1);
            queue.launch(isNull.set(1, b), new long[]{1}, null);
            queue.read(a, 0, answer, 0, 1);
            assertThat(answer).containsExactly(2);
        }
    }

    @Test
    void memoryGoesInAndComesOutWhateverItsSize() {
        int count = (3 << 20) / 4 + 5; // more than the staging memory has, and no multiple of its slots
        int[] numbers = new Random(1).ints(count).toArray();
        try (ClQueue queue = device.openQueue();
                ClBuffer a = device.allocate(4L * count, "a");
                ClBuffer b = device.allocate(4L * count + 8, "b");
                Arena arena = Arena.ofConfined()) {
            queue.write(a, 4, numbers, 1, count - 1);
            queue.copy(a, 4, b, 8, 4L * (count - 1));
            int[] read = new int[count];
            queue.read(b, 8, read, 1, count - 1);
            read[0] = numbers[0];
            assertThat(read).isEqualTo(numbers);

            MemorySegment segment = arena.allocate(4L * count);
            MemorySegment.copy(numbers, 0, segment, ValueLayout.JAVA_INT, 0, count);
            queue.write(b, 0, segment);
            queue.fill(b, 4, 8, -1);
            queue.read(b, 0, read, 0, count);
            numbers[1] = -1;
            numbers[2] = -1;
            assertThat(read).isEqualTo(numbers);
            queue.write(b, 0, new int[0], 0, 0);
            queue.fill(b, 0, 0, 1);
        }
    }

    /** Small writes do not wait for the kernels before them, and yet must not overtake those. */
    @Test
    void smallWritesKeepTheirPlaceAmongKernels() {
        try (ClQueue queue = device.openQueue();
                ClBuffer sum = device.allocate(4, "sum");
                ClBuffer next = device.allocate(4, "next");
                ClKernel add = kernel("add")) {
            queue.fill(sum, 0, 4, 0f);
            add.set(0, sum).set(1, next).set(2, 1).set(3, 1f);
            float[] number = new float[1];
            for (int i = 0; i < 1000; i++) {
                number[0] = i;
                queue.write(next, 0, number, 0, 1);
                queue.launch(add, new long[]{1}, null);
            }
            queue.read(sum, 0, number, 0, 1);
            assertThat(number[0]).isEqualTo(999 * 500);
        }
    }

    @Test
    void rangesAreCheckedAndTheQueueGoesOn() {
        try (ClQueue queue = device.openQueue();
                ClBuffer a = device.allocate(64, "a");
                ClKernel add = kernel("add")) {
            assertThatThrownBy(() -> queue.write(a, 4, new int[16], 0, 16))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> queue.write(a, 0, new int[4], 2, 3)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> queue.read(a, -4, new float[1], 0, 1))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> queue.fill(a, 0, 68, 0)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> queue.copy(a, 32, a, 0, 36)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatIllegalArgumentException().isThrownBy(() -> queue.copy(a, 4, a, 0, 8))
                    .withMessageContaining("overlaps");
            assertThatIllegalArgumentException().isThrownBy(() -> queue.write(a, 0, MemorySegment.ofArray(new int[4])))
                    .withMessageContaining("off-heap");
            assertThatIllegalStateException()
                    .isThrownBy(() -> queue.launch(add.set(0, a).set(1, a).set(3, 1f), new long[]{16}, null))
                    .withMessageContaining("argument 2 of the kernel add");
            assertThatThrownBy(() -> add.set(4, 1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> add.set(0, 1)).isInstanceOf(DeviceException.class)
                    .hasMessageContaining("argument 0 of the kernel add")
                    .hasMessageContaining("CL_INVALID_ARG_SIZE (-51)");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> queue.launch(add, new long[]{16, 1}, new long[]{16}))
                    .withMessageContaining("in 2 dimensions and groups in 1");
            assertThatIllegalArgumentException().isThrownBy(() -> queue.launch(add, new long[0], null));
            assertThatIllegalArgumentException().isThrownBy(() -> device.allocate(0, "nothing"));
            queue.fill(a, 0, 64, 7);
            int[] read = new int[16];
            queue.read(a, 0, read, 0, 16);
            assertThat(read).containsOnly(7);
        }
    }

    @Test
    void whatIsClosedIsNotHandedToTheDriver() {
        ClQueue queue = device.openQueue();
        ClBuffer a = device.allocate(64, "a");
        ClBuffer b = device.allocate(64, "b");
        ClKernel add = kernel("add");
        add.set(0, a).set(1, b).set(2, 16).set(3, 1f);
        queue.fill(b, 0, 64, 0f);
        queue.launch(add, new long[]{16}, null);
        b.close();
        b.close();
        String closed = "the OpenCL buffer \"b\" is closed";
        assertThatIllegalStateException().isThrownBy(() -> queue.launch(add, new long[]{16}, null))
                .withMessage(closed);
        assertThatIllegalStateException().isThrownBy(() -> add.set(0, b)).withMessage(closed);
        assertThatIllegalStateException().isThrownBy(() -> queue.fill(b, 0, 4, 1)).withMessage(closed);
        assertThatIllegalStateException().isThrownBy(() -> queue.copy(a, 0, b, 0, 4)).withMessage(closed);
        assertThatIllegalStateException().isThrownBy(() -> queue.write(b, 0, new int[1], 0, 1)).withMessage(closed);
        assertThatIllegalStateException().isThrownBy(() -> queue.read(b, 0, new int[1], 0, 1)).withMessage(closed);
        // a driver may give the new buffer the place of the old one
        try (ClBuffer c = device.allocate(64, "c")) {
            queue.fill(c, 0, 64, 1f);
            queue.fill(a, 0, 64, 1f);
            queue.launch(add.set(1, c), new long[]{16}, null);
            float[] read = new float[16];
            queue.read(a, 0, read, 0, 16);
            assertThat(read).containsOnly(2);
            add.close();
            assertThatIllegalStateException().isThrownBy(() -> queue.launch(add, new long[]{16}, null));
            assertThatIllegalStateException().isThrownBy(() -> add.set(2, 3));
        }
        queue.close();
        queue.close();
        assertThatIllegalStateException().isThrownBy(queue::finish).withMessageContaining("closed");
        assertThatIllegalStateException().isThrownBy(() -> queue.read(a, 0, new int[1], 0, 1));
        a.close();
        ClProgram program = device.program("test.cl", SOURCE, NO_DEFINES);
        device.close();
        device.close();
        assertThat(device.live()).isEqualTo(LiveObjects.NONE);
        assertThatIllegalStateException().isThrownBy(() -> program.kernel("add")).withMessageContaining("is closed");
        assertThatIllegalStateException().isThrownBy(() -> device.allocate(4, "late"));
        assertThatIllegalStateException().isThrownBy(device::openQueue);
        assertThatIllegalStateException().isThrownBy(() -> device.program("test.cl", SOURCE, NO_DEFINES));
        assertThat(device.live()).isEqualTo(LiveObjects.NONE);
    }

    @Test
    void everythingIsCounted() {
        assertThat(device.live()).isEqualTo(LiveObjects.NONE);
        try (ClQueue queue = device.openQueue(); ClBuffer a = device.allocate(400, "a")) {
            assertThat(device.live()).isEqualTo(new LiveObjects(1, 0, 0, 1, 0, 400));
            try (ClBuffer _ = device.allocate(100, "b"); ClKernel _ = kernel("add"); ClKernel _ = kernel("add")) {
                queue.write(a, 0, new int[5], 0, 5);
                queue.write(a, 0, new int[5], 0, 5);
                assertThat(device.live()).isEqualTo(new LiveObjects(2, 1, 2, 1, 2, 500));
            }
            assertThat(device.live()).isEqualTo(new LiveObjects(1, 1, 0, 1, 2, 400));
        }
        assertThat(device.live()).isEqualTo(new LiveObjects(0, 1, 0, 0, 0, 0));
    }

    @Test
    void aLeakIsReportedAndReleased() {
        ClBuffer buffer = device.allocate(4, "the lost buffer");
        ClQueue queue = device.openQueue();
        ClKernel kernel = kernel("add");
        assertThatIllegalStateException().isThrownBy(device::close).withMessageContaining("3 of its objects")
                .withMessageContaining("buffer \"the lost buffer\"").withMessageContaining("kernel \"add\"")
                .withMessageContaining("queue");
        assertThat(device.live()).isEqualTo(LiveObjects.NONE);
        assertThatCode(device::close).doesNotThrowAnyException();
        buffer.close();
        queue.close();
        kernel.close();
        assertThatIllegalStateException().isThrownBy(() -> queue.fill(buffer, 0, 4, 1));
        assertThatIllegalStateException().isThrownBy(() -> kernel.set(2, 1));
    }

    @Test
    void tooLittleMemoryIsSaidBeforeAnythingIsAllocated() {
        ClDiscovery.Found all = found();
        ComputeDevice d = all.description();
        ComputeDevice small = new ComputeDevice(d.index(), d.name(), d.vendor(), d.platform(), d.driver(), d.version(),
                d.type(), d.computeUnits(), d.maxWorkGroupSize(), 8 << 20, 6 << 20, d.localMemory(), false);
        try (ClDevice tight = ClDevice.open(
                new ClDiscovery.Found(all.platform(), all.platformVersion(), all.id(), small), false, NO_CACHE)) {
            assertThatThrownBy(() -> tight.allocate(7 << 20, "the cache")).isInstanceOf(DeviceMemoryException.class)
                    .hasMessage("the cache: 7.0 MiB needed in one piece, " + tight.name() + " allows 6.0 MiB");
            try (ClBuffer held = tight.allocate(5 << 20, "the weights"); ClQueue queue = tight.openQueue()) {
                assertThatThrownBy(() -> tight.allocate(4 << 20, "the cache"))
                        .isInstanceOf(DeviceMemoryException.class)
                        .hasMessage("the cache: 4.0 MiB needed, " + tight.name() + " has 3.0 MiB left of 8.0 MiB");
                assertThat(tight.live()).isEqualTo(new LiveObjects(1, 0, 0, 1, 0, 5 << 20));
                queue.fill(held, 0, 4, 1);
                tight.allocate(3 << 20, "what fits").close();
            }
            tight.allocate(6 << 20, "what fits now").close();
        }
    }

    /** Really more than there is, if the driver leaves it to us to find out. */
    @Test
    void aDriverThatRefusesMemoryIsUnderstood() {
        ClDiscovery.Found all = found();
        ComputeDevice d = all.description();
        ComputeDevice boastful = new ComputeDevice(d.index(), d.name(), d.vendor(), d.platform(), d.driver(),
                d.version(), d.type(), d.computeUnits(), d.maxWorkGroupSize(), 1L << 60, 1L << 60, d.localMemory(),
                false);
        try (ClDevice device = ClDevice.open(
                new ClDiscovery.Found(all.platform(), all.platformVersion(), all.id(), boastful), false, NO_CACHE)) {
            assertThatThrownBy(() -> device.allocate(1L << 50, "the weights")).isInstanceOf(DeviceMemoryException.class)
                    .hasMessageContaining("the weights: 1048576.0 GiB needed").hasMessageContaining("CL_");
            assertThat(device.live()).isEqualTo(LiveObjects.NONE);
        }
    }

    @Test
    void aQueueThatFailedIsLostAndSaysSo() {
        aQueueIsLost();
    }

    /** JOCL's switch is for a whole process: others may have set it. */
    @Test
    void whoeverWantsJoclToThrowMayHaveIt() {
        CL.setExceptionsEnabled(true);
        try {
            aQueueIsLost();
            aMistakeInAKernelIsShown();
            aDriverThatRefusesMemoryIsUnderstood();
        } finally {
            CL.setExceptionsEnabled(false);
        }
    }

    private void aQueueIsLost() {
        try (ClQueue lost = device.openQueue();
                ClQueue other = device.openQueue();
                ClBuffer a = device.allocate(64, "a");
                ClKernel add = kernel("add")) {
            add.set(0, a).set(1, a).set(2, 16).set(3, 1f);
            long tooMany = 2L * device.description().maxWorkGroupSize();
            assertThatThrownBy(() -> lost.launch(add, new long[]{tooMany}, new long[]{tooMany}))
                    .isInstanceOf(DeviceException.class).isNotInstanceOf(DeviceMemoryException.class)
                    .hasMessageContaining(device.description().name()).hasMessageContaining("launching kernel \"add\"")
                    .hasMessageContaining("CL_INVALID_WORK_GROUP_SIZE (-54)");
            int[] read = new int[1];
            List<Runnable> calls = List.of(() -> lost.launch(add, new long[]{16}, null),
                    () -> lost.read(a, 0, read, 0, 1), () -> lost.write(a, 0, read, 0, 1), () -> lost.fill(a, 0, 4, 1),
                    () -> lost.copy(a, 0, a, 32, 4), lost::finish);
            for (Runnable call : calls) {
                assertThatThrownBy(call::run).isInstanceOf(DeviceException.class).hasMessageContaining("was lost")
                        .hasMessageContaining("CL_INVALID_WORK_GROUP_SIZE (-54)");
            }
            other.fill(a, 0, 64, 1f);
            other.launch(add, new long[]{16}, null);
            float[] sums = new float[16];
            other.read(a, 0, sums, 0, 16);
            assertThat(sums).containsOnly(2);
        }
        assertThat(device.live()).isEqualTo(new LiveObjects(0, 1, 0, 0, 0, 0));
    }

    @Test
    void aMistakeInAKernelIsShown() {
        assertThatThrownBy(() -> device.program("wrong.cl", "kernel void f() { undeclared = 1; }", NO_DEFINES))
                .isInstanceOf(DeviceException.class).hasMessageContaining("compiling the kernels of wrong.cl")
                .hasMessageContaining("CL_BUILD_PROGRAM_FAILURE (-11)").hasMessageContaining("undeclared");
        assertThatThrownBy(() -> kernel("subtract")).isInstanceOf(DeviceException.class)
                .hasMessageContaining("subtract of test.cl").hasMessageContaining("CL_INVALID_KERNEL_NAME (-46)");
        assertThat(device.live().kernels()).isZero();
        assertThatIllegalArgumentException().isThrownBy(() -> device.program("missing.cl"))
                .withMessageContaining("missing.cl");
    }

    @Test
    void aLongLogIsShortened() {
        assertThat(ClCompiler.shortened("one\ntwo")).isEqualTo("one\ntwo");
        assertThat(ClCompiler.shortened("line\n".repeat(100) + "x")).endsWith("line\n... (61 more lines)")
                .hasLineCount(41);
        assertThat(ClCompiler.shortened("x".repeat(1000))).hasSize(304).endsWith("x ...");
    }

    @Test
    void aProgramIsCompiledOncePerDefines() {
        String source = "kernel void f(global int *to) { to[0] = N; }";
        ClProgram one = device.program("n.cl", source, new String[]{"N=1"});
        assertThat(device.program("n.cl", source, new String[]{"N=1"})).isSameAs(one);
        ClProgram two = device.program("n.cl", source, new String[]{"N=2"});
        assertThat(two).isNotSameAs(one);
        assertThat(device.live().programs()).isEqualTo(2);
        try (ClQueue queue = device.openQueue(); ClBuffer a = device.allocate(4, "a"); ClKernel f = two.kernel("f")) {
            int[] read = new int[1];
            queue.launch(f.set(0, a), new long[]{1}, null);
            queue.read(a, 0, read, 0, 1);
            assertThat(read).containsExactly(2);
        }
    }

    @Test
    void timesAreTakenOnRequest() {
        try (ClDevice timed = ClDevice.open(found(), true, NO_CACHE)) {
            try (ClQueue queue = timed.openQueue();
                    ClBuffer a = timed.allocate(64, "a");
                    ClKernel add = timed.program("test.cl", SOURCE, NO_DEFINES).kernel("add")) {
                queue.fill(a, 0, 64, 0f);
                add.set(0, a).set(1, a).set(2, 16).set(3, 1f);
                int launches = 5000; // more than are kept waiting
                for (int i = 0; i < launches; i++) {
                    queue.launch(add, new long[]{16}, null);
                }
                assertThat(timed.live().events()).isPositive().isLessThan(launches);
                queue.finish();
                assertThat(timed.live().events()).isZero();
                assertThat(timed.profile()).containsOnlyKeys("add");
                assertThat(timed.profile().get("add").launches()).isEqualTo(launches);
                assertThat(timed.profile().get("add").nanos()).isPositive();
                timed.resetProfile();
                assertThat(timed.profile()).isEmpty();
                queue.launch(add, new long[]{16}, null);
            }
            assertThat(timed.live()).isEqualTo(new LiveObjects(0, 1, 0, 0, 0, 0));
        }
        try (ClQueue queue = device.openQueue();
                ClBuffer a = device.allocate(64, "a");
                ClKernel add = kernel("add")) {
            queue.launch(add.set(0, a).set(1, a).set(2, 16).set(3, 1f), new long[]{16}, null);
            assertThat(device.live().events()).isZero();
            queue.finish();
            assertThat(device.profile()).isEmpty();
        }
    }

    /** Sessions of several threads, among them some that close what others have set as an argument. */
    @Test
    void manyThreadsShareADevice() throws Exception {
        try (ClBuffer shared = device.allocate(64, "shared"); ClQueue first = device.openQueue()) {
            first.fill(shared, 0, 64, 1f);
            first.finish();
            try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
                List<Future<Float>> results = new ArrayList<>();
                for (int t = 0; t < 4; t++) {
                    results.add(threads.submit(() -> {
                        float sum = 0;
                        for (int i = 0; i < 50; i++) {
                            try (ClQueue queue = device.openQueue();
                                    ClBuffer own = device.allocate(64, "own");
                                    ClKernel add = kernel("add")) {
                                queue.fill(own, 0, 64, 0f);
                                add.set(0, own).set(1, shared).set(2, 16).set(3, 1f);
                                queue.launch(add, new long[]{16}, null);
                                queue.launch(add, new long[]{16}, null);
                                float[] read = new float[16];
                                queue.read(own, 0, read, 0, 16);
                                sum += read[15];
                            }
                        }
                        return sum;
                    }));
                }
                for (Future<Float> result : results) {
                    assertThat(result.get()).isEqualTo(100);
                }
            }
        }
        assertThat(device.live()).isEqualTo(new LiveObjects(0, 1, 0, 0, 0, 0));
    }

    /** A model that is closed while a session runs on it: the session ends with an exception, not the JVM. */
    @Test
    void whatAThreadClosesIsNotTouchedByAnother() throws Exception {
        for (int round = 0; round < 20; round++) {
            ClBuffer weights = device.allocate(64, "weights");
            CountDownLatch running = new CountDownLatch(50);
            try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
                Future<?> session = thread.submit(() -> {
                    try (ClQueue queue = device.openQueue();
                            ClBuffer own = device.allocate(64, "own");
                            ClKernel add = kernel("add")) {
                        add.set(0, own).set(1, weights).set(2, 16).set(3, 1f);
                        while (true) {
                            queue.launch(add, new long[]{16}, null);
                            running.countDown();
                        }
                    }
                });
                assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();
                weights.close();
                assertThatThrownBy(session::get).hasCauseInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("the OpenCL buffer \"weights\" is closed");
            }
        }
        assertThat(device.live()).isEqualTo(new LiveObjects(0, 1, 0, 0, 0, 0));
    }
}
