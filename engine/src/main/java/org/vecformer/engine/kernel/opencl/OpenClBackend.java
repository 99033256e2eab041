package org.vecformer.engine.kernel.opencl;

import java.util.List;
import java.util.Map;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceChoice;
import org.vecformer.engine.KernelTime;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.Backend;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.kernel.WeightMemory;
import org.vecformer.engine.kernel.WorkerPool;
import org.vecformer.engine.tensor.MemoryAccount;

/** An OpenCL device that computes. Its kernels are compiled by the driver when they are first needed. */
public final class OpenClBackend implements Backend {

    private final ClDevice device;
    private final WorkerPool pool;
    /** The calling thread alone. */
    private final WorkerPool reader = new WorkerPool(1);
    private final MemoryAccount memory;
    /** Models whose weights have not been closed. */
    private int models;

    private OpenClBackend(ClDevice device, WorkerPool pool, MemoryAccount memory) {
        this.device = device;
        this.pool = pool;
        this.memory = memory;
    }

    /**
     * Opens a device.
     *
     * @param threads   of this process, which pack weights; 0 for one for each physical core
     * @param memory    what its models and sessions hold
     * @param profiling whether the device measures how long each kernel takes
     * @throws org.vecformer.engine.UnsupportedBackendException when it is not there or does not work; the message says
     *                                                          why
     */
    public static OpenClBackend open(DeviceChoice choice, int threads, MemoryAccount memory, boolean profiling) {
        ClDevice device = ClDevice.open(choice, profiling);
        try {
            return new OpenClBackend(device, WorkerPool.of(threads), memory);
        } catch (Throwable e) {
            device.close();
            throw e;
        }
    }

    /** What computes, as its driver describes it. */
    public ComputeDevice device() {
        return device.description();
    }

    /** What each kernel has taken, as far as it was waited for; empty without profiling. */
    public Map<String, KernelTime> profile() {
        return device.profile();
    }

    /** Begins to count anew. */
    public void resetProfile() {
        device.resetProfile();
    }

    /** What is alive on the device. */
    LiveObjects live() {
        return device.live();
    }

    @Override
    public String name() {
        return "opencl";
    }

    /** "opencl:0, GeForce ..., 80 compute units", and whether it is a GPU at all. */
    @Override
    public String description() {
        ComputeDevice it = device.description();
        return "opencl:" + it.index() + ", " + it.name() + ", " + it.computeUnits() + " compute units"
                + (it.type() == ComputeDevice.Type.CPU ? " (a CPU device)" : "");
    }

    @Override
    public int vectorBits() {
        return 0;
    }

    @Override
    public boolean computesOnVectors() {
        return false;
    }

    @Override
    public List<String> refusals() {
        return List.of();
    }

    @Override
    public WorkerPool pool() {
        return pool;
    }

    @Override
    public WorkerPool readers() {
        return reader;
    }

    /** Does nothing: which kernels a model needs is known when it runs. */
    @Override
    public void warmUp(WeightType type) {
    }

    @Override
    public void awaitWarmUp() {
    }

    @Override
    public MemoryAccount memory() {
        return memory;
    }

    @Override
    public WeightMemory openWeights() {
        pool.checkOpen();
        synchronized (this) {
            models++;
        }
        try {
            return new OpenClWeights(device, memory.open(MemoryAccount.Purpose.WEIGHTS), this::weightsClosed);
        } catch (RuntimeException | Error e) {
            weightsClosed();
            throw e;
        }
    }

    /** A model is gone; with the last one go the threads. */
    private synchronized void weightsClosed() {
        if (--models == 0) {
            pool.rest();
        }
    }

    @Override
    public Ops openOps(int longestSequence) {
        pool.checkOpen();
        return new OpenClOps(device, memory);
    }

    /**
     * Ends the threads and closes the device.
     *
     * @throws IllegalStateException if models or sessions were not closed before; what they held has been freed
     */
    @Override
    public void close() {
        pool.close();
        reader.close();
        device.close();
    }
}
