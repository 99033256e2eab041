package org.vecformer.loader.convert;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;

/**
 * A TensorFlow checkpoint of version 2, a "tensor bundle": {@code X.index}, a sorted table from a variable's name to
 * its type, shape and place, and the bytes in {@code X.data-00000-of-00001} and its siblings (tensorflow,
 * core/protobuf/tensor_bundle.proto and core/util/tensor_bundle).
 */
final class TensorBundle implements WeightSource {
    static final String INDEX = ".index";
    private static final int MAX_SHARDS = 99_999;
    private static final int MAX_DIMENSIONS = 32;
    /** Extents that span a whole dimension have this length in a slice's key. */
    private static final long WHOLE = -1;

    private final FileTree files;
    private final String prefix;
    private final String index;
    private final Map<String, Entry> entries = new HashMap<>();
    private final Map<ByteBuffer, Entry> slices = new HashMap<>();
    private final List<SourceTensor> tensors = new ArrayList<>();
    private final List<String> others = new ArrayList<>();
    private int shards = 1;
    private boolean bigEndian;
    private long[] shardSizes;
    private ByteSource open;
    private int openShard = -1;

    /**
     * What the index says of a tensor.
     *
     * @param type TensorFlow's number of the type
     * @param checksum of the bytes, masked
     * @param parts the slices of a partitioned variable, which has no bytes of its own; empty for others
     */
    private record Entry(String name, int type, List<Long> shape, int shard, long offset, long size, int checksum,
            List<Slice> parts) {

        DType dtype() {
            return TensorBundle.dtype(type);
        }
    }

    /** Where a slice begins in each dimension, and how long it is there; {@link #WHOLE} for all of it. */
    private record Slice(long[] starts, long[] lengths) {}

    private TensorBundle(FileTree files, String prefix) {
        this.files = files;
        this.prefix = prefix;
        this.index = files.describe(prefix + INDEX);
    }

    /**
     * Reads and checks the index.
     *
     * @param prefix what the names of the files begin with, {@code model.ckpt} for example
     */
    static TensorBundle open(FileTree files, String prefix) throws IOException {
        TensorBundle bundle = new TensorBundle(files, prefix);
        try (ByteSource source = files.open(prefix + INDEX)) {
            bundle.readIndex(SortedTable.read(source));
        } catch (ProtobufReader.Fault e) {
            throw bundle.error("the index holds a message that is no TensorFlow entry: " + e.getMessage());
        }
        bundle.check();
        return bundle;
    }

    private static DType dtype(int type) {
        return switch (type) {
            case 1 -> DType.F32;
            case 2 -> DType.F64;
            case 3 -> DType.I32;
            case 4 -> DType.U8;
            case 5 -> DType.I16;
            case 6 -> DType.I8;
            case 8 -> DType.C64;
            case 9 -> DType.I64;
            case 10 -> DType.BOOL;
            case 14 -> DType.BF16;
            case 17 -> DType.U16;
            case 19 -> DType.F16;
            case 22 -> DType.U32;
            case 23 -> DType.U64;
            default -> null;
        };
    }

    private void readIndex(List<SortedTable.Entry> table) throws FormatException, ProtobufReader.Fault {
        if (table.isEmpty() || table.getFirst().key().length != 0) {
            throw error("the index has no header, expected it under the empty key");
        }
        readHeader(new ProtobufReader(table.getFirst().value()));
        for (SortedTable.Entry row : table.subList(1, table.size())) {
            String name = new String(row.key(), StandardCharsets.UTF_8);
            Entry entry = readEntry(name, new ProtobufReader(row.value()));
            if (row.key()[0] == 0) {
                slices.put(ByteBuffer.wrap(row.key()), entry);
            } else {
                entries.put(name, entry);
            }
        }
    }

