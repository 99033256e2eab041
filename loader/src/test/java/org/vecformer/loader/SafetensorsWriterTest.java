package org.vecformer.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vecformer.loader.SafetensorsWriter.Declaration;

/** What is written reads back the same, and appears only when it is whole. */
class SafetensorsWriterTest {
    private static final ValueLayout.OfFloat LITTLE_ENDIAN = ValueLayout.JAVA_FLOAT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void whatIsWrittenReadsBackTheSame(int seed) throws IOException {
        Random random = new Random(seed);
        List<Declaration> tensors = new ArrayList<>();
        List<float[]> values = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(6); i++) {
            long[] shape = random.longs(random.nextInt(4), 0, 60).toArray();
            Declaration tensor = Declaration.f32("tensor \"" + i + "\"\n\u0001é😀".repeat(random.nextInt(3)) + i,
                    shape);
            float[] data = new float[(int) (tensor.byteSize() / Float.BYTES)];
            for (int k = 0; k < data.length; k++) {
                data[k] = Float.intBitsToFloat(random.nextInt());
            }
            tensors.add(tensor);
            values.add(data);
        }
        Map<String, String> metadata = random.nextBoolean() ? Map.of() : Map.of("format", "pt", "kéy\t", "\"");
        Path file = folder.resolve("out.safetensors");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, tensors, metadata)) {
            for (float[] data : values) {
                int next = 0;
                while (next < data.length) {
                    int to = next + 1 + random.nextInt(data.length - next);
                    writer.append(data, next, to);
                    next = to;
                }
            }
            writer.finish();
        }
        try (Safetensors open = Safetensors.open(file)) {
            assertThat(open.metadata()).isEqualTo(metadata);
            assertThat(open.tensors()).hasSameSizeAs(tensors);
            for (int i = 0; i < tensors.size(); i++) {
                TensorInfo read = open.find(tensors.get(i).name()).orElseThrow();
                assertThat(read.shape()).isEqualTo(tensors.get(i).shape());
                assertThat(read.dtype()).isEqualTo(DType.F32);
                assertThat(read.byteOffset() % Float.BYTES).isZero();
                byte[] bytes = new byte[(int) read.byteSize()];
                open.read(read, 0, MemorySegment.ofArray(bytes));
                assertThat(MemorySegment.ofArray(bytes).toArray(LITTLE_ENDIAN))
                        .usingComparator((x, y) -> Arrays.compare(bits(x), bits(y))).isEqualTo(values.get(i));
            }
        }
        assertThat(folder.toFile().list()).hasSize(1);
    }

    /** The patterns, so that every NaN counts as itself. */
    private static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    @Test
    void theHeaderIsAligned() throws IOException {
        for (int length = 0; length < 9; length++) {
            Path file = folder.resolve("out.safetensors");
            try (SafetensorsWriter writer = SafetensorsWriter.create(file,
                    List.of(Declaration.f32("x".repeat(length), 1)), Map.of())) {
                writer.append(new float[1]);
                writer.finish();
            }
            try (Safetensors open = Safetensors.open(file)) {
                assertThat(open.tensors().iterator().next().byteOffset() % 8).isZero();
            }
        }
    }

    @Test
    void writesOtherTypesFromMemory() throws IOException {
        Path file = folder.resolve("out.safetensors");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file,
                List.of(new Declaration("h", DType.BF16, List.of(3L)), new Declaration("e", DType.F64, List.of(0L, 2L)),
                        Declaration.f32("s")),
                Map.of());
                Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(6);
            bytes.copyFrom(MemorySegment.ofArray(SafetensorsFiles.counting(6)));
            assertThatIllegalStateException().isThrownBy(() -> writer.append(new float[1]))
                    .withMessageContaining("BF16");
            writer.append(bytes);
            writer.append(new float[]{1.5f});
            assertThatIllegalStateException().isThrownBy(() -> writer.append(new float[1]));
            writer.finish();
        }
        try (Safetensors open = Safetensors.open(file)) {
            byte[] read = new byte[6];
            open.read(open.find("h").orElseThrow(), 0, MemorySegment.ofArray(read));
            assertThat(read).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(open.find("e").orElseThrow().shape()).containsExactly(0L, 2L);
        }
    }

    @Test
    void aWriterThatIsNotFinishedLeavesNothing() throws IOException {
        Path file = Files.writeString(folder.resolve("out.safetensors"), "before");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of(Declaration.f32("a", 2)), Map.of())) {
            writer.append(new float[1]);
            assertThat(file).hasContent("before");
            assertThatIllegalStateException().isThrownBy(writer::finish).withMessageContaining("4 of 8 bytes");
            assertThatIllegalStateException().isThrownBy(() -> writer.append(new float[2]))
                    .withMessageContaining("4 bytes left, not 8");
        }
        assertThat(folder.toFile().list()).containsExactly("out.safetensors");
        assertThat(file).hasContent("before");
    }

    @Test
    void refusesWhatCannotBeWritten() throws IOException {
        Path file = folder.resolve("out.safetensors");
        assertThatIllegalArgumentException().isThrownBy(() -> SafetensorsWriter.create(file,
                List.of(Declaration.f32("a"), Declaration.f32("a")), Map.of()));
        assertThatIllegalArgumentException().isThrownBy(
                () -> SafetensorsWriter.create(file, List.of(Declaration.f32("__metadata__")), Map.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> Declaration.f32("a", -1));
        assertThatIllegalArgumentException().isThrownBy(() -> Declaration.f32("a", 1L << 62));
        assertThatIllegalArgumentException().isThrownBy(() -> new Declaration("a", DType.F4, List.of(3L)));
        assertThatThrownBy(() -> SafetensorsWriter.create(folder, List.of(), Map.of()))
                .isInstanceOf(FileAlreadyExistsException.class);
        assertThatThrownBy(() -> SafetensorsWriter.create(folder.resolve("none/x"), List.of(), Map.of()))
                .isInstanceOf(IOException.class);
        assertThat(folder.toFile().list()).isEmpty();
    }
}
