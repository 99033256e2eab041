package org.vecformer.engine.kernel.opencl;

import java.util.Arrays;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.DeviceMemoryException;
import org.vecformer.engine.UnsupportedBackendException;

/**
 * What a device can do: how fast it reads its memory and how many multiply-adds it does, measured with kernels of its
 * own ({@code limits.cl}) that are compiled as all others are. What they computed is read and compared.
 * <p>
 * Times are those of the process's clock, from the first of many launches to when all of them are done: what a model
 * would have to wait. The device is opened anew, so that neither the engine's queues nor its profile notice. For one
 * caller at a time.
 */
public final class DeviceLimits implements AutoCloseable {

    /** Memory to read where the device gives so much: ten times the cache of a large GPU. */
    public static final long READ_BYTES = 512L << 20;

    private static final int ROUNDS = 5;
    private static final int MOST_LAUNCHES = 1 << 14;
    private static final int CHAINS = 8;

    private final ClDevice device;
    private final ClQueue queue;
    private final ClKernel read;
    private final ClKernel multiplyAdd;
    private final ClBuffer starts;
    private final long readBytes;
    private final Shape shape;
    /** What to read, and a vector for each item that reads; null until they are needed. */
    private ClBuffer numbers;
    private ClBuffer readSums;
    private ClBuffer chainSums;

    /**
     * How work is cut.
     *
     * @param lanes       floats of a vector
     * @param items       work-items of a group
     * @param perItem     vectors that an item reads in one launch
     * @param chainGroups groups that multiply and add, several for each compute unit
     * @param steps       of a chain in one launch
     */
    private record Shape(int lanes, int items, int perItem, int chainGroups, int steps) {

        static Shape of(ComputeDevice device) {
            // A CPU's compute unit is a thread, with vectors of its own; a GPU's has the items of several groups.
            return device.type() == ComputeDevice.Type.CPU
                    ? new Shape(16, 1, 1 << 14, 4 * device.computeUnits(), 1 << 16)
                    : new Shape(4, Math.min(256, device.maxWorkGroupSize()), 32, 32 * device.computeUnits(), 1 << 10);
        }

        /** Bytes that a group reads. */
        long groupBytes() {
            return (long) perItem * items * lanes * Float.BYTES;
        }

        long sumBytes(long groups) {
            return groups * items * lanes * Float.BYTES;
        }
    }

    private DeviceLimits(ClDevice device, long readBytes) {
        this.device = device;
        this.readBytes = readBytes;
        shape = Shape.of(device.description());
        ClProgram program = device.program("limits.cl", "VECTOR=float" + shape.lanes);
        queue = device.openQueue();
        read = program.kernel("limits_read");
        multiplyAdd = program.kernel("limits_multiply_add");
        float[] values = new float[CHAINS * shape.lanes];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        starts = device.allocate((long) Float.BYTES * values.length, "the beginnings of chains");
        queue.write(starts, 0, values, 0, values.length);
    }

    /**
     * Opens a device.
     *
     * @param choice which; not the cpu
     * @throws UnsupportedBackendException as an engine of that device
     * @throws DeviceException             when it fails
     */
    public static DeviceLimits open(DeviceChoice choice) {
        return open(choice, READ_BYTES);
    }

    /** With so much memory to read, at least a little: for tests. */
    static DeviceLimits open(DeviceChoice choice, long readBytes) {
        ClDevice device = ClDevice.open(choice, false);
        try {
            return new DeviceLimits(device, readBytes);
        } catch (Throwable e) {
            try {
                device.close();
            } catch (IllegalStateException _) {
                // It says what was open, which the caller has no interest in.
            }
            throw e;
        }
    }

    /** Which device it is. */
    public ComputeDevice device() {
        return device.description();
    }

    /**
     * Reads memory again and again.
     *
     * @param seconds about how long
     * @return gigabytes (10^9) per second
     * @throws DeviceMemoryException when there is not enough memory for it
     * @throws DeviceException       when the device fails
     */
    public double readBandwidth(double seconds) {
        if (numbers == null) {
            ComputeDevice limits = device.description();
            long most = Math.min(readBytes, Math.min(limits.maxAllocation(), limits.globalMemory() / 4));
            numbers = device.allocate(Math.max(1, most / shape.groupBytes()) * shape.groupBytes(),
                    "what the read bandwidth is measured on");
            // Ones, so that the sums show, exactly, whether everything was read.
            queue.fill(numbers, 0, numbers.bytes(), 1f);
        }
        long groups = numbers.bytes() / shape.groupBytes();
        if (readSums == null) {
            readSums = device.allocate(shape.sumBytes(groups), "sums of what was read");
        }
        read.set(0, numbers).set(1, shape.perItem).set(2, readSums);
        double rate = launchesPerSecond(read, groups, seconds) * numbers.bytes() / 1e9;
        check(readSums, shape.perItem, "the kernel that reads memory");
        return rate;
    }

    /**
     * Multiplies and adds in registers.
     *
     * @param seconds about how long
     * @return GFLOP/s in float32; a multiply-add counts as two
     * @throws DeviceException when the device fails
     */
    public double fmaPeak(double seconds) {
        if (chainSums == null) {
            chainSums = device.allocate(shape.sumBytes(shape.chainGroups), "the ends of chains");
        }
        // From wherever it begins, x -> x / 2 + 1 / 2 comes to 1, exactly.
        multiplyAdd.set(0, starts).set(1, shape.steps).set(2, 0.5f).set(3, 0.5f).set(4, chainSums);
        double operations = 2.0 * shape.chainGroups * shape.items * shape.lanes * CHAINS * shape.steps;
        double rate = launchesPerSecond(multiplyAdd, shape.chainGroups, seconds) * operations / 1e9;
        check(chainSums, CHAINS, "the kernel that multiplies and adds");
        return rate;
    }

    /** The median of some rounds; of fewer where a launch takes long. */
    private double launchesPerSecond(ClKernel kernel, long groups, double seconds) {
        long begin = System.nanoTime();
        // Not timed: what was written before, and what a driver does at the first launch.
        seconds(kernel, groups, 1);
        int launches = 1;
        while (launches < MOST_LAUNCHES && seconds(kernel, groups, launches) < seconds / ROUNDS / 3) {
            launches *= 2;
        }
        double[] rates = new double[ROUNDS];
        int rounds = 0;
        do {
            rates[rounds] = launches / seconds(kernel, groups, launches);
            rounds++;
        } while (rounds < ROUNDS && System.nanoTime() - begin < 2 * seconds * 1e9);
        Arrays.sort(rates, 0, rounds);
        return rates[rounds / 2];
    }

    private double seconds(ClKernel kernel, long groups, int launches) {
        long[] global = {groups * shape.items};
        long[] local = {shape.items};
        long start = System.nanoTime();
        for (int i = 0; i < launches; i++) {
            queue.launch(kernel, global, local);
        }
        queue.finish();
        return (System.nanoTime() - start) / 1e9;
    }

    private void check(ClBuffer sums, float expected, String who) {
        float[] values = new float[(int) (sums.bytes() / Float.BYTES)];
        queue.read(sums, 0, values, 0, values.length);
        for (float value : values) {
            if (value != expected) {
                throw new DeviceException(
                        who + " came to " + value + " on " + device.name() + ", expected " + expected);
            }
        }
    }

    @Override
    public void close() {
        for (ClObject object : new ClObject[]{numbers, readSums, chainSums, starts, read, multiplyAdd, queue}) {
            if (object != null) {
                object.close();
            }
        }
        device.close();
    }
}
