package org.vecformer.loader.convert;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.vecformer.loader.DType;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.TensorInfo;

/** What the tests of conversions share. */
final class Conversions {
    private Conversions() {
    }

    static ConversionResult convert(Path source, Path directory) throws IOException {
        return convert(source, directory, ConversionOptions.defaults());
    }

    static ConversionResult convert(Path source, Path directory, ConversionOptions options) throws IOException {
        return new CheckpointConverter(source, directory, options, ConversionProgress.NONE).convert();
    }

    /** All files below a directory and their bytes. */
    static Map<String, byte[]> files(Path directory) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(directory.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    static List<String> names(Path directory) throws IOException {
        try (Stream<Path> all = Files.list(directory)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    /** A tensor of a file and its bytes. */
    record Loaded(DType dtype, List<Long> shape, byte[] bytes) {
        float[] floats() {
            float[] values = new float[bytes.length / 4];
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            return values;
        }

        short[] shorts() {
            short[] values = new short[bytes.length / 2];
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().get(values);
            return values;
        }
    }

    static Map<String, Loaded> tensors(Path file) throws IOException {
        Map<String, Loaded> tensors = new LinkedHashMap<>();
        try (Safetensors open = Safetensors.open(file)) {
            for (TensorInfo info : open.tensors()) {
                byte[] bytes = new byte[(int) info.byteSize()];
                open.read(info, 0, MemorySegment.ofArray(bytes));
                tensors.put(info.name(), new Loaded(info.dtype(), info.shape(), bytes));
            }
        }
        return tensors;
    }

    static float[] transposed(float[] matrix, int rows, int columns) {
        float[] turned = new float[matrix.length];
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                turned[c * rows + r] = matrix[r * columns + c];
            }
        }
        return turned;
    }

    /** A zip file of these files; stored as they are, or packed. */
    static byte[] zip(Map<String, byte[]> files, boolean stored) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            for (var file : files.entrySet()) {
                ZipEntry entry = new ZipEntry(file.getKey());
                if (stored) {
                    CRC32 crc = new CRC32();
                    crc.update(file.getValue());
                    entry.setMethod(ZipEntry.STORED);
                    entry.setSize(file.getValue().length);
                    entry.setCrc(crc.getValue());
                }
                out.putNextEntry(entry);
                ((OutputStream) out).write(file.getValue());
            }
        }
        return bytes.toByteArray();
    }
}
