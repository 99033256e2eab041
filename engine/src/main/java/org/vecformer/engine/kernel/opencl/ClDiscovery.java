package org.vecformer.engine.kernel.opencl;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jocl.CL;
import org.jocl.CLException;
import org.jocl.Pointer;
import org.jocl.cl_device_id;
import org.jocl.cl_platform_id;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.UnsupportedBackendException;

/** Asks the drivers for their platforms and devices. To be used after {@link ClLibrary#require()}. */
final class ClDiscovery {

    private static final int NO_PLATFORM = -1001; // CL_PLATFORM_NOT_FOUND_KHR, of the loader's extension

    private ClDiscovery() {
    }

    /** A device, how to call it and what it is. */
    record Found(cl_platform_id platform, cl_device_id id, ComputeDevice description) {}

    /**
     * All devices of all platforms.
     *
     * @throws UnsupportedBackendException when there is no platform or none has a device
     */
    static List<Found> devices() {
        cl_platform_id[] platforms = platforms();
        List<Found> found = new ArrayList<>();
        for (cl_platform_id platform : platforms) {
            int[] count = new int[1];
            int status = status(() -> CL.clGetDeviceIDs(platform, CL.CL_DEVICE_TYPE_ALL, 0, null, count));
            if (status != CL.CL_SUCCESS || count[0] == 0) {
                continue; // a driver without its hardware: other platforms may have some
            }
            cl_device_id[] ids = new cl_device_id[count[0]];
            ClError.check(status(() -> CL.clGetDeviceIDs(platform, CL.CL_DEVICE_TYPE_ALL, ids.length, ids, null)),
                    "an OpenCL platform", "clGetDeviceIDs");
            for (cl_device_id id : ids) {
                found.add(new Found(platform, id, describe(platform, id, found.size())));
            }
        }
        if (found.isEmpty()) {
            throw new UnsupportedBackendException("OpenCL has " + platforms.length
                    + " platform(s) here, but none of them has a device");
        }
        return found;
    }

    private static cl_platform_id[] platforms() {
        int[] count = new int[1];
        int status = status(() -> CL.clGetPlatformIDs(0, null, count));
        if (status == NO_PLATFORM || status == CL.CL_SUCCESS && count[0] == 0) {
            throw new UnsupportedBackendException(
                    "this machine has an OpenCL loader, but no driver is registered with it");
        }
        ClError.check(status, "the OpenCL loader", "clGetPlatformIDs");
        cl_platform_id[] platforms = new cl_platform_id[count[0]];
        ClError.check(status(() -> CL.clGetPlatformIDs(platforms.length, platforms, null)), "the OpenCL loader",
                "clGetPlatformIDs");
        return platforms;
    }

    private static ComputeDevice describe(cl_platform_id platform, cl_device_id id, int index) {
        Info ofPlatform = (what, size, to, needed) -> CL.clGetPlatformInfo(platform, what, size, to, needed);
        Info ofDevice = (what, size, to, needed) -> CL.clGetDeviceInfo(id, what, size, to, needed);
        long types = number(ofDevice, CL.CL_DEVICE_TYPE);
        ComputeDevice.Type type = (types & CL.CL_DEVICE_TYPE_GPU) != 0
                ? ComputeDevice.Type.GPU
                : (types & CL.CL_DEVICE_TYPE_CPU) != 0
                        ? ComputeDevice.Type.CPU
                        : (types & CL.CL_DEVICE_TYPE_ACCELERATOR) != 0
                                ? ComputeDevice.Type.ACCELERATOR
                                : ComputeDevice.Type.OTHER;
        return new ComputeDevice(index, text(ofDevice, CL.CL_DEVICE_NAME), text(ofDevice, CL.CL_DEVICE_VENDOR),
                text(ofPlatform, CL.CL_PLATFORM_NAME), text(ofDevice, CL.CL_DRIVER_VERSION),
                text(ofDevice, CL.CL_DEVICE_VERSION), type, (int) number(ofDevice, CL.CL_DEVICE_MAX_COMPUTE_UNITS),
                (int) number(ofDevice, CL.CL_DEVICE_MAX_WORK_GROUP_SIZE),
                number(ofDevice, CL.CL_DEVICE_GLOBAL_MEM_SIZE), number(ofDevice, CL.CL_DEVICE_MAX_MEM_ALLOC_SIZE),
                number(ofDevice, CL.CL_DEVICE_LOCAL_MEM_SIZE),
                text(ofDevice, CL.CL_DEVICE_EXTENSIONS).contains("cl_khr_fp16"));
    }

    /** One of OpenCL's functions that give information. */
    private interface Info {
        int get(int what, long bytes, Pointer to, long[] needed);
    }

    private static String text(Info info, int what) {
        long[] bytes = new long[1];
        ClError.check(status(() -> info.get(what, 0, null, bytes)), "an OpenCL device", "a query");
        byte[] text = new byte[Math.toIntExact(bytes[0])];
        ClError.check(status(() -> info.get(what, text.length, Pointer.to(text), null)), "an OpenCL device", "a query");
        return new String(text, StandardCharsets.UTF_8).replace('\0', ' ').strip();
    }

    /** A number of 32 or 64 bits; OpenCL's machines are little-endian as far as JOCL has libraries. */
    private static long number(Info info, int what) {
        long[] value = new long[1];
        ClError.check(status(() -> info.get(what, Long.BYTES, Pointer.to(value), null)), "an OpenCL device", "a query");
        return value[0];
    }

    private interface Call {
        int status();
    }

    private static int status(Call call) {
        try {
            return call.status();
        } catch (CLException e) {
            return e.getStatus();
        }
    }
}
