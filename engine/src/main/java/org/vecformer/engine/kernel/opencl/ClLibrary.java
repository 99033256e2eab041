package org.vecformer.engine.kernel.opencl;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Locale;
import org.jocl.CL;
import org.jocl.CLException;
import org.vecformer.engine.UnsupportedBackendException;

/** Loads JOCL and, through it, the machine's OpenCL loader: the one place that bears their absence. */
final class ClLibrary {

    /** What to install; the same words wherever something is missing. */
    static final String ADVICE = "install the GPU vendor's driver, or for the processor (Debian, Ubuntu) the packages "
            + "ocl-icd-libopencl1 and pocl-opencl-icd";

    private static final String SYSTEM = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);

    private ClLibrary() {
    }

    /** The first attempt's result is the only one: a class whose initialization failed cannot be tried again. */
    private static final class Attempt {

        /** Why OpenCL cannot be used; null if it can. */
        static final String REFUSAL = refusal();
    }

    /** @throws UnsupportedBackendException when OpenCL's calls cannot be made; the message says why and what to do */
    static void require() {
        if (Attempt.REFUSAL != null) {
            throw new UnsupportedBackendException(Attempt.REFUSAL);
        }
    }

    private static String refusal() {
        try {
            load();
            return null;
        } catch (NoClassDefFoundError _) {
            return "OpenCL is called through JOCL, which is missing: add org.jocl:jocl:2.0.6 to the class path "
                    + "(or to the module path, and start java with --add-modules jocl)";
        } catch (MissingLoader _) {
            return "there is no OpenCL loader (" + String.join(" or ", loaders()) + ") on this machine: " + ADVICE;
        } catch (IllegalCallerException e) {
            return "java does not let OpenCL be called: start it with --enable-native-access=ALL-UNNAMED (on the module "
                    + "path jocl,org.vecformer.engine): " + e.getMessage();
        } catch (UnsatisfiedLinkError e) {
            return "JOCL's native library cannot be loaded (it is unpacked in java.io.tmpdir, "
                    + System.getProperty("java.io.tmpdir") + "; on Linux it needs glibc): " + reason(e);
        }
    }

    /** Thrown within this class only. */
    private static final class MissingLoader extends Exception {
        private static final long serialVersionUID = 1;
    }

    private static void load() throws MissingLoader {
        joclIsHere();
        // JOCL looks for the loader, too, but writes on the standard output when there is none.
        if (loaders().stream().noneMatch(ClLibrary::loads)) {
            throw new MissingLoader();
        }
        // The loader has no driver loaded before it is called.
        SignalHandlers.remember();
        // JOCL unpacks its library under one name for all users and takes what lies there: perhaps a file that another
        // process is still writing, or somebody else's. This gives each process a file of its own, deleted at the end
        // (which Windows does not allow; its folder is the user's own).
        String unique = "uniqueLibraryNames";
        boolean ours = !SYSTEM.contains("windows") && System.getProperty(unique) == null;
        if (ours) {
            System.setProperty(unique, "true");
        }
        try {
            CL.stringFor_errorCode(CL.CL_SUCCESS); // initializes the class
        } finally {
            if (ours) {
                System.clearProperty(unique);
            }
        }
    }

    /** Loads a class of JOCL that loads nothing else. */
    private static Class<?> joclIsHere() {
        return CLException.class;
    }

    /** The names that JOCL gives to the system. */
    private static List<String> loaders() {
        if (SYSTEM.contains("windows")) {
            return List.of("OpenCL.dll");
        }
        if (SYSTEM.contains("mac")) {
            return List.of("/System/Library/Frameworks/OpenCL.framework/Versions/Current/OpenCL");
        }
        return List.of("libOpenCL.so.1", "libOpenCL.so");
    }

    @SuppressWarnings("restricted")
    private static boolean loads(String library) {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup.libraryLookup(library, arena);
            return true;
        } catch (IllegalArgumentException _) {
            return false;
        }
    }

    /** JOCL tells of two attempts, with stack traces; the second, its own file, is the one that matters. */
    private static String reason(UnsatisfiedLinkError e) {
        List<String> lines = String.valueOf(e.getMessage()).lines().map(String::strip).toList();
        for (int i = 0; i + 1 < lines.size(); i++) {
            if (lines.get(i).endsWith("as a resource:")) {
                return lines.get(i + 1);
            }
        }
        return lines.getFirst();
    }
}
