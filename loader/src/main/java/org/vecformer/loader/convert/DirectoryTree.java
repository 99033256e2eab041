package org.vecformer.loader.convert;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.vecformer.loader.FormatException;

/** A directory, and those directories in it that are parts of a model: of a SavedModel, or modules such as 1_Pooling. */
final class DirectoryTree implements FileTree {
    /** Far more than a model has. */
    private static final int MAX_FILES = 100_000;
    private static final Pattern PARTS = Pattern.compile("variables|assets|[0-9]{1,3}_\\w+");

    private final Path directory;
    private final TreeSet<String> names = new TreeSet<>();

    DirectoryTree(Path directory) throws IOException {
        this.directory = directory;
        for (Path folder : list(directory, "")) {
            list(folder, folder.getFileName() + "/");
        }
    }

    /** Adds the files of a folder; returns the folders in it. */
    private List<Path> list(Path folder, String prefix) throws IOException {
        List<Path> folders = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                if (Files.isRegularFile(entry)) {
                    names.add(prefix + entry.getFileName());
                } else if (PARTS.matcher(entry.getFileName().toString()).matches() && Files.isDirectory(entry)) {
                    folders.add(entry);
                }
                if (names.size() + folders.size() > MAX_FILES) {
                    throw new FormatException(directory,
                            "there are more than " + MAX_FILES + " files, expected the directory of one model");
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return folders;
    }

    @Override
    public SortedSet<String> names() {
        return Collections.unmodifiableSortedSet(names);
    }

    @Override
    public String describe(String name) {
        return directory.resolve(name).toString();
    }

    @Override
    public ByteSource open(String name) throws IOException {
        return FileBytes.open(directory.resolve(name));
    }

    @Override
    public Path file(String name) {
        return directory.resolve(name);
    }

    @Override
    public void close() {
        // Nothing is kept open.
    }
}
