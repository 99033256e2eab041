package org.vecformer.loader.convert;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;

/**
 * Writes small TensorFlow checkpoints as TensorFlow does: an index of blocks with shared beginnings of keys, perhaps
 * packed by Snappy, and shards of data. Written from the formats' descriptions, apart from the reader.
 */
final class BundleFiles {
    static final int FLOAT = 1;
    static final int DOUBLE = 2;
    static final int STRING = 7;
    static final int INT64 = 9;
    static final int BFLOAT16 = 14;
    static final int HALF = 19;

    private static final int RESTART_INTERVAL = 16;

    private final TreeMap<byte[], byte[]> index = new TreeMap<>(Arrays::compareUnsigned);
    private final List<ByteArrayOutputStream> shards = new ArrayList<>();
    private final boolean bigEndian;
    private boolean snappy;
    private int blockBytes = 4096;
    private UnaryOperator<byte[]> damage = UnaryOperator.identity();

    BundleFiles(int shards, boolean bigEndian) {
        for (int i = 0; i < shards; i++) {
            this.shards.add(new ByteArrayOutputStream());
        }
        this.bigEndian = bigEndian;
        Message header = new Message().number(1, shards);
        if (bigEndian) {
            header.number(2, 1);
        }
        index.put(new byte[0], header.message(3, new Message().number(1, 1)).bytes());
    }

    BundleFiles() {
        this(1, false);
    }

    BundleFiles packed(int newBlockBytes) {
        snappy = true;
        blockBytes = newBlockBytes;
        return this;
    }

    /** What happens to each block before its checksum is computed. */
    BundleFiles damaged(UnaryOperator<byte[]> newDamage) {
        damage = newDamage;
        return this;
    }

    /** Seeded numbers. */
    static float[] random(long seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private byte[] floats(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(4 * values.length)
                .order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer.array();
    }

    /** Adds a float32 variable of seeded numbers; returns them. */
    float[] add(String name, int... shape) {
        float[] values = random(name.hashCode(), Arrays.stream(shape).reduce(1, (a, b) -> a * b));
        add(name, FLOAT, floats(values), shape);
        return values;
    }

    void add(String name, int type, byte[] data, int... shape) {
        index.put(name.getBytes(StandardCharsets.UTF_8),
                entry(name.hashCode() & 0x7FFFFFFF, type, data, shape).bytes());
    }

    private Message entry(int spread, int type, byte[] data, int... shape) {
        int shard = spread % shards.size();
        ByteArrayOutputStream out = shards.get(shard);
        Message entry = new Message().number(1, type).message(2, shape(shape));
        if (shard != 0) {
            entry.number(3, shard);
        }
        if (out.size() != 0) {
            entry.number(4, out.size());
        }
        out.writeBytes(data);
        return entry.number(5, data.length).fixed32(6, masked(data, data.length));
    }

    private static Message shape(int... shape) {
        Message message = new Message();
        for (int dimension : shape) {
            message.message(2, new Message().number(1, dimension));
        }
        return message;
    }

    /** Adds a float32 matrix in two slices, cut at a row (dimension 0) or a column (dimension 1); returns it whole. */
    float[] addSliced(String name, int dimension, int cut, int rows, int columns) {
        float[] whole = random(name.hashCode(), rows * columns);
        Message entry = new Message().number(1, FLOAT).message(2, shape(rows, columns));
        int length = dimension == 0 ? rows : columns;
        for (int[] extent : new int[][]{{0, cut}, {cut, length - cut}}) {
            int[] starts = {0, 0};
            int[] lengths = {rows, columns};
            starts[dimension] = extent[0];
            lengths[dimension] = extent[1];
            float[] part = new float[lengths[0] * lengths[1]];
            for (int r = 0; r < lengths[0]; r++) {
                for (int c = 0; c < lengths[1]; c++) {
                    part[r * lengths[1] + c] = whole[(starts[0] + r) * columns + starts[1] + c];
                }
            }
            Message slice = new Message();
            long[] keyStarts = new long[2];
            long[] keyLengths = new long[2];
            for (int d = 0; d < 2; d++) {
                Message part2 = new Message();
                if (d == dimension) {
                    if (starts[d] != 0) {
                        part2.number(1, starts[d]);
                    }
                    part2.number(2, lengths[d]);
                }
                keyStarts[d] = d == dimension ? starts[d] : 0;
                keyLengths[d] = d == dimension ? lengths[d] : -1;
                slice.message(1, part2);
            }
            entry.message(7, slice);
            index.put(OrderedKey.ofSlice(name, keyStarts, keyLengths),
                    entry(extent[0], FLOAT, floats(part), lengths).bytes());
        }
        index.put(name.getBytes(StandardCharsets.UTF_8), entry.bytes());
        return whole;
    }

    /** Puts bytes into the index as they are. */
    void raw(byte[] key, byte[] value) {
        index.put(key, value);
    }

    Map<byte[], byte[]> index() {
        return index;
    }

    void write(Path directory, String prefix) throws IOException {
        Files.createDirectories(directory);
        Files.write(directory.resolve(prefix + ".index"), table());
        for (int i = 0; i < shards.size(); i++) {
            Files.write(directory.resolve(prefix + String.format(".data-%05d-of-%05d", i, shards.size())),
                    shards.get(i).toByteArray());
        }
    }

    /** The index as a table of blocks. */
    byte[] table() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TreeMap<byte[], byte[]> blocks = new TreeMap<>(Arrays::compareUnsigned);
        TreeMap<byte[], byte[]> block = new TreeMap<>(Arrays::compareUnsigned);
        int size = 0;
        for (var entry : index.entrySet()) {
            block.put(entry.getKey(), entry.getValue());
            size += entry.getKey().length + entry.getValue().length;
            if (size >= blockBytes || entry.getKey() == index.lastKey()) {
                blocks.put(entry.getKey(), writeBlock(out, block(block)));
                block.clear();
                size = 0;
            }
        }
        byte[] meta = writeBlock(out, block(new TreeMap<>()));
        byte[] handle = writeBlock(out, block(blocks));
        ByteArrayOutputStream footer = new ByteArrayOutputStream();
        footer.writeBytes(meta);
        footer.writeBytes(handle);
        footer.writeBytes(new byte[40 - footer.size()]);
        out.writeBytes(footer.toByteArray());
        out.writeBytes(new byte[]{0x57, (byte) 0xfb, (byte) 0x80, (byte) 0x8b, 0x24, 0x75, 0x47, (byte) 0xdb});
        return out.toByteArray();
    }

