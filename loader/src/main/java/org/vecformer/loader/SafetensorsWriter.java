package org.vecformer.loader;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Writes a safetensors file: the tensors are declared first, then their data is appended in the same order, in pieces
 * of any size.
 *
 * <p>The file appears under its name only when {@link #finish} has run; until then the bytes are in a temporary file
 * beside it, which {@link #close} removes if the writer was not finished. An instance belongs to one thread.
 *
 * {@snippet :
 * try (var writer = SafetensorsWriter.create(path, List.of(Declaration.f32("logits", 5, 50257)), Map.of())) {
 *     for (float[] row : rows) {
 *         writer.append(row);
 *     }
 *     writer.finish();
 * }
 * }
 */
public final class SafetensorsWriter implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int HEADER_ALIGNMENT = 8;

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;
    private final List<Declaration> tensors;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private int current;
    private long written;
    private boolean finished;

    /**
     * A tensor that will be written.
     *
     * @param name its name, any text but {@code __metadata__}
     * @param dtype the type of its elements
     * @param shape its dimensions, outermost first; empty for a scalar
     */
    public record Declaration(String name, DType dtype, List<Long> shape) {
        /**
         * Checks the sizes.
         *
         * @throws IllegalArgumentException if a dimension is negative, the elements are not whole bytes, or there are
         *             more bytes than a long can count
         */
        public Declaration {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(dtype, "dtype");
            shape = List.copyOf(shape);
            bytes(name, dtype, shape);
        }

        /** A float32 tensor. */
        public static Declaration f32(String name, long... shape) {
            return new Declaration(name, DType.F32, Arrays.stream(shape).boxed().toList());
        }

        /** The number of bytes of its data. */
        public long byteSize() {
            return bytes(name, dtype, shape);
        }

        private static long bytes(String name, DType dtype, List<Long> shape) {
            long bits = dtype.bits();
            for (long dimension : shape) {
                if (dimension < 0) {
                    throw new IllegalArgumentException("tensor " + name + " has the dimension " + dimension);
                }
                try {
                    bits = Math.multiplyExact(bits, dimension);
                } catch (ArithmeticException e) {
                    throw new IllegalArgumentException("tensor " + name + " is too large: " + shape, e);
                }
            }
            if (bits % Byte.SIZE != 0) {
                throw new IllegalArgumentException("tensor " + name + " has " + bits + " bits, expected whole bytes");
            }
            return bits / Byte.SIZE;
        }
    }

    private SafetensorsWriter(Path target, Path temporary, FileChannel channel, List<Declaration> tensors) {
        this.target = target;
        this.temporary = temporary;
        this.channel = channel;
        this.tensors = tensors;
    }

    /**
     * Begins a file.
     *
     * @param file where it shall be; an existing file is replaced at the end
     * @param tensors the tensors, in the order in which their data will come
     * @param metadata the texts of {@code __metadata__}; none are written if it is empty
     * @throws IllegalArgumentException if two tensors have one name
     * @throws IOException if the file cannot be created
     */
    public static SafetensorsWriter create(Path file, List<Declaration> tensors, Map<String, String> metadata)
            throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new FileAlreadyExistsException(file.toString(), null,
                    "this is not a regular file and is not replaced");
        }
        byte[] header = header(tensors, metadata);
        // A link stays a link: what it points to is replaced.
        Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        Path temporary = target.resolveSibling(
                "." + target.getFileName() + "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".tmp");
        FileChannel channel = FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        var writer = new SafetensorsWriter(target, temporary, channel, List.copyOf(tensors));
        try {
            writer.write(ByteBuffer.wrap(header));
            writer.skipFull();
            return writer;
        } catch (Throwable e) {
            writer.close();
            throw e;
        }
    }

    private static byte[] header(List<Declaration> tensors, Map<String, String> metadata) throws IOException {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        json.write(new byte[SafetensorsHeader.LENGTH_BYTES]);
        Set<String> names = new HashSet<>();
        JsonFactory factory = JsonFactory.builder().recyclerPool(JsonRecyclerPools.nonRecyclingPool()).build();
        try (JsonGenerator generator = factory.createGenerator(json)) {
            generator.writeStartObject();
            if (!metadata.isEmpty()) {
                generator.writeObjectFieldStart(SafetensorsHeader.METADATA);
                for (var entry : metadata.entrySet()) {
                    generator.writeStringField(entry.getKey(), entry.getValue());
                }
                generator.writeEndObject();
            }
            long offset = 0;
            for (Declaration tensor : tensors) {
                if (!names.add(tensor.name) || tensor.name.equals(SafetensorsHeader.METADATA)) {
                    throw new IllegalArgumentException(
                            "tensor name " + FormatException.quote(tensor.name) + " is taken, expected another");
                }
                generator.writeObjectFieldStart(tensor.name);
                generator.writeStringField("dtype", tensor.dtype.name());
                generator.writeArrayFieldStart("shape");
                for (long dimension : tensor.shape) {
                    generator.writeNumber(dimension);
                }
                generator.writeEndArray();
                generator.writeArrayFieldStart("data_offsets");
                generator.writeNumber(offset);
                offset = Math.addExact(offset, tensor.byteSize());
                generator.writeNumber(offset);
                generator.writeEndArray();
                generator.writeEndObject();
            }
            generator.writeEndObject();
        }
        while (json.size() % HEADER_ALIGNMENT != 0) {
            json.write(' ');
        }
        byte[] header = json.toByteArray();
        long length = header.length - SafetensorsHeader.LENGTH_BYTES;
        if (length > SafetensorsHeader.MAX_LENGTH) {
            throw new IllegalArgumentException("the header would have " + length + " bytes, expected at most "
                    + SafetensorsHeader.MAX_LENGTH);
        }
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        return header;
    }

    /** As {@link #append(float[], int, int)}, of all values. */
    public void append(float[] values) throws IOException {
        append(values, 0, values.length);
    }

    /**
     * Appends values to the tensor whose turn it is, which must be of type F32.
     *
     * @param values the values
     * @param from index of the first one
     * @param to index after the last one
     * @throws IllegalStateException if the tensor is of another type, has not that many bytes left, or there is no
     *             tensor left
     * @throws IOException if writing fails
     */
    public void append(float[] values, int from, int to) throws IOException {
        Objects.checkFromToIndex(from, to, values.length);
        advance(DType.F32, (long) Float.BYTES * (to - from));
        int next = from;
        while (next < to) {
            buffer.clear();
            int count = Math.min(to - next, BUFFER_BYTES / Float.BYTES);
            buffer.asFloatBuffer().put(values, next, count);
            write(buffer.limit(count * Float.BYTES));
            next += count;
        }
        skipFull();
    }

    /**
     * Appends little-endian bytes to the tensor whose turn it is.
     *
     * @param bytes native memory or a segment over a {@code byte[]}
     * @throws IllegalStateException if the tensor has not that many bytes left, or there is no tensor left
     * @throws IOException if writing fails
     */
    public void append(MemorySegment bytes) throws IOException {
        advance(null, bytes.byteSize());
        long done = 0;
        while (done < bytes.byteSize()) {
            long window = Math.min(WindowedFile.WINDOW, bytes.byteSize() - done);
            write(bytes.asSlice(done, window).asByteBuffer());
            done += window;
        }
        skipFull();
    }

    private void advance(DType required, long bytes) {
        if (bytes == 0) {
            return;
        }
        if (current == tensors.size()) {
            throw new IllegalStateException("all " + tensors.size() + " declared tensors are written");
        }
        Declaration tensor = tensors.get(current);
        if (required != null && tensor.dtype != required) {
            throw new IllegalStateException("tensor " + tensor.name + " is " + tensor.dtype + ", not " + required);
        }
        long left = tensor.byteSize() - written;
        if (bytes > left) {
            throw new IllegalStateException(
                    "tensor " + tensor.name + " has " + left + " bytes left, not " + bytes);
        }
        written += bytes;
    }

    private void skipFull() {
        while (current < tensors.size() && written == tensors.get(current).byteSize()) {
            current++;
            written = 0;
        }
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /**
     * Puts the file in its place. The writer takes nothing more.
     *
     * @throws IllegalStateException if data is missing
     * @throws IOException if the file cannot be closed or moved
     */
    public void finish() throws IOException {
        if (current < tensors.size()) {
            Declaration tensor = tensors.get(current);
            throw new IllegalStateException("tensor " + tensor.name + " has " + written + " of " + tensor.byteSize()
                    + " bytes, expected all before the end");
        }
        channel.close();
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException _) {
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        }
        finished = true;
    }

    /** Ends writing; if {@link #finish} has not run, nothing is left. */
    @Override
    public void close() throws IOException {
        channel.close();
        if (!finished) {
            Files.deleteIfExists(temporary);
        }
    }
}
