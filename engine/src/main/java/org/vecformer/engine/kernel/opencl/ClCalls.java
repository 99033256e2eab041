package org.vecformer.engine.kernel.opencl;

import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.jocl.CL;
import org.jocl.CLException;
import org.jocl.Pointer;
import org.jocl.cl_command_queue;
import org.jocl.cl_context;
import org.jocl.cl_context_properties;
import org.jocl.cl_device_id;
import org.jocl.cl_mem;
import org.jocl.cl_program;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.DeviceMemoryException;
import org.vecformer.engine.UnsupportedBackendException;

/** The calls that make things on a device. */
final class ClCalls {

    private ClCalls() {
    }

    /** Makes something with a function that returns its status in an array. */
    private static <T> T make(int[] status, Function<int[], T> maker) {
        try {
            return maker.apply(status);
        } catch (CLException e) {
            status[0] = e.getStatus();
            return null;
        }
    }

    static cl_context createContext(ClDiscovery.Found found) {
        cl_context_properties properties = new cl_context_properties();
        properties.addProperty(CL.CL_CONTEXT_PLATFORM, found.platform());
        int[] status = new int[1];
        cl_context context = make(status,
                to -> CL.clCreateContext(properties, 1, new cl_device_id[]{found.id()}, null, null, to));
        if (status[0] != CL.CL_SUCCESS) {
            throw new UnsupportedBackendException(
                    "the driver of opencl:%d (%s, driver %s) cannot open it: %s".formatted(
                            found.description().index(), found.description().name(), found.description().driver(),
                            ClError.name(status[0])));
        }
        return context;
    }

    static ClBuffer createBuffer(ClDevice device, long bytes, String what) {
        int[] status = new int[1];
        cl_mem memory = make(status,
                to -> CL.clCreateBuffer(device.context(), CL.CL_MEM_READ_WRITE, bytes, null, to));
        if (status[0] != CL.CL_SUCCESS) {
            throw memoryOrFailure(device, status[0], bytes, what);
        }
        return new ClBuffer(device, what, memory, bytes);
    }

    private static DeviceException memoryOrFailure(ClDevice device, int status, long bytes, String what) {
        return switch (status) {
            case CL.CL_MEM_OBJECT_ALLOCATION_FAILURE, CL.CL_OUT_OF_RESOURCES, CL.CL_OUT_OF_HOST_MEMORY,
                    CL.CL_INVALID_BUFFER_SIZE ->
                device
                        .tooLittle(bytes, what, device.left() + bytes,
                                ", but its driver refused: " + ClError.name(status));
            default -> new DeviceException(
                    ClError.message(status, device.name(), "allocating " + bytes + " bytes for " + what));
        };
    }

    static ClQueue createQueue(ClDevice device) {
        int[] status = new int[1];
        long properties = device.profiling() ? CL.CL_QUEUE_PROFILING_ENABLE : 0;
        // Deprecated in favour of a call that drivers of OpenCL 1.2 do not have.
        @SuppressWarnings("deprecation")
        cl_command_queue queue = make(status,
                to -> CL.clCreateCommandQueue(device.context(), device.id(), properties, to));
        ClError.check(status[0], device.name(), "creating a queue");
        return new ClQueue(device, queue);
    }

    static cl_program buildProgram(ClDevice device, String name, String source, String options) {
        int[] status = new int[1];
        cl_program program = make(status, to -> CL.clCreateProgramWithSource(device.context(), 1,
                new String[]{source}, null, to));
        ClError.check(status[0], device.name(), "reading the kernels of " + name);
        make(status, to -> to[0] = CL.clBuildProgram(program, 1, new cl_device_id[]{device.id()}, options, null,
                null));
        if (status[0] != CL.CL_SUCCESS) {
            String log = buildLog(device, program);
            CL.clReleaseProgram(program);
            throw new DeviceException(
                    ClError.message(status[0], device.name(), "compiling the kernels of " + name) + ":\n" + log);
        }
        return program;
    }

    private static String buildLog(ClDevice device, cl_program program) {
        long[] bytes = new long[1];
        make(new int[1], _ -> CL.clGetProgramBuildInfo(program, device.id(), CL.CL_PROGRAM_BUILD_LOG, 0, null, bytes));
        byte[] log = new byte[(int) bytes[0]];
        make(new int[1], _ -> CL.clGetProgramBuildInfo(program, device.id(), CL.CL_PROGRAM_BUILD_LOG, log.length,
                Pointer.to(log), null));
        return new String(log, StandardCharsets.UTF_8).replace('\0', ' ').strip();
    }

    static void release(ClProgram program) {
        CL.clReleaseProgram(program.handle);
    }

    static void release(cl_context context) {
        CL.clReleaseContext(context);
    }
}
