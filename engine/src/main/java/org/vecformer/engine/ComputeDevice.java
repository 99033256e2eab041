package org.vecformer.engine;

import java.util.List;
import org.vecformer.engine.kernel.opencl.ClPlatforms;

/**
 * An OpenCL device, as its driver describes it.
 *
 * @param index            N of {@code opencl:N}: devices are counted over all platforms, in the loader's order
 * @param name             as the driver gives it
 * @param vendor           as the driver gives it
 * @param platform         the name of the platform (the driver's product) that the device belongs to
 * @param driver           the driver's version
 * @param version          the OpenCL version: "OpenCL 3.0 ..."
 * @param computeUnits     how many work groups it computes at once, at least
 * @param maxWorkGroupSize the most work items of a group
 * @param globalMemory     bytes of device memory
 * @param maxAllocation    the most bytes that one buffer can have
 * @param localMemory      bytes that the items of a work group can share
 * @param halfPrecision    whether it computes in binary16 ({@code cl_khr_fp16})
 */
public record ComputeDevice(int index, String name, String vendor, String platform, String driver, String version,
        Type type, int computeUnits, int maxWorkGroupSize, long globalMemory, long maxAllocation, long localMemory,
        boolean halfPrecision) {

    /** What kind of processor it is. */
    public enum Type {
        CPU, GPU, ACCELERATOR, OTHER
    }

    /**
     * The devices of all OpenCL drivers of this machine. This loads JOCL (the library {@code org.jocl:jocl}, which the
     * engine needs for nothing else) and the drivers.
     *
     * @return at least one device
     * @throws UnsupportedBackendException when there are none: the message says whether JOCL, the OpenCL loader or a
     *                                     driver is missing, and what to do
     */
    public static List<ComputeDevice> list() {
        return ClPlatforms.devices();
    }
}
