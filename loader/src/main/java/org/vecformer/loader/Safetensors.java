package org.vecformer.loader;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * One open safetensors file. The header was checked in full when an instance exists: tensors lie one after the other,
 * without holes or overlaps, up to the end of the file, and each has the size its type and shape ask for.
 *
 * <p>Thread-safe: any number of threads may read at once. A thread that is interrupted while it reads closes the file
 * for all (that is how Java's channels work) and gets an {@link java.io.InterruptedIOException}.
 */
public final class Safetensors implements AutoCloseable {
    private final WindowedFile file;
    private final SafetensorsHeader header;
    private final Map<String, TensorInfo> byName;

    private Safetensors(WindowedFile file) throws IOException {
        this.file = file;
        this.header = SafetensorsHeader.read(file);
        this.byName = HashMap.newHashMap(header.tensors().size());
        for (TensorInfo tensor : header.tensors()) {
            byName.put(tensor.name(), tensor);
        }
    }

    /**
     * Opens a file and checks its header. The tensors' bytes are not touched.
     *
     * @param path a file of any file system, a zip file's for example
     * @throws FormatException if the file is not a safetensors file without fault; the message says where
     * @throws IOException if the file cannot be read ({@link java.nio.file.NoSuchFileException} if it is not there)
     */
    public static Safetensors open(Path path) throws IOException {
        return open(WindowedFile.open(path));
    }

    /** As {@link #open(Path)}, on a channel that the caller opened. */
    static Safetensors open(Path path, SeekableByteChannel channel) throws IOException {
        return open(new WindowedFile(path, channel));
    }

    private static Safetensors open(WindowedFile file) throws IOException {
        try {
            return new Safetensors(file);
        } catch (Throwable e) {
            file.close();
            throw e;
        }
    }

    /** The file, for messages. */
    public Path path() {
        return file.path();
    }

    /** All tensors in the order of their bytes. */
    public Collection<TensorInfo> tensors() {
        return header.tensors();
    }

    /** The texts of {@code __metadata__}, in the file's order; empty if it has none. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(header.metadata());
    }

    /** The tensor of this name. */
    public Optional<TensorInfo> find(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    /**
     * Copies bytes of a tensor, as many as the destination has, in windows of at most 8 MB and without a copy on the
     * Java heap.
     *
     * @param tensor a tensor of this file
     * @param byteOffset the first byte to copy, counted from the tensor's first byte
     * @param destination native memory (or a segment over a {@code byte[]}), accessible from this thread; if an
     *            exception is thrown its contents are undefined
     * @throws IllegalArgumentException if the tensor is not of this file, or the destination cannot be written
     * @throws IndexOutOfBoundsException if the tensor has not that many bytes
     * @throws FormatException if the file has become shorter since it was opened
     * @throws java.io.InterruptedIOException if this thread was interrupted
     * @throws IOException if reading fails, or the file was closed
     */
    public void read(TensorInfo tensor, long byteOffset, MemorySegment destination) throws IOException {
        if (!tensor.equals(byName.get(tensor.name()))) {
            throw new IllegalArgumentException(
                    "tensor " + FormatException.quote(tensor.name()) + " is not one of " + file.path());
        }
        Objects.checkFromIndexSize(byteOffset, destination.byteSize(), tensor.byteSize());
        requireWritable(destination);
        file.read(tensor.byteOffset() + byteOffset, destination);
    }

    private static void requireWritable(MemorySegment destination) {
        boolean bytes = destination.isNative() || destination.heapBase().filter(byte[].class::isInstance).isPresent();
        if (destination.isReadOnly() || !bytes) {
            throw new IllegalArgumentException(
                    "the destination is not writable native memory or a byte array: " + destination);
        }
    }

    /** Closes the file. Reads that are under way in other threads fail with an IOException. */
    @Override
    public void close() throws IOException {
        file.close();
    }
}
