package org.vecformer.bench;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A message of Protocol Buffers that is being written (protobuf.dev/programming-guides/encoding): fields one after the
 * other. Large pieces are kept as they are and copied once, at the end.
 */
final class Proto {

    private static final int VARINT = 0;
    private static final int LENGTH_DELIMITED = 2;
    private static final int FIXED_32 = 5;

    private final List<byte[]> pieces = new ArrayList<>();
    private long size;

    Proto number(int field, long value) {
        return tag(field, VARINT).add(varint(value));
    }

    Proto number(int field, float value) {
        return tag(field, FIXED_32)
                .add(ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
    }

    Proto text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    /** The bytes are not copied. */
    Proto bytes(int field, byte[] value) {
        return tag(field, LENGTH_DELIMITED).add(varint(value.length)).add(value);
    }

    Proto message(int field, Proto value) {
        tag(field, LENGTH_DELIMITED).add(varint(value.size));
        value.pieces.forEach(this::add);
        return this;
    }

    byte[] toBytes() {
        ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(size));
        pieces.forEach(all::put);
        return all.array();
    }

    private Proto tag(int field, int type) {
        return add(varint((long) field << 3 | type));
    }

    private Proto add(byte[] piece) {
        pieces.add(piece);
        size += piece.length;
        return this;
    }

    private static byte[] varint(long value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(10);
        long rest = value;
        for (; (rest & ~0x7FL) != 0; rest >>>= 7) {
            bytes.write((int) (rest & 0x7F | 0x80));
        }
        bytes.write((int) rest);
        return bytes.toByteArray();
    }
}
