package org.vecformer.loader.convert;

import java.util.Arrays;

/**
 * The fields of one protocol buffer message, one after the other. (The encoding is that of protobuf.dev, "Encoding";
 * groups are not read.)
 */
final class ProtobufReader {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH = 2;
    private static final int FIXED32 = 5;

    private final byte[] bytes;
    private final int end;
    private int at;
    private int wireType;
    private int begin;
    private int length;
    private long number;

    /** What is wrong with the message. */
    static final class Fault extends Exception {
        private static final long serialVersionUID = 1L;

        Fault(String message) {
            super(message);
        }
    }

    ProtobufReader(byte[] bytes) {
        this(bytes, 0, bytes.length);
    }

    private ProtobufReader(byte[] bytes, int from, int to) {
        this.bytes = bytes;
        this.at = from;
        this.end = to;
    }

    /** Goes to the next field; its number, or 0 at the end of the message. */
    int next() throws Fault {
        if (at == end) {
            return 0;
        }
        long tag = varint();
        long field = tag >>> 3;
        if (field < 1 || field > Integer.MAX_VALUE) {
            throw new Fault("a field has the number " + Long.toUnsignedString(field));
        }
        wireType = (int) (tag & 7);
        switch (wireType) {
            case VARINT -> number = varint();
            case FIXED64 -> number = fixed(8);
            case FIXED32 -> number = fixed(4);
            case LENGTH -> {
                long stated = varint();
                if (stated < 0 || stated > end - at) {
                    throw new Fault("field " + field + " runs beyond its message");
                }
                begin = at;
                length = (int) stated;
                at += length;
            }
            default -> throw new Fault("field " + field + " has the unknown wire type " + wireType);
        }
        return (int) field;
    }

    /** The current field, a varint: int32, int64, uint64, bool or enum. */
    long asLong() throws Fault {
        require(wireType == VARINT, "a whole number");
        return number;
    }

    /** The current field, a fixed32. */
    int asFixed32() throws Fault {
        require(wireType == FIXED32, "a fixed32");
        return (int) number;
    }

    /** The current field, a message inside this one. */
    ProtobufReader asMessage() throws Fault {
        require(wireType == LENGTH, "a message");
        return new ProtobufReader(bytes, begin, begin + length);
    }

    /** The current field's bytes. */
    byte[] asBytes() throws Fault {
        require(wireType == LENGTH, "bytes");
        return Arrays.copyOfRange(bytes, begin, begin + length);
    }

    private void require(boolean condition, String expected) throws Fault {
        if (!condition) {
            throw new Fault("a field has the wire type " + wireType + ", expected " + expected);
        }
    }

    private long fixed(int count) throws Fault {
        if (count > end - at) {
            throw new Fault("a number runs beyond its message");
        }
        long value = 0;
        for (int i = 0; i < count; i++) {
            value |= (bytes[at++] & 0xFFL) << 8 * i;
        }
        return value;
    }

    private long varint() throws Fault {
        long value = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            if (at == end) {
                throw new Fault("a number runs beyond its message");
            }
            byte next = bytes[at++];
            value |= (next & 0x7FL) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new Fault("a number has more than 10 bytes");
    }
}
