package org.vecformer.loader.convert;

import java.io.IOException;
import java.nio.file.Path;
import java.util.SortedSet;

/** The files of a directory or an archive, by names relative to it with {@code /} between folders. */
interface FileTree extends AutoCloseable {

    /** Names of all regular files that a conversion may look at. */
    SortedSet<String> names();

    /** How messages name a file. */
    String describe(String name);

    /** Opens one of {@link #names}. */
    ByteSource open(String name) throws IOException;

    /** One of {@link #names} as a file of the file system; what lies in an archive is unpacked into the scratch folder. */
    Path file(String name) throws IOException;

    @Override
    void close() throws IOException;

    /** The last part of a name. */
    static String baseName(String name) {
        return name.substring(name.lastIndexOf('/') + 1);
    }

    /** The folder of a name with the slash at its end; empty for the top. */
    static String folder(String name) {
        return name.substring(0, name.lastIndexOf('/') + 1);
    }
}
