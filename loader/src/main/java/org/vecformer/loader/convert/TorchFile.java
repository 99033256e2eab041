package org.vecformer.loader.convert;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vecformer.loader.FormatException;

/**
 * One file that {@code torch.save} wrote: since PyTorch 1.6 a zip file with {@code data.pkl} and the bytes of each
 * storage as an entry {@code data/KEY}, before that pickles and then the storages, one behind the other (torch,
 * serialization.py).
 */
abstract sealed class TorchFile implements Closeable {
    /** Pickles of weights are small; their numbers are not in them. */
    private static final int MAX_PICKLE = 64 << 20;
    /** Keys under which training programs keep the weights among other things. */
    private static final List<String> NESTED = List.of("state_dict", "model_state_dict", "model");
    /** A view may repeat elements (strides of 0) to a size that does not matter. */
    private static final long SMALL = 1 << 22;

    private final Map<String, Pickle.View> views = new LinkedHashMap<>();
    private final List<String> others = new ArrayList<>();

    /** Whether a file is one of those without zip: it begins with a pickle. */
    static boolean isLegacy(ByteSource bytes) throws IOException {
        byte[] start = bytes.start(2);
        return start.length == 2 && start[0] == (byte) 0x80 && start[1] >= 2 && start[1] <= 5;
    }

    /** The entry of the pickle if this is a PyTorch file, else null. */
    static String pickleEntry(FileTree zip) {
        String found = null;
        for (String name : zip.names()) {
            if (FileTree.baseName(name).equals("data.pkl") && name.indexOf('/') == name.lastIndexOf('/')) {
                found = name;
            }
        }
        return found;
    }

    /** The tensors by name, in the file's order. */
    Map<String, Pickle.View> views() {
        return views;
    }

    /** What is there beside tensors. */
    List<String> others() {
        return others;
    }

    /** The bytes of a storage, and where they begin. */
    abstract ByteSource bytes(Pickle.Storage storage) throws IOException;

    abstract long begin(Pickle.Storage storage);

    abstract boolean isBigEndian();

    abstract FormatException error(String problem);

    /** Takes the tensors out of what was pickled. */
    final void collect(Object value) throws FormatException {
        if (!(value instanceof Map<?, ?> dictionary)) {
            throw error("the checkpoint is no dictionary of tensors, expected what state_dict() gives");
        }
        for (String key : NESTED) {
            if (dictionary.get(key) instanceof Map<?, ?> nested && nested.values().stream()
                    .anyMatch(Pickle.View.class::isInstance)) {
                for (Object beside : dictionary.keySet()) {
                    if (!key.equals(beside)) {
                        others.add(FormatException.plain(beside.toString()) + " (beside " + key + ")");
                    }
                }
                collectFrom(nested);
                return;
            }
        }
        collectFrom(dictionary);
    }

    private void collectFrom(Map<?, ?> dictionary) throws FormatException {
        for (var entry : dictionary.entrySet()) {
            String name = String.valueOf(entry.getKey());
            if (entry.getValue() instanceof Pickle.View view) {
                views.put(name, view);
            } else {
                others.add(FormatException.plain(name) + " (no tensor)");
            }
        }
        if (views.isEmpty()) {
            throw error("there is no tensor in the checkpoint, expected what state_dict() gives");
        }
    }

    /** Reads a tensor's elements in order. */
    final TensorReader open(String name) throws IOException {
        Pickle.View view = views.get(name);
        ByteSource source = bytes(view.storage());
        try {
            if (view.isContiguous()) {
                return new Run(source, view);
            }
            try (source) {
                return gather(source, view, name);
            }
        } catch (Throwable e) {
            source.close();
            throw e;
        }
    }

    private long bytePosition(Pickle.View view, long offset) {
        return begin(view.storage())
                + (view.storage().begin() + offset) * (view.storage().dtype().bits() / Byte.SIZE);
    }

    private void toLittleEndian(MemorySegment elements, Pickle.View view) {
        if (isBigEndian()) {
            Bytes.swap(elements, view.storage().dtype());
        }
    }

    /** A tensor whose elements lie one after the other. */
    private final class Run implements TensorReader {
        private final ByteSource source;
        private final Pickle.View view;
        private long next;

