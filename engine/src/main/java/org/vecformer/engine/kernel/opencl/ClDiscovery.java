package org.vecformer.engine.kernel.opencl;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.UnsupportedBackendException;

/** Asks the drivers for their platforms and devices. To be used after {@link ClLibrary#require()}. */
final class ClDiscovery {

    private static final int NO_PLATFORM = -1001; // CL_PLATFORM_NOT_FOUND_KHR, of the loaders' extension

    private ClDiscovery() {
    }

    /**
     * A device, how to call it and what it is.
     *
     * @param platformVersion for the cache of programs: the platform is what compiles
     */
    record Found(cl_platform_id platform, String platformVersion, cl_device_id id, ComputeDevice description) {}

    /**
     * All devices of all platforms. A driver that fails does not hide the others.
     *
     * @return at least one
     * @throws UnsupportedBackendException when there is none; the message says what each platform answered
     */
    static List<Found> devices() {
        List<Found> found = new ArrayList<>();
        List<String> refusals = new ArrayList<>();
        for (cl_platform_id platform : platforms()) {
            try {
                addDevices(platform, found);
            } catch (DeviceException e) {
                refusals.add(e.getMessage());
            }
        }
        if (found.isEmpty()) {
            throw new UnsupportedBackendException("OpenCL has no device here: " + String.join("; ", refusals));
        }
        if (!refusals.isEmpty()) {
            System.getLogger(ClDiscovery.class.getName()).log(System.Logger.Level.DEBUG,
                    "OpenCL platforms without devices: {0}", refusals);
        }
        return found;
    }

    private static cl_platform_id[] platforms() {
        int[] count = new int[1];
        int status = ClError.status(() -> CL.clGetPlatformIDs(0, null, count));
        if (status == NO_PLATFORM || status == CL.CL_SUCCESS && count[0] == 0) {
            String vendors = System.getenv("OCL_ICD_VENDORS");
            throw new UnsupportedBackendException("there is an OpenCL loader on this machine, but no driver "
                    + "that works is registered with it (" + (vendors == null
                            ? "on Linux by files in /etc/OpenCL/vendors"
                            : "the environment variable OCL_ICD_VENDORS is " + vendors)
                    + "): " + ClLibrary.ADVICE);
        }
        ClError.check(status, "the OpenCL loader", "looking for platforms");
        cl_platform_id[] platforms = new cl_platform_id[count[0]];
        ClError.check(ClError.status(() -> CL.clGetPlatformIDs(platforms.length, platforms, null)), "the OpenCL loader",
                "looking for platforms");
        return platforms;
    }

    /** @throws DeviceException if the platform has none or its driver fails; nothing has been added then */
    private static void addDevices(cl_platform_id platform, List<Found> to) {
        Query query = new Query("an OpenCL platform",
                (what, size, into, needed) -> CL.clGetPlatformInfo(platform, what, size, into, needed));
        String name = query.text(CL.CL_PLATFORM_NAME);
        String version = query.text(CL.CL_PLATFORM_VERSION);
        int[] count = new int[1];
        ClError.check(ClError.status(() -> CL.clGetDeviceIDs(platform, CL.CL_DEVICE_TYPE_ALL, 0, null, count)),
                "the platform " + name, "looking for devices");
        cl_device_id[] ids = new cl_device_id[count[0]];
        ClError.check(ClError.status(() -> CL.clGetDeviceIDs(platform, CL.CL_DEVICE_TYPE_ALL, ids.length, ids, null)),
                "the platform " + name, "looking for devices");
        List<Found> added = new ArrayList<>();
        for (cl_device_id id : ids) {
            added.add(new Found(platform, version, id, describe(name, id, to.size() + added.size())));
        }
        to.addAll(added);
    }

    private static ComputeDevice describe(String platform, cl_device_id id, int index) {
        Query query = new Query("a device of the platform " + platform,
                (what, size, into, needed) -> CL.clGetDeviceInfo(id, what, size, into, needed));
        return new ComputeDevice(index, query.text(CL.CL_DEVICE_NAME), query.text(CL.CL_DEVICE_VENDOR), platform,
                query.text(CL.CL_DRIVER_VERSION), query.text(CL.CL_DEVICE_VERSION),
                type(query.number(CL.CL_DEVICE_TYPE)), (int) query.number(CL.CL_DEVICE_MAX_COMPUTE_UNITS),
                (int) query.number(CL.CL_DEVICE_MAX_WORK_GROUP_SIZE), query.number(CL.CL_DEVICE_GLOBAL_MEM_SIZE),
                query.number(CL.CL_DEVICE_MAX_MEM_ALLOC_SIZE), query.number(CL.CL_DEVICE_LOCAL_MEM_SIZE),
                query.text(CL.CL_DEVICE_EXTENSIONS).contains("cl_khr_fp16"));
    }

    /** Of OpenCL's bits, which a driver may combine. */
    private static ComputeDevice.Type type(long bits) {
        if ((bits & CL.CL_DEVICE_TYPE_GPU) != 0) {
            return ComputeDevice.Type.GPU;
        }
        if ((bits & CL.CL_DEVICE_TYPE_CPU) != 0) {
            return ComputeDevice.Type.CPU;
        }
        return (bits & CL.CL_DEVICE_TYPE_ACCELERATOR) != 0 ? ComputeDevice.Type.ACCELERATOR : ComputeDevice.Type.OTHER;
    }

    /** Questions to a platform or a device. */
    private record Query(String whom, Info info) {

        /** One of OpenCL's functions that give information. */
        interface Info {
            int get(int what, long bytes, Pointer into, long[] needed);
        }

        String text(int what) {
            long[] bytes = new long[1];
            ask(() -> info.get(what, 0, null, bytes));
            byte[] text = new byte[Math.toIntExact(bytes[0])];
            if (text.length > 0) {
                ask(() -> info.get(what, text.length, Pointer.to(text), null));
            }
            return new String(text, StandardCharsets.UTF_8).replace('\0', ' ').strip();
        }

        /** A number of 32 or 64 bits: all machines that JOCL has libraries for are little-endian. */
        long number(int what) {
            long[] value = new long[1];
            ask(() -> info.get(what, Long.BYTES, Pointer.to(value), null));
            return value[0];
        }

        private void ask(ClError.Call call) {
            ClError.check(ClError.status(call), whom, "a query");
        }
    }
}
