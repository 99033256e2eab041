package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What a report says of where it runs, without a vector of its own. */
final class Machine {

    private Machine() {
    }

    /** The processor's name where Linux tells it, or else its kind. */
    static String processor() {
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
    static Optional<String> vectorsMissing() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                ? Optional.empty()
                : Optional.of("the limits are measured with vectors: start java with "
                        + "--add-modules jdk.incubator.vector");
    }
}