    private void readHeader(ProtobufReader header) throws FormatException, ProtobufReader.Fault {
        long stated = 0;
        for (int field = header.next(); field != 0; field = header.next()) {
            switch (field) {
                case 1 -> {
                    // A bundle of one message: version 1 keeps all its tensors' slices in the header of one table.
                    try {
                        stated = header.asLong();
                    } catch (ProtobufReader.Fault _) {
                        throw new FormatException(index + V1);
                    }
                }
                case 2 -> bigEndian = header.asLong() == 1;
                default -> {
                    // The version: nothing that is read here has changed since the first.
                }
            }
        }
        if (stated < 1 || stated > MAX_SHARDS) {
            throw error("the header gives " + stated + " shards, expected 1 to " + MAX_SHARDS);
        }
        shards = (int) stated;
    }

    static final String V1 = ": this is a TensorFlow checkpoint of version 1, which is not read; expected version 2"
            + " (X.index and X.data-00000-of-00001), which TensorFlow's Saver writes since 2016"
            + " (in Python: tf.compat.v1.train.Saver restores the one and saves the other)";

    private Entry readEntry(String name, ProtobufReader message) throws FormatException, ProtobufReader.Fault {
        int type = 0;
        List<Long> shape = List.of();
        long shard = 0;
        long offset = 0;
        long size = 0;
        int checksum = 0;
        List<Slice> parts = new ArrayList<>();
        for (int field = message.next(); field != 0; field = message.next()) {
            switch (field) {
                case 1 -> type = (int) message.asLong();
                case 2 -> shape = readShape(name, message.asMessage());
                case 3 -> shard = message.asLong();
                case 4 -> offset = message.asLong();
                case 5 -> size = message.asLong();
                case 6 -> checksum = message.asFixed32();
                case 7 -> parts.add(readSlice(name, message.asMessage()));
                default -> {
                    // Fields of later versions say nothing about the bytes.
                }
            }
        }
        if (shard < 0 || shard >= shards) {
            throw error(quote(name) + " is in shard " + shard + ", but there are " + shards + " shards");
        }
        return new Entry(name, type, shape, (int) shard, offset, size, checksum, List.copyOf(parts));
    }

    private List<Long> readShape(String name, ProtobufReader message) throws FormatException, ProtobufReader.Fault {
        List<Long> shape = new ArrayList<>();
        for (int field = message.next(); field != 0; field = message.next()) {
            if (field == 2) {
                long dimension = 0;
                ProtobufReader dim = message.asMessage();
                for (int part = dim.next(); part != 0; part = dim.next()) {
                    if (part == 1) {
                        dimension = dim.asLong();
                    }
                }
                shape.add(dimension);
            }
        }
        if (shape.size() > MAX_DIMENSIONS || shape.stream().anyMatch(dimension -> dimension < 0)) {
            throw error(quote(name) + " has the shape " + FormatException.plain(shape.toString())
                    + ", expected at most " + MAX_DIMENSIONS + " dimensions, none negative");
        }
        return List.copyOf(shape);
    }

    private Slice readSlice(String name, ProtobufReader message) throws FormatException, ProtobufReader.Fault {
        List<long[]> extents = new ArrayList<>();
        for (int field = message.next(); field != 0; field = message.next()) {
            if (field == 1) {
                long[] extent = {0, WHOLE};
                ProtobufReader part = message.asMessage();
                for (int number = part.next(); number != 0; number = part.next()) {
                    if (number == 1 || number == 2) {
                        extent[number - 1] = part.asLong();
                    }
                }
                extents.add(extent);
            }
        }
        if (extents.size() > MAX_DIMENSIONS) {
            throw error("a slice of " + quote(name) + " has " + extents.size() + " dimensions, expected at most "
                    + MAX_DIMENSIONS);
        }
        return new Slice(extents.stream().mapToLong(extent -> extent[0]).toArray(),
                extents.stream().mapToLong(extent -> extent[1]).toArray());
    }

