package org.vecformer.engine.kernel.opencl;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_kernel;
import org.jocl.cl_program;
import org.vecformer.engine.DeviceException;

/** The compiled kernels of a {@code .cl} file. Owned by its device, which releases it. Thread-safe. */
final class ClProgram {

    private final ClDevice device;
    /** The file. */
    private final String name;
    private final cl_program handle;
    private final Set<String> launched = ConcurrentHashMap.newKeySet();

    ClProgram(ClDevice device, String name, cl_program handle) {
        this.device = device;
        this.name = name;
        this.handle = handle;
    }

    /**
     * A kernel with arguments of its own, for one thread at a time. To be closed.
     *
     * @throws DeviceException if the file has no kernel of the name
     */
    ClKernel kernel(String kernel) {
        return device.create(() -> {
            int[] status = new int[1];
            cl_kernel created = ClError.make(status, to -> CL.clCreateKernel(handle, kernel, to));
            ClError.check(status[0], device.name(), "making the kernel " + kernel + " of " + name);
            int[] arguments = new int[1];
            status[0] = ClError.status(() -> CL.clGetKernelInfo(created, CL.CL_KERNEL_NUM_ARGS, Integer.BYTES,
                    Pointer.to(arguments), null));
            long[] size = new long[1];
            if (status[0] == CL.CL_SUCCESS) {
                status[0] = ClError.status(() -> CL.clGetKernelWorkGroupInfo(created, device.id(),
                        CL.CL_KERNEL_WORK_GROUP_SIZE, Long.BYTES, Pointer.to(size), null));
            }
            if (status[0] != CL.CL_SUCCESS) {
                CL.clReleaseKernel(created);
                ClError.check(status[0], device.name(), "asking about the kernel " + kernel + " of " + name);
            }
            return new ClKernel(device, kernel, created, arguments[0], (int) size[0], launched);
        });
    }

    /** The device's part of its closing. */
    void release() {
        CL.clReleaseProgram(handle);
    }
}
