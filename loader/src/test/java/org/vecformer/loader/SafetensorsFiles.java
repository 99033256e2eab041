package org.vecformer.loader;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Makes safetensors files byte by byte, wrong ones too. */
final class SafetensorsFiles {
    private SafetensorsFiles() {
    }

    /** A file of a header, with its true length before it, and data. */
    static byte[] bytes(String header, byte... data) {
        return bytes(header.getBytes(StandardCharsets.UTF_8), data);
    }

    static byte[] bytes(byte[] header, byte... data) {
        return withLength(header.length, header, data);
    }

    static byte[] withLength(long length, byte[] header, byte... data) {
        return ByteBuffer.allocate(8 + header.length + data.length).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length).put(header).put(data).array();
    }

    /** The bytes 1, 2, 3, ... */
    static byte[] counting(int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) (i + 1);
        }
        return bytes;
    }

    /** A file of tensors {@code name -> one F32 value}. */
    static Path write(Path file, Object... namesAndValues) throws IOException {
        StringBuilder header = new StringBuilder("{");
        ByteBuffer data = ByteBuffer.allocate(2 * namesAndValues.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < namesAndValues.length; i += 2) {
            header.append(i == 0 ? "" : ",").append('"').append(namesAndValues[i])
                    .append("\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[")
                    .append(2 * i).append(',').append(2 * i + 4).append("]}");
            data.putFloat(((Number) namesAndValues[i + 1]).floatValue());
        }
        return Files.write(file, bytes(header.append('}').toString(), data.array()));
    }
}
