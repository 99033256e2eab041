package org.vecformer.loader.convert;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vecformer.loader.FormatException;

/**
 * Reads a table of LevelDB's format (leveldb, doc/table_format.md), in which TensorFlow keeps the index of a
 * checkpoint: blocks of sorted keys with shared beginnings, a block that indexes them, and a footer.
 */
final class SortedTable {
    /** Larger than any index: it has some 50 bytes a tensor. */
    static final int MAX_BYTES = 16 << 20;
    private static final int FOOTER = 48;
    /** Behind each block: how it is packed, and its checksum. */
    private static final int TRAILER = 5;
    private static final long MAGIC = 0xdb4775248b80fb57L;
    private static final int PLAIN = 0;
    private static final int SNAPPY = 1;
    /** Keys and values together, an entry counted with what it costs; shared beginnings make keys larger than their file. */
    private static final long MAX_UNPACKED = 128L << 20;
    private static final int ENTRY_COST = 32;

    private final ByteSource source;
    private final byte[] bytes;
    private long unpacked;

    /** A key and what it stands for. */
    record Entry(byte[] key, byte[] value) {}

    /** A cursor over a block's numbers. */
    private final class Cursor {
        private final byte[] block;
        private final int end;
        private int at;

        Cursor(byte[] block, int from, int end) {
            this.block = block;
            this.at = from;
            this.end = end;
        }

        /** A number of up to 63 bits, 7 a byte. */
        long varint() throws FormatException {
            long value = 0;
            for (int shift = 0; shift < 63; shift += 7) {
                if (at == end) {
                    throw damaged("a number runs beyond its block");
                }
                byte next = block[at++];
                value |= (next & 0x7FL) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            throw damaged("a number has more than 63 bits");
        }

        byte[] take(byte[] beginning, long shared, long count) throws FormatException {
            if (shared > beginning.length || count > end - at) {
                throw damaged("a key or a value runs beyond its block");
            }
            unpacked += shared + count + ENTRY_COST;
            if (unpacked > MAX_UNPACKED) {
                throw damaged("the keys and values have more than " + MAX_UNPACKED + " bytes");
            }
            byte[] taken = Arrays.copyOf(beginning, (int) (shared + count));
            System.arraycopy(block, at, taken, (int) shared, (int) count);
            at += (int) count;
            return taken;
        }
    }

    private SortedTable(ByteSource source) throws IOException {
        this.source = source;
        this.bytes = source.readAll(MAX_BYTES);
    }

    /** Whether this looks like a table: the last 8 bytes say so. */
    static boolean isTable(ByteSource source) throws IOException {
        if (source.size() < FOOTER) {
            return false;
        }
        byte[] end = new byte[Long.BYTES];
        source.read(source.size() - end.length, ByteBuffer.wrap(end));
        return littleEndian(end, 0, Long.BYTES) == MAGIC;
    }

    /** All entries in the order of their keys, which are unique. */
    static List<Entry> read(ByteSource source) throws IOException {
        return new SortedTable(source).read();
    }

    private List<Entry> read() throws IOException {
        if (bytes.length < FOOTER || littleEndian(bytes, bytes.length - Long.BYTES, Long.BYTES) != MAGIC) {
            throw source.error("the last 8 bytes are not those of a table, expected the index of a TensorFlow"
                    + " checkpoint; the file is cut short or something else");
        }
        Cursor footer = new Cursor(bytes, bytes.length - FOOTER, bytes.length - Long.BYTES);
        footer.varint();
        footer.varint();
        List<Entry> blocks = entries(block(footer.varint(), footer.varint(), bytes.length - FOOTER));
        List<Entry> entries = new ArrayList<>();
        long next = 0;
        for (Entry block : blocks) {
            Cursor handle = new Cursor(block.value, 0, block.value.length);
            long offset = handle.varint();
            long size = handle.varint();
            if (offset < next) {
                throw damaged("block " + offset + " begins before byte " + next + ", where the one before ends");
            }
            next = offset + size;
            entries.addAll(entries(block(offset, size, bytes.length - FOOTER)));
        }
        for (int i = 1; i < entries.size(); i++) {
            if (Arrays.compareUnsigned(entries.get(i - 1).key, entries.get(i).key) >= 0) {
                throw damaged("the keys are not in order");
            }
        }
        return entries;
    }

    /** A block's contents, its checksum compared. */
    private byte[] block(long offset, long size, int end) throws FormatException {
        if (offset < 0 || size < 0 || size > end - TRAILER || offset > end - TRAILER - size) {
            throw damaged("a block of " + size + " bytes at " + offset + " does not fit the file");
        }
        int from = (int) offset;
        int to = from + (int) size;
        int stored = (int) littleEndian(bytes, to + 1, Integer.BYTES);
        int computed = MaskedChecksum.of(bytes, from, to + 1);
        if (stored != computed) {
            throw damaged("the checksum (CRC-32C) of the block at " + offset + " is " + Integer.toHexString(computed)
                    + ", expected " + Integer.toHexString(stored));
        }
        byte[] block = Arrays.copyOfRange(bytes, from, to);
        return switch (bytes[to]) {
            case PLAIN -> block;
            case SNAPPY -> unpack(block, offset);
            default -> throw damaged("the block at " + offset + " is packed in the way " + bytes[to]
                    + ", expected 0 (not at all) or 1 (Snappy)");
        };
    }

    private byte[] unpack(byte[] block, long offset) throws FormatException {
        try {
            return Snappy.unpack(block);
        } catch (Snappy.Fault e) {
            throw damaged("the block at " + offset + " cannot be unpacked: " + e.getMessage());
        }
    }

    /** The entries of a block; the list of restart points behind them, which only searching needs, is skipped. */
    private List<Entry> entries(byte[] block) throws FormatException {
        if (block.length < Integer.BYTES) {
            throw damaged("a block has " + block.length + " bytes, expected at least " + Integer.BYTES);
        }
        long restarts = littleEndian(block, block.length - Integer.BYTES, Integer.BYTES);
        long end = block.length - Integer.BYTES - restarts * Integer.BYTES;
        if (end < 0) {
            throw damaged("a block of " + block.length + " bytes has " + restarts + " restart points");
        }
        List<Entry> entries = new ArrayList<>();
        byte[] key = {};
        Cursor cursor = new Cursor(block, 0, (int) end);
        while (cursor.at < end) {
            long shared = cursor.varint();
            long unshared = cursor.varint();
            long length = cursor.varint();
            key = cursor.take(key, shared, unshared);
            entries.add(new Entry(key, cursor.take(new byte[0], 0, length)));
        }
        return entries;
    }

    private static long littleEndian(byte[] bytes, int at, int count) {
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= (bytes[at + i] & 0xFFL) << 8 * i;
        }
        return value;
    }

    private FormatException damaged(String problem) {
        return source.error(problem + "; the index of the TensorFlow checkpoint is damaged");
    }
}
