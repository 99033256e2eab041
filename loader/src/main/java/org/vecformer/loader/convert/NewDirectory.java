package org.vecformer.loader.convert;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A directory that appears as a whole or not at all: it is filled under another name beside its place. Closing it
 * before it was published leaves nothing.
 */
final class NewDirectory implements AutoCloseable {
    private final Path target;
    private final Path temporary;
    private final Deque<Path> madeParents;

    private NewDirectory(Path target, Path temporary, Deque<Path> madeParents) {
        this.target = target;
        this.temporary = temporary;
        this.madeParents = madeParents;
    }

    /**
     * Begins a directory.
     *
     * @throws FileAlreadyExistsException if there is something else than an empty directory
     */
    static NewDirectory at(Path path) throws IOException {
        Path target = Files.exists(path) ? path.toRealPath() : path.toAbsolutePath().normalize();
        requireFree(path);
        if (target.getFileName() == null) {
            throw new FileAlreadyExistsException(path.toString(), null, "this is the root, expected a new directory");
        }
        Deque<Path> made = new ArrayDeque<>();
        Path temporary = target.resolveSibling(
                "." + target.getFileName() + "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp");
        NewDirectory directory = new NewDirectory(target, temporary, made);
        try {
            for (Path parent = target.getParent(); !Files.exists(parent); parent = parent.getParent()) {
                made.addLast(parent);
            }
            Files.createDirectories(target.getParent());
            Files.createDirectory(temporary);
            return directory;
        } catch (Throwable e) {
            directory.close();
            throw e;
        }
    }

    private static void requireFree(Path path) throws IOException {
        if (!Files.exists(path)) {
            if (Files.isSymbolicLink(path)) {
                throw new NoSuchFileException(path.toString(), null, "this is a link to nothing");
            }
            return;
        }
        if (!Files.isDirectory(path)) {
            throw new FileAlreadyExistsException(path.toString(), null,
                    "this is no directory, expected a new or an empty one");
        }
        try (Stream<Path> entries = Files.list(path)) {
            if (entries.findAny().isPresent()) {
                throw new FileAlreadyExistsException(path.toString(), null,
                        "the directory is not empty, expected a new or an empty one");
            }
        }
    }

    /** Where files are put. */
    Path path() {
        return temporary;
    }

    /** A folder for what is needed while the directory is made; it need not exist and is not published. */
    Path scratch() {
        return temporary.resolve(".scratch");
    }

    /** Puts the directory in its place. */
    void publish() throws IOException {
        delete(scratch());
        requireFree(target);
        Files.deleteIfExists(target);
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException _) {
            Files.move(temporary, target);
        }
        madeParents.clear();
    }

    @Override
    public void close() throws IOException {
        delete(temporary);
        for (Path parent : madeParents) {
            try {
                Files.deleteIfExists(parent);
            } catch (IOException _) {
                // Somebody else uses it meanwhile.
                break;
            }
        }
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path folder, IOException failure) throws IOException {
                if (failure != null) {
                    throw failure;
                }
                Files.delete(folder);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
