package org.vecformer.loader.convert;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * CRC-32C as LevelDB and TensorFlow store it: rotated and shifted, so that the checksum of bytes that hold checksums is
 * no fixed point (leveldb, util/crc32c.h).
 */
final class MaskedChecksum {
    private static final int DELTA = 0xa282ead8;

    private final CRC32C checksum = new CRC32C();

    void update(ByteBuffer bytes) {
        checksum.update(bytes);
    }

    int value() {
        return Integer.rotateRight((int) checksum.getValue(), 15) + DELTA;
    }

    static int of(byte[] bytes, int from, int to) {
        MaskedChecksum masked = new MaskedChecksum();
        masked.update(ByteBuffer.wrap(bytes, from, to - from));
        return masked.value();
    }
}
