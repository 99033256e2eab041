package org.vecformer.engine.kernel.opencl;

import org.jocl.CL;
import org.jocl.CLException;
import org.jocl.cl_kernel;
import org.jocl.cl_program;
import org.vecformer.engine.DeviceException;

/** The compiled kernels of a {@code .cl} file. Owned by its device, which closes it. Thread-safe. */
final class ClProgram {

    private final ClDevice device;
    /** The file and its defines. */
    private final String name;
    final cl_program handle;

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
            cl_kernel created;
            try {
                created = CL.clCreateKernel(handle, kernel, status);
            } catch (CLException e) {
                created = null;
                status[0] = e.getStatus();
            }
            ClError.check(status[0], device.name(), "creating the kernel " + kernel + " of " + name);
            return new ClKernel(device, kernel, created);
        });
    }
}