        Run(ByteSource source, Pickle.View view) {
            this.source = source;
            this.view = view;
            this.next = bytePosition(view, view.offset());
        }

        @Override
        public void next(MemorySegment destination) throws IOException {
            source.read(next, destination.asByteBuffer());
            next += destination.byteSize();
            toLittleEndian(destination, view);
        }

        @Override
        public void close() {
            closeQuietly(source);
        }
    }

    private static void closeQuietly(ByteSource source) {
        try {
            source.close();
        } catch (IOException _) {
            // It was only read.
        }
    }

    /** A tensor whose elements lie elsewhere, a transposed matrix for example, in order in memory beside the heap. */
    private TensorReader gather(ByteSource source, Pickle.View view, String name) throws IOException {
        long elements = view.elements();
        if (elements > view.storage().elements() && elements > SMALL) {
            throw error("tensor " + FormatException.quote(name) + " repeats the " + view.storage().elements()
                    + " elements of its storage to "
                    + elements + "; this is not unfolded");
        }
        int elementBytes = view.storage().dtype().bits() / Byte.SIZE;
        long span = 1;
        int dimensions = view.shape().size();
        for (int i = 0; i < dimensions; i++) {
            span += (view.shape().get(i) - 1) * view.strides().get(i);
        }
        Arena arena = Arena.ofConfined();
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment stored = Bytes.allocate(scratch, span * elementBytes, name);
            read(source, bytePosition(view, view.offset()), stored);
            toLittleEndian(stored, view);
            MemorySegment ordered = Bytes.allocate(arena, elements * elementBytes, name);
            long[] index = new long[dimensions];
            long at = 0;
            for (long i = 0; i < elements; i++) {
                MemorySegment.copy(stored, at * elementBytes, ordered, i * elementBytes, elementBytes);
                for (int d = dimensions - 1; d >= 0; d--) {
                    at += view.strides().get(d);
                    if (++index[d] < view.shape().get(d)) {
                        break;
                    }
                    at -= view.strides().get(d) * index[d];
                    index[d] = 0;
                }
            }
            return new Bytes.Held(arena, ordered);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    private static void read(ByteSource source, long position, MemorySegment destination) throws IOException {
        long window = 8 << 20;
        for (long done = 0; done < destination.byteSize(); done += window) {
            source.read(position + done,
                    destination.asSlice(done, Math.min(window, destination.byteSize() - done)).asByteBuffer());
        }
    }

    /** Since PyTorch 1.6. */
    static final class Zipped extends TorchFile {
        private final FileTree zip;
        private final String root;
        private final String name;
        private final boolean bigEndian;

        /** Reads the pickle; the zip file is closed with this. */
        Zipped(FileTree zip, String name) throws IOException {
            this.zip = zip;
            this.name = name;
            String pickle = pickleEntry(zip);
            this.root = FileTree.folder(pickle);
            this.bigEndian = readByteOrder();
            try (ByteSource source = zip.open(pickle)) {
                if (source.size() > MAX_PICKLE) {
                    throw source.error("the pickle has " + source.size() + " bytes, expected at most " + MAX_PICKLE);
                }
                collect(new Pickle(source).read());
            }
            for (var entry : views().entrySet()) {
                check(entry.getKey(), entry.getValue().storage());
            }
        }

        private boolean readByteOrder() throws IOException {
            if (!zip.names().contains(root + "byteorder")) {
                return false;
            }
            try (ByteSource source = zip.open(root + "byteorder")) {
                String order = new String(source.readAll(64), StandardCharsets.US_ASCII).strip();
                if (!order.equals("little") && !order.equals("big")) {
                    throw source.error("the byte order is " + FormatException.quote(order)
                            + ", expected little or big");
                }
                return order.equals("big");
            }
        }

        private void check(String tensor, Pickle.Storage storage) throws IOException {
            String entry = entry(storage);
            if (!zip.names().contains(entry)) {
                throw error("there is no entry " + FormatException.quote(entry) + ", which tensor "
                        + FormatException.quote(tensor) + " needs; the file is damaged");
            }
            try (ByteSource source = zip.open(entry)) {
                int elementBytes = storage.dtype().bits() / Byte.SIZE;
                if (storage.begin() + storage.elements() > source.size() / elementBytes) {
                    throw source.error("there are " + source.size() + " bytes, expected " + storage.elements()
                            + " elements of " + storage.dtype());
                }
            }
        }

        private String entry(Pickle.Storage storage) {
            return root + "data/" + storage.key();
        }

        @Override
        ByteSource bytes(Pickle.Storage storage) throws IOException {
            return zip.open(entry(storage));
        }

        @Override
        long begin(Pickle.Storage storage) {
            return 0;
        }

        @Override
        boolean isBigEndian() {
            return bigEndian;
        }

        @Override
        FormatException error(String problem) {
            return new FormatException(name + ": " + problem);
        }

        @Override
        public void close() throws IOException {
            zip.close();
        }
    }

    /** Before PyTorch 1.6. */
    static final class Legacy extends TorchFile {
        private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
        private static final long PROTOCOL = 1001;

        private final ByteSource source;
        private final Map<String, Long> begins = new HashMap<>();
        private final boolean bigEndian;

        /** Reads the pickles; the bytes are closed with this. */
        Legacy(ByteSource source) throws IOException {
            this.source = source;
            Pickle pickle = new Pickle(source);
            if (!MAGIC.equals(pickle.read())) {
                throw error("the pickle does not begin with PyTorch's number, expected a checkpoint of torch.save;"
                        + " this is some other pickle");
            }
            if (!(pickle.read() instanceof Long protocol) || protocol != PROTOCOL) {
                throw error("the protocol is another than " + PROTOCOL);
            }
            bigEndian = pickle.read() instanceof Map<?, ?> system && Boolean.FALSE.equals(system.get("little_endian"));
            collect(pickle.read());
            Object keys = pickle.read();
            findStorages(pickle, keys instanceof List<?> list ? list : List.of());
        }

        /** Behind the pickles each storage has its number of elements (8 bytes) and its bytes, in the keys' order. */
        private void findStorages(Pickle pickle, List<?> keys) throws IOException {
            Map<String, Pickle.Storage> storages = new HashMap<>();
            views().values().forEach(view -> storages.merge(view.storage().key(), view.storage(),
                    (one, other) -> one.begin() + one.elements() >= other.begin() + other.elements() ? one : other));
            long at = pickle.position();
            for (Object key : keys) {
                Pickle.Storage storage = storages.get(String.valueOf(key instanceof Long || key instanceof String
                        ? key
                        : ""));
                if (storage == null) {
                    throw error("a storage belongs to no tensor, so that its type is not known");
                }
                int elementBytes = storage.dtype().bits() / Byte.SIZE;
                ByteBuffer count = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                if (at > source.size() - Long.BYTES) {
                    throw error("the file ends before the storages do; it is cut short");
                }
                source.read(at, count);
                long elements = count.getLong(0);
                at += Long.BYTES;
                if (elements < storage.begin() + storage.elements() || elements > (source.size() - at) / elementBytes) {
                    throw error("a storage has " + elements + " elements of " + storage.dtype() + ", expected "
                            + storage.elements() + " and that the file has them; it is damaged or cut short");
                }
                begins.put(storage.key(), at);
                at += elements * elementBytes;
            }
            for (var entry : views().entrySet()) {
                if (!begins.containsKey(entry.getValue().storage().key())) {
                    throw error("the storage of tensor " + FormatException.quote(entry.getKey()) + " is not there");
                }
            }
        }

        @Override
        ByteSource bytes(Pickle.Storage storage) {
            return new Shared(source);
        }

        @Override
        long begin(Pickle.Storage storage) {
            return begins.get(storage.key());
        }

        @Override
        boolean isBigEndian() {
            return bigEndian;
        }

        @Override
        FormatException error(String problem) {
            return source.error(problem);
        }

        @Override
        public void close() throws IOException {
            source.close();
        }

        /** The file's bytes, which stay open when a tensor has been read. */
        private record Shared(ByteSource all) implements ByteSource {
            @Override
            public String name() {
                return all.name();
            }

            @Override
            public long size() {
                return all.size();
            }

            @Override
            public void read(long position, ByteBuffer destination) throws IOException {
                all.read(position, destination);
            }

            @Override
            public void close() {
                // The file is closed with the checkpoint.
            }
        }
    }
}
