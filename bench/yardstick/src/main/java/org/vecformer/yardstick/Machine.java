package org.vecformer.yardstick;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What is to be said of where a measurement runs, without a vector of its own. */
public final class Machine {

    private Machine() {
    }

    /** The processor's name where Linux tells it, or else its kind. */
    public static String processor() {
        Path info = Path.of("/proc/cpuinfo");
        String kind = System.getProperty("os.arch");
        if (Files.isReadable(info)) {
            try (var lines = Files.lines(info)) {
                kind = lines.filter(line -> line.startsWith("model name")).findFirst()
                        .map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse(kind);
            } catch (IOException _) {
                // The name is a courtesy.
            }
        }
        return kind;
    }

    /** What to do about a JVM that has no vectors, in which {@link Limits} cannot be measured. */
    public static Optional<String> vectorsMissing() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                ? Optional.empty()
                : Optional.of("the limits are measured with vectors: start java with "
                        + "--add-modules jdk.incubator.vector");
    }
}
