package org.vecformer.loader.convert;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.vecformer.loader.FormatException;

/**
 * Bytes of a file or of a zip file's entry, read from any position; front to back is never slow. Belongs to one thread.
 */
interface ByteSource extends Closeable {

    /** How messages name it. */
    String name();

    /** The number of bytes. */
    long size();

    /**
     * Fills the buffer with the bytes from a position on.
     *
     * @throws FormatException if there are not that many
     */
    void read(long position, ByteBuffer destination) throws IOException;

    /** The exception for what is wrong with these bytes. */
    default FormatException error(String problem) {
        return new FormatException(name() + ": " + problem);
    }

    /** All bytes. */
    default byte[] readAll(int limit) throws IOException {
        if (size() > limit) {
            throw error("there are " + size() + " bytes, expected at most " + limit);
        }
        byte[] bytes = new byte[(int) size()];
        read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }

    /** The first bytes, at most {@code count}. */
    default byte[] start(int count) throws IOException {
        byte[] bytes = new byte[(int) Math.min(size(), count)];
        read(0, ByteBuffer.wrap(bytes));
        return bytes;
    }
}
