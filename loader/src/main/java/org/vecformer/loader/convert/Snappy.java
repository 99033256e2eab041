package org.vecformer.loader.convert;

/**
 * Unpacks a block of the Snappy format (google/snappy, format_description.txt, 2011): a varint with the length, then
 * literals and copies of what was written before.
 */
final class Snappy {
    /** A copy of 64 bytes takes at least 3. */
    private static final int MAX_RATIO = 32;

    private final byte[] source;
    private int at;

    /** What is wrong with the block. */
    static final class Fault extends Exception {
        private static final long serialVersionUID = 1L;

        Fault(String message) {
            super(message);
        }
    }

    private Snappy(byte[] source) {
        this.source = source;
    }

    static byte[] unpack(byte[] source) throws Fault {
        return new Snappy(source).unpack();
    }

    private byte[] unpack() throws Fault {
        long length = length();
        if (length > (long) source.length * MAX_RATIO) {
            throw new Fault("it says that " + source.length + " bytes unpack to " + length);
        }
        byte[] out = new byte[(int) length];
        int written = 0;
        while (at < source.length) {
            int tag = source[at++] & 0xFF;
            int count;
            if ((tag & 3) == 0) {
                count = literalLength(tag);
                require(count >= 1 && count <= source.length - at, "a literal runs beyond the block");
                require(count <= out.length - written, "there is more than the stated length");
                System.arraycopy(source, at, out, written, count);
                at += count;
            } else {
                count = (tag & 3) == 1 ? 4 + (tag >> 2 & 7) : 1 + (tag >> 2);
                int offset = switch (tag & 3) {
                    case 1 -> (tag >> 5) << 8 | number(1);
                    case 2 -> number(2);
                    default -> number(4);
                };
                require(offset >= 1 && offset <= written, "a copy begins before the block");
                require(count <= out.length - written, "there is more than the stated length");
                // Byte by byte: a copy may overlap what it writes.
                for (int i = 0; i < count; i++) {
                    out[written + i] = out[written + i - offset];
                }
            }
            written += count;
        }
        require(written == out.length, "there is less than the stated length");
        return out;
    }

    private long length() throws Fault {
        long length = 0;
        for (int shift = 0; shift < 35; shift += 7) {
            int next = number(1);
            length |= (long) (next & 0x7F) << shift;
            if (next < 0x80) {
                return length;
            }
        }
        throw new Fault("the length has too many bytes");
    }

    private int literalLength(int tag) throws Fault {
        int length = tag >> 2;
        return 1 + (length < 60 ? length : number(length - 59));
    }

    /** A little-endian number; one that does not fit is negative or refused by the callers' bounds. */
    private int number(int bytes) throws Fault {
        require(bytes <= source.length - at, "the block ends within a tag");
        int number = 0;
        for (int i = 0; i < bytes; i++) {
            number |= (source[at++] & 0xFF) << 8 * i;
        }
        return number;
    }

    private static void require(boolean condition, String problem) throws Fault {
        if (!condition) {
            throw new Fault(problem);
        }
    }
}