    /** Every tensor lies within its shard, beside the others, and has the size that its type and shape ask for. */
    private void check() throws IOException {
        shardSizes = new long[shards];
        for (int i = 0; i < shards; i++) {
            String name = shard(i);
            if (!files.names().contains(name)) {
                throw new FormatException(files.describe(name) + ": there is no such file, although "
                        + FormatException.plain(FileTree.baseName(prefix)) + INDEX + " lists " + shards + " shard"
                        + (shards == 1 ? "" : "s"));
            }
            try (ByteSource source = files.open(name)) {
                shardSizes[i] = source.size();
            }
        }
        List<Entry> placed = new ArrayList<>(slices.values());
        entries.values().stream().filter(entry -> entry.parts.isEmpty()).forEach(placed::add);
        placed.sort(Comparator.comparingInt(Entry::shard).thenComparingLong(Entry::offset)
                .thenComparingLong(Entry::size));
        Entry before = null;
        for (Entry entry : placed) {
            checkPlace(entry, before != null && before.shard == entry.shard ? before : null);
            before = entry;
        }
        List<Entry> ordered = new ArrayList<>(entries.values());
        ordered.sort(Comparator.comparingInt(Entry::shard).thenComparingLong(Entry::offset).thenComparing(Entry::name));
        for (Entry entry : ordered) {
            if (entry.dtype() == null) {
                others.add(entry.name + " (TensorFlow's type " + entry.type + ")");
            } else {
                tensors.add(new SourceTensor(entry.name, entry.dtype(), entry.shape, bytes(entry)));
            }
        }
    }

    private void checkPlace(Entry entry, Entry before) throws FormatException {
        long size = shardSizes[entry.shard];
        if (entry.offset < 0 || entry.size < 0 || entry.size > size || entry.offset > size - entry.size) {
            throw error(quote(entry.name) + " has " + entry.size + " bytes at " + entry.offset + ", but "
                    + FileTree.baseName(shard(entry.shard)) + " has " + size + " bytes; it is cut short");
        }
        if (before != null && entry.offset < before.offset + before.size) {
            throw error(quote(entry.name) + " begins at byte " + entry.offset + " of its shard, before "
                    + quote(before.name) + " ends at " + (before.offset + before.size) + ": they overlap");
        }
        if (entry.dtype() != null && bytes(entry) != entry.size) {
            throw error(quote(entry.name) + " is " + entry.dtype() + " " + entry.shape + ", which is "
                    + bytes(entry) + " bytes, but the index gives it " + entry.size);
        }
    }

    private long bytes(Entry entry) throws FormatException {
        long bytes = entry.dtype().bits() / Byte.SIZE;
        try {
            for (long dimension : entry.shape) {
                bytes = Math.multiplyExact(bytes, dimension);
            }
            return bytes;
        } catch (ArithmeticException _) {
            throw error(quote(entry.name) + " has the shape " + entry.shape + ", which is more than any file holds");
        }
    }

    @Override
    public String format() {
        return "TensorFlow checkpoint";
    }

    @Override
    public String name() {
        return index;
    }

    @Override
    public List<SourceTensor> tensors() {
        return Collections.unmodifiableList(tensors);
    }

    @Override
    public List<String> others() {
        return Collections.unmodifiableList(others);
    }

    @Override
    public TensorReader open(SourceTensor tensor) throws IOException {
        Entry entry = entries.get(tensor.name());
        return entry.parts.isEmpty() ? new Whole(entry) : join(entry);
    }

    /** Reads the bytes of an entry from its shard and compares their checksum at the end. */
    private final class Whole implements TensorReader {
        private final Entry entry;
        private final MaskedChecksum checksum = new MaskedChecksum();
        private long done;

        Whole(Entry entry) {
            this.entry = entry;
        }

