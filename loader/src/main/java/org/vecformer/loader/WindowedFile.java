package org.vecformer.loader;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;

/**
 * An open file, read at positions in windows, by several threads at once. Nothing is ever mapped: a mapping of a file
 * that is truncated kills the JVM, a read of it returns short.
 */
final class WindowedFile implements AutoCloseable {
    /** Bytes asked for in one read: large enough for the disk, small enough to be interrupted and counted. */
    static final int WINDOW = 8 << 20;

    /** What a pointer file of Git LFS begins with (its specification, version 1). */
    private static final byte[] LFS = "version https://git-lfs.github.com/spec/".getBytes(StandardCharsets.US_ASCII);
    /** A pointer file "must be less than 1024 bytes" (ibid.). */
    private static final int LFS_MAX = 1024;

    private final Path path;
    private final SeekableByteChannel channel;
    private final long size;

    WindowedFile(Path path, SeekableByteChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        this.size = channel.size();
    }

    /** Opens a regular file; anything else (a directory, a pipe that would block for ever) is refused by name. */
    static WindowedFile open(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new FormatException(path, "this is a directory, expected a file");
        }
        if (!Files.exists(path)) {
            String why = Files.isSymbolicLink(path)
                    ? "this is a link to a file that is not there"
                    : "there is no such file";
            throw new NoSuchFileException(path.toString(), null, why);
        }
        if (!Files.isRegularFile(path)) {
            throw new FormatException(path, "this is not a regular file");
        }
        SeekableByteChannel channel;
        try {
            channel = Files.newByteChannel(path);
        } catch (AccessDeniedException e) {
            var denied = new AccessDeniedException(path.toString(), null, "there is no permission to read this file");
            denied.initCause(e);
            throw denied;
        }
        try {
            return new WindowedFile(path, channel);
        } catch (ClosedByInterruptException e) {
            throw interrupted(path, e);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static InterruptedIOException interrupted(Path path, ClosedByInterruptException cause) {
        var interrupted = new InterruptedIOException(
                path + ": the reading thread was interrupted, which closed the file");
        interrupted.initCause(cause);
        return interrupted;
    }

    Path path() {
        return path;
    }

    /** The size when the file was opened. */
    long size() {
        return size;
    }

    /**
     * Fills the segment with the file's bytes from a position on.
     *
     * @throws FormatException if the file ends before the segment is full
     * @throws InterruptedIOException if the thread was interrupted, which closes the file for all threads
     */
    void read(long position, MemorySegment destination) throws IOException {
        long done = 0;
        while (done < destination.byteSize()) {
            int window = (int) Math.min(WINDOW, destination.byteSize() - done);
            read(position + done, destination.asSlice(done, window).asByteBuffer());
            done += window;
        }
    }

    private void read(long position, ByteBuffer destination) throws IOException {
        long at = position;
        while (destination.hasRemaining()) {
            int count = readSome(at, destination);
            if (count < 0) {
                throw new FormatException(path, "the file ends before byte " + (at + destination.remaining())
                        + ", although it had " + size + " bytes when it was opened; it was changed while it was read");
            }
            at += count;
        }
    }

    private int readSome(long position, ByteBuffer destination) throws IOException {
        try {
            if (channel instanceof FileChannel file) {
                return file.read(destination, position);
            }
            synchronized (channel) {
                // Without this check a channel over an array would be moved beyond its end and read nothing for ever.
                if (position >= channel.size()) {
                    return -1;
                }
                channel.position(position);
                return channel.read(destination);
            }
        } catch (ClosedByInterruptException e) {
            throw interrupted(path, e);
        } catch (ClosedChannelException e) {
            throw new IOException(path + ": the file was closed before or while it was read", e);
        }
    }

    /** The {@code length} bytes from {@code position} on as a stream. Closing the stream leaves the file open. */
    InputStream inputStream(long position, long length) {
        return new InputStream() {
            private long at = position;
            private final long end = position + length;

            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] buffer, int offset, int count) throws IOException {
                Objects.checkFromIndexSize(offset, count, buffer.length);
                if (at == end) {
                    return -1;
                }
                int wanted = (int) Math.min(count, end - at);
                WindowedFile.this.read(at, ByteBuffer.wrap(buffer, offset, wanted));
                at += wanted;
                return wanted;
            }
        };
    }

    /** The first bytes, at most {@code count}. */
    byte[] start(int count) throws IOException {
        byte[] start = new byte[(int) Math.min(count, size)];
        read(0, ByteBuffer.wrap(start));
        return start;
    }

    /** Says so if the file is only Git LFS's note of where the real one is. */
    void refuseLfsPointer() throws IOException {
        if (size >= LFS_MAX || size < LFS.length) {
            return;
        }
        String text = new String(start(LFS_MAX), StandardCharsets.US_ASCII);
        if (text.startsWith(new String(LFS, StandardCharsets.US_ASCII))) {
            String real = text.lines().filter(line -> line.matches("size [0-9]{1,19}"))
                    .findFirst().map(line -> " of " + line.substring(5) + " bytes").orElse("");
            throw new FormatException(path, "this is a Git LFS pointer and not the file" + real
                    + " itself; run \"git lfs pull\" in its directory, or download the file");
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
