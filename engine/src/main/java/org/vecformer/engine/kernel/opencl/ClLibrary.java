package org.vecformer.engine.kernel.opencl;

import org.jocl.CL;
import org.vecformer.engine.UnsupportedBackendException;

/** Loads JOCL and, through it, the machine's OpenCL loader: the one place that bears their absence. */
final class ClLibrary {

    private ClLibrary() {
    }

    /** The first attempt's result is the only one: a class whose initialization failed cannot be tried again. */
    private static final class Attempt {

        /** Why OpenCL cannot be used; null if it can. */
        static final String REFUSAL = load();

        private static String load() {
            try {
                CL.stringFor_errorCode(CL.CL_SUCCESS);
                return null;
            } catch (NoClassDefFoundError e) {
                return "OpenCL needs JOCL, which is not on the class path: add the dependency org.jocl:jocl:2.0.6";
            } catch (UnsatisfiedLinkError e) {
                return reason(e);
            }
        }

        private static String reason(UnsatisfiedLinkError e) {
            String message = String.valueOf(e.getMessage());
            if (message.startsWith("Could not initialize native OpenCL library")) {
                return "this machine has no OpenCL loader (libOpenCL.so.1, on Windows OpenCL.dll): install it and a "
                        + "driver, on Debian and Ubuntu ocl-icd-libopencl1 with the GPU vendor's driver, or with "
                        + "pocl-opencl-icd for the processor";
            }
            return "JOCL's native library cannot be loaded here: " + message.lines().findFirst().orElse("");
        }
    }

    /** @throws UnsupportedBackendException when OpenCL's calls cannot be made; the message says why and what to do */
    static void require() {
        if (Attempt.REFUSAL != null) {
            throw new UnsupportedBackendException(Attempt.REFUSAL);
        }
    }
}
