package org.vecformer.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;

/** A text file that is there as a whole or not at all. */
final class OutputFile {
    private OutputFile() {
    }

    /**
     * Sees whether the file could be written, before there is much work for nothing.
     *
     * @throws CommandException if it could not
     */
    static void check(Path file) throws CommandException {
        if (Files.isDirectory(file)) {
            throw new CommandException("cannot write " + file + ": it is a directory");
        }
        if (isDevice(file)) {
            return;
        }
        Path probe = temporary(file);
        try {
            Files.write(probe, new byte[0], StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            Files.delete(probe);
        } catch (IOException e) {
            throw new CommandException("cannot write " + file + ": " + (Files.isDirectory(probe.getParent())
                    ? "no file can be made in its directory"
                    : "there is no directory " + probe.getParent()), e);
        }
    }

    /** Writes it; a file that was there is replaced. */
    static void write(Path file, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (isDevice(file)) {
            Files.write(file, bytes, StandardOpenOption.WRITE);
            return;
        }
        Path temporary = temporary(file);
        try {
            Files.write(temporary, bytes, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try {
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException _) {
                Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    /** Something to write into, that must not be replaced: /dev/null, a pipe. */
    private static boolean isDevice(Path file) {
        return Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file);
    }

    private static Path temporary(Path file) {
        Path whole = file.toAbsolutePath();
        return whole
                .resolveSibling("." + whole.getFileName() + "." + Long.toHexString(new SplittableRandom().nextLong())
                        + ".part");
    }
}
