package org.vecformer.loader;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** The reference files beside the checkout. */
final class SharedFiles {
    private static final Path SHARED = Path.of(System.getProperty("vecformer.shared", "../../shared"));

    private SharedFiles() {
    }

    static Path get(String name) {
        assumeTrue(Files.isDirectory(SHARED), "skipped: the reference files (../shared) are not here");
        return SHARED.resolve(name);
    }
}
