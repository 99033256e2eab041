package org.vecformer.engine.kernel.opencl;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jocl.CL;
import org.jocl.Pointer;
import org.jocl.cl_context;
import org.jocl.cl_device_id;
import org.jocl.cl_program;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.DeviceException;

/** Makes programs of a device, from its cache or from their source. For one thread at a time. */
final class ClCompiler {

    private static final System.Logger LOG = System.getLogger(ClCompiler.class.getName());
    /** The first errors are the ones that tell. */
    private static final int LOG_LINES = 40;
    private static final int LOG_LINE_CHARACTERS = 300;

    private final ClDiscovery.Found device;
    private final String deviceName;
    private final cl_context context;
    private final ClProgramCache cache;

    ClCompiler(ClDiscovery.Found device, String deviceName, cl_context context, ClProgramCache cache) {
        this.device = device;
        this.deviceName = deviceName;
        this.context = context;
        this.cache = cache;
    }

    /**
     * Makes a program, and keeps it in the cache if it was not there.
     *
     * @param name for messages
     * @throws DeviceException when it cannot be compiled; the message has the driver's log
     */
    cl_program program(String name, String source, String options) {
        ComputeDevice description = device.description();
        String key = ClProgramCache.key(description.name(), description.vendor(), description.driver(),
                description.version(), description.platform(), device.platformVersion(), options, source);
        byte[] binary = cache.load(key);
        if (binary != null) {
            cl_program cached = ofBinary(binary, options);
            if (cached != null) {
                return cached;
            }
        }
        cl_program compiled = ofSource(name, source, options);
        binary = binary(compiled);
        if (binary.length > 0) {
            cache.store(key, binary);
        }
        return compiled;
    }

    /** Null if the driver does not take it: then the source has to do. */
    private cl_program ofBinary(byte[] binary, String options) {
        int[] status = new int[1];
        cl_program program = ClError.make(status, to -> CL.clCreateProgramWithBinary(context, 1, device(),
                new long[]{binary.length}, new byte[][]{binary}, null, to));
        if (program != null && build(program, options) != CL.CL_SUCCESS) {
            CL.clReleaseProgram(program);
            return null;
        }
        return program;
    }

    private cl_program ofSource(String name, String source, String options) {
        int[] status = new int[1];
        cl_program program = ClError.make(status,
                to -> CL.clCreateProgramWithSource(context, 1, new String[]{source}, null, to));
        ClError.check(status[0], deviceName, "taking the kernels of " + name);
        status[0] = build(program, options);
        if (status[0] != CL.CL_SUCCESS) {
            String log = log(program);
            CL.clReleaseProgram(program);
            throw new DeviceException(ClError.message(status[0], deviceName,
                    "compiling the kernels of " + name + " (" + options + ")") + ", the driver's log:\n" + log);
        }
        LOG.log(System.Logger.Level.DEBUG, () -> "compiled " + name + " (" + options + "): " + log(program));
        return program;
    }

    private int build(cl_program program, String options) {
        return SignalHandlers.during(
                () -> ClError.status(() -> CL.clBuildProgram(program, 1, device(), options, null, null)));
    }

    private cl_device_id[] device() {
        return new cl_device_id[]{device.id()};
    }

    private String log(cl_program program) {
        long[] bytes = new long[1];
        int status = ClError.status(() -> CL.clGetProgramBuildInfo(program, device.id(), CL.CL_PROGRAM_BUILD_LOG, 0,
                null, bytes));
        byte[] log = new byte[(int) bytes[0]];
        if (status != CL.CL_SUCCESS || log.length == 0 || ClError.status(() -> CL.clGetProgramBuildInfo(program,
                device.id(), CL.CL_PROGRAM_BUILD_LOG, log.length, Pointer.to(log), null)) != CL.CL_SUCCESS) {
            return "(it gives none)";
        }
        return shortened(new String(log, StandardCharsets.UTF_8).replace('\0', ' ').strip());
    }

    static String shortened(String log) {
        List<String> lines = log.lines().map(line -> line.length() <= LOG_LINE_CHARACTERS
                ? line
                : line.substring(0, LOG_LINE_CHARACTERS) + " ...").toList();
        if (lines.size() <= LOG_LINES) {
            return String.join("\n", lines);
        }
        return String.join("\n", lines.subList(0, LOG_LINES)) + "\n... (" + (lines.size() - LOG_LINES) + " more lines)";
    }

    /** Empty if the driver has none to give. */
    private static byte[] binary(cl_program program) {
        long[] bytes = new long[1];
        int status = ClError.status(
                () -> CL.clGetProgramInfo(program, CL.CL_PROGRAM_BINARY_SIZES, Long.BYTES, Pointer.to(bytes), null));
        if (status != CL.CL_SUCCESS || bytes[0] <= 0 || bytes[0] > Integer.MAX_VALUE) {
            return new byte[0];
        }
        ByteBuffer memory = ByteBuffer.allocateDirect((int) bytes[0]);
        status = ClError.status(() -> CL.clGetProgramInfo(program, CL.CL_PROGRAM_BINARIES, Long.BYTES,
                Pointer.to(Pointer.to(memory)), null));
        if (status != CL.CL_SUCCESS) {
            return new byte[0];
        }
        byte[] binary = new byte[memory.capacity()];
        memory.get(binary);
        return binary;
    }
}