    private static byte[] block(TreeMap<byte[], byte[]> entries) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        List<Integer> restarts = new ArrayList<>();
        byte[] last = {};
        int count = 0;
        for (var entry : entries.entrySet()) {
            int shared = 0;
            if (count % RESTART_INTERVAL == 0) {
                restarts.add(out.size());
            } else {
                shared = Math.max(0, Arrays.mismatch(last, entry.getKey()));
            }
            varint(out, shared);
            varint(out, entry.getKey().length - shared);
            varint(out, entry.getValue().length);
            out.write(entry.getKey(), shared, entry.getKey().length - shared);
            out.writeBytes(entry.getValue());
            last = entry.getKey();
            count++;
        }
        if (restarts.isEmpty()) {
            restarts.add(0);
        }
        restarts.forEach(restart -> out.writeBytes(littleEndian(restart)));
        out.writeBytes(littleEndian(restarts.size()));
        return out.toByteArray();
    }

    /** Writes a block with its trailer; returns its handle. */
    private byte[] writeBlock(ByteArrayOutputStream out, byte[] block) {
        byte[] stored = damage.apply(snappy ? snappy(block) : block);
        ByteArrayOutputStream handle = new ByteArrayOutputStream();
        varint(handle, out.size());
        varint(handle, stored.length);
        byte[] withType = Arrays.copyOf(stored, stored.length + 1);
        withType[stored.length] = (byte) (snappy ? 1 : 0);
        out.writeBytes(withType);
        out.writeBytes(littleEndian(masked(withType, withType.length)));
        return handle.toByteArray();
    }

    static int masked(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        int value = (int) crc.getValue();
        return (value >>> 15 | value << 17) + 0xa282ead8;
    }

    static byte[] littleEndian(int value) {
        return ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array();
    }

    static void varint(ByteArrayOutputStream out, long value) {
        long left = value;
        while (left >>> 7 != 0) {
            out.write((int) (left & 0x7F | 0x80));
            left >>>= 7;
        }
        out.write((int) left);
    }

    /** Packs greedily: literals of any length, copies with offsets of 1, 2 and 4 bytes. */
    static byte[] snappy(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        varint(out, bytes.length);
        int literal = 0;
        int at = 0;
        int copies = 0;
        while (at < bytes.length) {
            int best = 0;
            int offset = 0;
            for (int from = Math.max(0, at - 5000); from < at; from++) {
                int length = 0;
                while (length < 64 && at + length < bytes.length && bytes[from + length] == bytes[at + length]) {
                    length++;
                }
                if (length > best) {
                    best = length;
                    offset = at - from;
                }
            }
            if (best < 4) {
                at++;
                continue;
            }
            literal(out, bytes, literal, at);
            if (best <= 11 && offset < 2048) {
                out.write(1 | best - 4 << 2 | offset >> 8 << 5);
                out.write(offset);
            } else if (copies++ % 2 == 0) {
                out.write(2 | best - 1 << 2);
                out.write(offset);
                out.write(offset >> 8);
            } else {
                out.write(3 | best - 1 << 2);
                out.writeBytes(littleEndian(offset));
            }
            at += best;
            literal = at;
        }
        literal(out, bytes, literal, bytes.length);
        return out.toByteArray();
    }

    private static void literal(ByteArrayOutputStream out, byte[] bytes, int from, int to) {
        int length = to - from;
        if (length == 0) {
            return;
        }
        if (length <= 60) {
            out.write(length - 1 << 2);
        } else if (length <= 256) {
            out.write(60 << 2);
            out.write(length - 1);
        } else {
            out.write(61 << 2);
            out.write(length - 1);
            out.write(length - 1 >> 8);
        }
        out.write(bytes, from, length);
    }

    /** A message of protocol buffers. */
    static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message number(int field, long value) {
            varint(out, field << 3);
            varint(out, value);
            return this;
        }

        Message fixed32(int field, int value) {
            varint(out, field << 3 | 5);
            out.writeBytes(littleEndian(value));
            return this;
        }

        Message message(int field, Message value) {
            byte[] bytes = value.bytes();
            varint(out, field << 3 | 2);
            varint(out, bytes.length);
            out.writeBytes(bytes);
            return this;
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }
}