        @Override
        public void next(MemorySegment destination) throws IOException {
            ByteBuffer buffer = destination.asByteBuffer();
            shardBytes(entry.shard).read(entry.offset + done, buffer);
            checksum.update(buffer.flip());
            done += destination.byteSize();
            if (done == entry.size && checksum.value() != entry.checksum) {
                throw new FormatException(files.describe(shard(entry.shard)) + ": the checksum (CRC-32C) of "
                        + quote(entry.name) + " is " + Integer.toHexString(checksum.value()) + ", expected "
                        + Integer.toHexString(entry.checksum) + "; the file is damaged");
            }
            if (bigEndian) {
                Bytes.swap(destination, entry.dtype());
            }
        }
    }

    /** Puts the slices of a partitioned variable together, in memory beside the heap. */
    private TensorReader join(Entry entry) throws IOException {
        long elementBytes = entry.dtype().bits() / Byte.SIZE;
        List<Entry> parts = new ArrayList<>();
        Set<Entry> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        long elements = 0;
        for (Slice slice : entry.parts) {
            Entry part = slices.get(ByteBuffer.wrap(OrderedKey.ofSlice(entry.name, slice.starts, slice.lengths)));
            if (part == null || part.type != entry.type || !fits(slice, part, entry) || !seen.add(part)) {
                throw error("a slice of " + quote(entry.name)
                        + " is missing in the index, stands there twice or does not fit it");
            }
            parts.add(part);
            elements += part.size / elementBytes;
        }
        if (elements * elementBytes != bytes(entry)) {
            throw error("the slices of " + quote(entry.name) + " have " + elements + " elements together, but it is "
                    + entry.dtype() + " " + entry.shape);
        }
        Arena arena = Arena.ofConfined();
        try {
            MemorySegment whole = Bytes.allocate(arena, bytes(entry), entry.name);
            for (int i = 0; i < parts.size(); i++) {
                place(parts.get(i), entry.parts.get(i), entry, whole);
            }
            return new Bytes.Held(arena, whole);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    private static boolean fits(Slice slice, Entry part, Entry whole) {
        int dimensions = whole.shape.size();
        if (slice.starts.length != dimensions || part.shape.size() != dimensions) {
            return false;
        }
        for (int i = 0; i < dimensions; i++) {
            long length = slice.lengths[i] == WHOLE ? whole.shape.get(i) : slice.lengths[i];
            if (slice.starts[i] < 0 || part.shape.get(i) != length || length > whole.shape.get(i)
                    || slice.starts[i] > whole.shape.get(i) - length) {
                return false;
            }
        }
        return true;
    }

    private void place(Entry part, Slice slice, Entry whole, MemorySegment destination) throws IOException {
        int last = whole.shape.size() - 1;
        if (part.size == 0) {
            return;
        }
        long rowBytes = last < 0 ? part.size : part.shape.get(last) * (part.dtype().bits() / Byte.SIZE);
        long rows = part.size / rowBytes;
        TensorReader reader = new Whole(part);
        for (long row = 0; row < rows; row++) {
            long offset = 0;
            long left = row;
            long stride = part.dtype().bits() / Byte.SIZE;
            for (int i = last; i >= 0; i--) {
                long at = 0;
                if (i < last) {
                    at = left % part.shape.get(i);
                    left /= part.shape.get(i);
                }
                offset += (slice.starts[i] + at) * stride;
                stride *= whole.shape.get(i);
            }
            reader.next(destination.asSlice(offset, rowBytes));
        }
    }

    private ByteSource shardBytes(int shard) throws IOException {
        if (shard != openShard) {
            close();
            open = files.open(shard(shard));
            openShard = shard;
        }
        return open;
    }

    private String shard(int number) {
        return prefix + String.format(".data-%05d-of-%05d", number, shards);
    }

    private FormatException error(String problem) {
        return new FormatException(index + ": " + problem);
    }

    private static String quote(String name) {
        return FormatException.quote(name);
    }

    @Override
    public void close() throws IOException {
        if (open != null) {
            open.close();
            open = null;
            openShard = -1;
        }
    }
}
