package org.vecformer.loader.convert;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * The key under which a slice of a partitioned variable stands in the index: 0, the variable's name, the number of
 * dimensions, and each dimension's start and length, in an encoding whose bytes sort as the values do (tensorflow,
 * core/lib/strings/ordered_code.cc and core/util/saved_tensor_slice_util.cc).
 */
final class OrderedKey {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private OrderedKey() {
    }

    static byte[] ofSlice(String variable, long[] starts, long[] lengths) {
        OrderedKey key = new OrderedKey();
        key.number(0);
        key.text(variable);
        key.number(starts.length);
        for (int i = 0; i < starts.length; i++) {
            key.signed(starts[i]);
            key.signed(lengths[i]);
        }
        return key.out.toByteArray();
    }

    /** The count of bytes, then the bytes of the number from the highest that is not 0. */
    private void number(long value) {
        int count = (Long.SIZE - Long.numberOfLeadingZeros(value) + 7) / 8;
        out.write(count);
        for (int i = count - 1; i >= 0; i--) {
            out.write((int) (value >>> 8 * i));
        }
    }

    private void text(String text) {
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            out.write(b);
            if (b == 0) {
                out.write(0xFF);
            } else if (b == (byte) 0xFF) {
                out.write(0);
            }
        }
        out.write(0);
        out.write(1);
    }

    /** 7 bits a byte, the count of bytes as that many leading ones (or, of negative numbers, zeros). */
    private void signed(long value) {
        int bits = Long.SIZE - Long.numberOfLeadingZeros(value < 0 ? ~value : value);
        int count = bits / 7 + 1;
        for (int i = count - 1; i >= 0; i--) {
            int header = i == count - 1
                    ? count >= 8 ? 0xFF : 0xFF << 8 - count & 0xFF
                    : i == count - 2 && count > 8 ? 0xFF << 16 - count & 0xFF : 0;
            // Beyond the 8 bytes of the number there is its sign.
            int digits = i < Long.BYTES ? (int) (value >>> 8 * i) & 0xFF : value < 0 ? 0xFF : 0;
            out.write(digits ^ header);
        }
    }
}
