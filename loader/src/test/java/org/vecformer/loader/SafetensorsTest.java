package org.vecformer.loader;

import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Opening, checking and reading one file; small files are made here, byte by byte. */
@Timeout(60)
class SafetensorsTest {
    private static final String GOOD = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";

    @TempDir
    Path folder;

    private Path file(byte... bytes) throws IOException {
        return Files.write(folder.resolve("m.safetensors"), bytes);
    }

    private void assertRefused(byte[] bytes, String... parts) throws IOException {
        Path file = file(bytes);
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Safetensors.open(file).close())
                .withMessageStartingWith(file + ": ").withMessageNotContaining("\n")
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }

    @Test
    void listsTensorsInTheOrderOfTheirBytes() throws IOException {
        Path file = file(SafetensorsFiles.bytes(" {\"b\":{\"shape\":[],\"data_offsets\":[8,12],\"dtype\":\"I32\"},"
                + "\"__metadata__\":{\"format\":\"pt\",\"k\\u00e9y\":\"\\ud83d\\ude00\"},"
                + "\"a\":{\"dtype\":\"F16\",\"shape\":[2,2],\"data_offsets\":[0,8],\"new\":[{\"x\":1.5e3}]}}  ",
                SafetensorsFiles.counting(12)));
        long start = Files.size(file) - 12;
        try (Safetensors open = Safetensors.open(file)) {
            assertThat(open.tensors()).containsExactly(
                    new TensorInfo("a", DType.F16, List.of(2L, 2L), start, 8),
                    new TensorInfo("b", DType.I32, List.of(), start + 8, 4));
            assertThat(open.metadata()).isEqualTo(Map.of("format", "pt", "kéy", "😀"));
            assertThat(open.find("b")).hasValueSatisfying(b -> {
                assertThat(b.elements()).isEqualTo(1);
                assertThat(b.describe()).isEqualTo("I32 []");
            });
            assertThat(open.find("c")).isEmpty();
            byte[] bytes = new byte[3];
            open.read(open.find("a").orElseThrow(), 4, MemorySegment.ofArray(bytes));
            assertThat(bytes).containsExactly(5, 6, 7);
        }
    }

    @ParameterizedTest
    @EnumSource(DType.class)
    void readsEveryTypeByName(DType dtype) throws IOException {
        Path file = file(SafetensorsFiles.bytes("{\"a\":{\"dtype\":\"" + dtype + "\",\"shape\":[4],\"data_offsets\":[0,"
                + dtype.bits() / 2 + "]}}", new byte[dtype.bits() / 2]));
        try (Safetensors open = Safetensors.open(file)) {
            assertThat(open.find("a").orElseThrow().dtype()).isEqualTo(dtype);
        }
    }

    @Test
    void knowsTheTypesOfTheFormat() {
        assertThat(DType.values()).hasSize(22);
        assertThat(DType.named("f32")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{}", "{\"__metadata__\":{}}", "{\"__metadata__\":null}", "\n\t {}   ",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[0,18446744073709551615],\"data_offsets\":[0,0]}}",
        "{\"a\":[\"F32\",[0],[0,0]]}",
        "{\"a\":{\"dtype\":{\"F32\":null},\"shape\":[0],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"n\":123456789012345678901234567890}}",
        "{\"\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
        "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}",
    })
    void acceptsWhatTheFormatsOwnImplementationAccepts(String header) throws IOException {
        try (Safetensors open = Safetensors.open(file(SafetensorsFiles.bytes(header)))) {
            assertThat(open.tensors()).allMatch(tensor -> tensor.byteSize() == 0 && tensor.elements() == 0);
        }
    }

    @Test
    void ofATensorThatIsNamedTwiceTheLastCounts() throws IOException {
        String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,8]},"
                + "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
        try (Safetensors open = Safetensors.open(file(SafetensorsFiles.bytes(header, new byte[8])))) {
            assertThat(open.tensors()).extracting(TensorInfo::describe).containsExactly("F32 [2]");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', nullValues = "-", value = {
        "[1]                                                           | JSON object",
        "null                                                          | JSON object",
        "{'a':1}                                                       | tensor \"a\"",
        "{'a':null}                                                    | tensor \"a\" is or contains null",
        "{'a':{'shape':[2],'data_offsets':[0,8]}}                      | tensor \"a\" has no dtype",
        "{'a':{'dtype':'F32','data_offsets':[0,8]}}                    | tensor \"a\" has no shape",
        "{'a':{'dtype':'F32','shape':[2]}}                             | tensor \"a\" has no data_offsets",
        "{'a':{'dtype':'F33','shape':[2],'data_offsets':[0,8]}}        | dtype of tensor \"a\" is \"F33\", expected one of [BOOL",
        "{'a':{'dtype':{},'shape':[2],'data_offsets':[0,8]}}           | dtype of tensor \"a\"",
        "{'a':{'dtype':{'F32':1},'shape':[2],'data_offsets':[0,8]}}    | dtype of tensor \"a\"",
        "{'a':{'dtype':{'F32':null,'U8':null},'shape':[2],'data_offsets':[0,8]}} | dtype of tensor \"a\"",
        "{'a':{'dtype':32,'shape':[2],'data_offsets':[0,8]}}           | dtype of tensor \"a\"",
        "{'a':{'dtype':'F32','shape':2,'data_offsets':[0,8]}}          | shape of tensor \"a\"",
        "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}}       | shape of tensor \"a\" is or contains the number -2",
        "{'a':{'dtype':'F32','shape':[-0],'data_offsets':[0,8]}}       | number -0",
        "{'a':{'dtype':'F32','shape':[2.0],'data_offsets':[0,8]}}      | number 2.0",
        "{'a':{'dtype':'F32','shape':[02],'data_offsets':[0,8]}}       | not valid JSON",
        "{'a':{'dtype':'F32','shape':[18446744073709551616],'data_offsets':[0,8]}} | below 2^64",
        "{'a':{'dtype':'F32','shape':[4294967296,4294967296],'data_offsets':[0,8]}} | more than 2^64 - 1 bits",
        "{'a':{'dtype':'F32','shape':[4294967296,4294967296,0],'data_offsets':[0,8]}} | more than 2^64 - 1 bits",
        "{'a':{'dtype':'F32','shape':[4611686018427387904],'data_offsets':[0,8]}} | more than 2^64 - 1 bits",
        "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,8]}}        | F32 [3], 12 bytes, but its data_offsets [0, 8] span 8",
        "{'a':{'dtype':'F4','shape':[15],'data_offsets':[0,8]}}        | 60 bits, expected whole bytes",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0]}}          | has 1 numbers, expected 2",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,8]}}      | has 3 numbers, expected 2",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[8,0]}}        | expected them to begin at 0",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}}        | leave a hole",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}        | the tensors have 4 bytes, but 8 bytes follow",
        "{'a':{'dtype':'F32','shape':[4],'data_offsets':[0,16]}}       | but only 8 bytes follow the header",
        "{'a':{'dtype':'U8','shape':[18446744073709551615],'data_offsets':[0,18446744073709551615]}} | but only 8 bytes follow the header",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | overlap",
        "{'a':{'dtype':'F32','dtype':'F32','shape':[2],'data_offsets':[0,8]}} | two fields dtype",
        "{'__metadata__':{},'__metadata__':{}}                         | __metadata__ stands twice",
        "{'__metadata__':{'k':1}}                                      | __metadata__ \"k\" is or contains the number 1",
        "{'__metadata__':[]}                                           | __metadata__ is or contains an array",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},}       | not valid JSON",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'n':1e999}} | out of range",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'n':'\\ud800'}} | half a surrogate pair",
        "{'\\udc00':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}  | surrogate",
        "{'a':['F32',[2],[0,8],1]}                                     | tensor \"a\"",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}{}      | after its JSON object",
        "/* c */{}                                                     | not valid JSON",
        "{'a\u0001':1}                                                 | not valid JSON",
        "{                                                             | not valid JSON",
        "                                                              | JSON object",
    })
    void namesWhatIsWrongWithAHeader(String header, String part) throws IOException {
        String json = header == null ? "" : header.replace('\'', '"');
        assertRefused(SafetensorsFiles.bytes(json, new byte[8]), part);
    }

    @Test
    void refusesTextThatIsNotStrictUtf8() throws IOException {
        for (byte[] wrong : new byte[][]{{(byte) 0xFF}, {(byte) 0xC0, (byte) 0x80},
            {(byte) 0xED, (byte) 0xA0, (byte) 0x80}, {(byte) 0xF4, (byte) 0x90, (byte) 0x80, (byte) 0x80}}) {
            byte[] header = ("{\"" + "x".repeat(wrong.length) + "\":{}}").getBytes(UTF_8);
            System.arraycopy(wrong, 0, header, 2, wrong.length);
            assertRefused(SafetensorsFiles.bytes(header), "not valid UTF-8");
        }
        assertRefused(SafetensorsFiles.bytes(new byte[]{'{', '}', ' ', (byte) 0xE2, (byte) 0x82}), "not valid UTF-8");
        assertRefused(SafetensorsFiles.bytes("\ufeff{}"), "not valid JSON");
        assertRefused(SafetensorsFiles.bytes("{}".getBytes(UTF_16LE)),
                "not valid JSON");
    }

    @Test
    void nestsAsDeepAsTheFormatsOwnImplementationAndNoDeeper() throws IOException {
        // The header's and the tensor's own braces are two levels.
        String format = "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"n\":%s}}";
        Safetensors.open(file(SafetensorsFiles.bytes(format.formatted("[".repeat(125) + "]".repeat(125))))).close();
        assertRefused(SafetensorsFiles.bytes(format.formatted("[".repeat(126) + "]".repeat(126))), "not valid JSON");
        assertRefused(SafetensorsFiles.bytes("{\"a\":{\"n\":" + "[".repeat(1_000_000)), "not valid JSON");
    }

    @Test
    void messagesDoNotRepeatHostileTextUncut() throws IOException {
        String name = "x\\u001b[31m\\n\\u202e" + "y".repeat(100_000);
        assertRefused(SafetensorsFiles.bytes("{\"" + name + "\":1}"), "\"x\\u001b[31m\\u000a\\u202eyyy", "characters)");
        Path file = folder.resolve("m.safetensors");
        assertThatThrownBy(() -> Safetensors.open(file))
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(600));
    }

    @Test
    void refusesFilesThatAreNoSafetensorsFiles() throws IOException {
        assertRefused(new byte[0], "the file is empty");
        assertRefused(new byte[7], "the file has 7 bytes");
        assertRefused(new byte[8], "JSON object");
        assertRefused("GGUF\0\0\0\3aaaaaaaa".getBytes(UTF_8), "header length", "GGUF");
        assertRefused("PK\3\4aaaaaaaa".getBytes(UTF_8), "PyTorch");
        assertRefused("<!DOCTYPE html><html>".getBytes(UTF_8), "web page");
        String oid = "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
        assertRefused(("version https://git-lfs.github.com/spec/v1\n" + oid + "\nsize 548105171\n").getBytes(UTF_8),
                "Git LFS pointer", "of 548105171 bytes", "git lfs pull");
    }

    @Test
    void refusesADirectoryAMissingFileAndAPipe() throws Exception {
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Safetensors.open(folder))
                .withMessage(folder + ": this is a directory, expected a file");
        Path missing = folder.resolve("none.safetensors");
        assertThatExceptionOfType(NoSuchFileException.class).isThrownBy(() -> Safetensors.open(missing))
                .withMessage(missing + ": there is no such file");
        Path pipe = folder.resolve("pipe.safetensors");
        Path mkfifo = Path.of("/usr/bin/mkfifo");
        if (Files.isExecutable(mkfifo)) {
            assertThat(new ProcessBuilder(mkfifo.toString(), pipe.toString()).start().waitFor()).isZero();
            assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Safetensors.open(pipe))
                    .withMessageContaining("not a regular file");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {13, 1000, 99_999_999, 100_000_000, 100_000_001, 1L << 31, 1L << 32, Long.MAX_VALUE,
        Long.MIN_VALUE, -1, -8})
    void refusesAHeaderLengthThatTheFileDoesNotHaveWithoutAllocatingIt(long length) throws IOException {
        Path file = file(SafetensorsFiles.withLength(length, "{}          ".getBytes(UTF_8)));
        assertThat(Files.size(file)).isEqualTo(20);
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Safetensors.open(file))
                .withMessageContaining("header length is " + Long.toUnsignedString(length));
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            Safetensors.open(file).close();
        } catch (FormatException _) {
            // Refused above as well.
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1 << 20);
    }

    @Test
    void readsBeyondTwoGigabytes() throws IOException {
        long elements = 3L << 30;
        byte[] header = SafetensorsFiles.bytes("{\"big\":{\"dtype\":\"U8\",\"shape\":[3," + (1 << 30)
                + "],\"data_offsets\":[0," + elements + "]},\"end\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":["
                + elements + "," + (elements + 4) + "]}}");
        Path file = file(header);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(header.length + elements + 4);
            sparse.seek(header.length + elements - 2);
            sparse.write(new byte[]{1, 2, 3, 4, 5, 6});
        }
        try (Safetensors open = Safetensors.open(file)) {
            TensorInfo big = open.find("big").orElseThrow();
            TensorInfo end = open.find("end").orElseThrow();
            assertThat(big.elements()).isEqualTo(elements);
            byte[] bytes = new byte[4];
            open.read(big, elements - 4, MemorySegment.ofArray(bytes));
            assertThat(bytes).containsExactly(0, 0, 1, 2);
            open.read(end, 0, MemorySegment.ofArray(bytes));
            assertThat(bytes).containsExactly(3, 4, 5, 6);
        }
    }

    /** A file of one tensor of random bytes, longer than two windows. */
    private byte[] largeTensor() throws IOException {
        byte[] data = new byte[2 * WindowedFile.WINDOW + 12_345];
        new Random(1).nextBytes(data);
        file(SafetensorsFiles.bytes(
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[" + data.length + "],\"data_offsets\":[0," + data.length + "]}}",
                data));
        return data;
    }

    @Test
    void readsInWindowsAndWithoutACopyOnTheHeap() throws IOException {
        byte[] data = largeTensor();
        Path file = folder.resolve("m.safetensors");
        List<Integer> windows = new ArrayList<>();
        SeekableByteChannel spy = new Wrapped(Files.newByteChannel(file)) {
            @Override
            public int read(ByteBuffer destination) throws IOException {
                if (destination.isDirect()) {
                    windows.add(destination.remaining());
                }
                return super.read(destination);
            }
        };
        try (Safetensors open = Safetensors.open(file, spy); Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(data.length);
            open.read(open.find("a").orElseThrow(), 0, memory);
            assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(data);
            assertThat(windows).hasSizeGreaterThanOrEqualTo(3).allMatch(size -> size <= 8 << 20);
        }
        try (Safetensors open = Safetensors.open(file); Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(data.length);
            open.read(open.find("a").orElseThrow(), 0, memory);
            var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = threads.getCurrentThreadAllocatedBytes();
            open.read(open.find("a").orElseThrow(), 0, memory);
            assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(100_000);
            assertThat(memory.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(data);
        }
    }

    @Test
    void manyThreadsReadAtOnce() throws Exception {
        byte[] data = largeTensor();
        Path file = folder.resolve("m.safetensors");
        for (SeekableByteChannel channel : List.of(Files.newByteChannel(file),
                new Wrapped(Files.newByteChannel(file)))) {
            try (Safetensors open = Safetensors.open(file, channel); var pool = Executors.newFixedThreadPool(8)) {
                TensorInfo tensor = open.find("a").orElseThrow();
                List<Callable<Boolean>> tasks = new ArrayList<>();
                for (int seed = 0; seed < 64; seed++) {
                    Random random = new Random(seed);
                    tasks.add(() -> {
                        int from = random.nextInt(data.length);
                        int length = random.nextInt(Math.min(200_000, data.length - from + 1));
                        try (Arena arena = Arena.ofConfined()) {
                            MemorySegment memory = arena.allocate(length);
                            open.read(tensor, from, memory);
                            return MemorySegment.ofArray(data).asSlice(from, length).mismatch(memory) < 0;
                        }
                    });
                }
                for (var result : pool.invokeAll(tasks)) {
                    assertThat(result.get()).isTrue();
                }
            }
        }
    }

    @Test
    void aFileThatShrinksBetweenOpenAndReadIsAnError() throws IOException {
        Path file = file(SafetensorsFiles.bytes(GOOD, SafetensorsFiles.counting(8)));
        try (Safetensors open = Safetensors.open(file)) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(Files.size(file) - 3);
            }
            assertThatExceptionOfType(FormatException.class)
                    .isThrownBy(() -> open.read(open.find("a").orElseThrow(), 0, MemorySegment.ofArray(new byte[8])))
                    .withMessageContaining("changed while it was read").withMessageStartingWith(file + ": ");
        }
    }

    @Test
    void aFileThatShrinksBetweenWindowsIsAnError() throws IOException {
        byte[] data = largeTensor();
        Path file = folder.resolve("m.safetensors");
        SeekableByteChannel shrinking = new Wrapped(Files.newByteChannel(file)) {
            private boolean truncated;

            @Override
            public int read(ByteBuffer destination) throws IOException {
                int count = super.read(destination);
                if (destination.isDirect() && !truncated) {
                    truncated = true;
                    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                        channel.truncate(WindowedFile.WINDOW);
                    }
                }
                return count;
            }
        };
        try (Safetensors open = Safetensors.open(file, shrinking); Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(data.length);
            assertThatExceptionOfType(FormatException.class)
                    .isThrownBy(() -> open.read(open.find("a").orElseThrow(), 0, memory))
                    .withMessageContaining("changed while it was read");
        }
    }

    @Test
    void aFileThatShrinksWhileItsHeaderIsReadIsAnError() throws IOException {
        Path file = file(SafetensorsFiles.bytes(GOOD, new byte[8]));
        SeekableByteChannel shrinking = new Wrapped(Files.newByteChannel(file)) {
            @Override
            public int read(ByteBuffer destination) throws IOException {
                int count = super.read(destination);
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.truncate(8);
                }
                return count;
            }
        };
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> Safetensors.open(file, shrinking))
                .withMessageContaining("changed while it was read");
        assertThat(shrinking.isOpen()).isFalse();
    }

    @Test
    void anInterruptedReadSaysSo() throws Exception {
        Path file = file(SafetensorsFiles.bytes(GOOD, new byte[8]));
        try (Safetensors open = Safetensors.open(file)) {
            TensorInfo tensor = open.find("a").orElseThrow();
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedIOException.class)
                    .isThrownBy(() -> open.read(tensor, 0, MemorySegment.ofArray(new byte[8])))
                    .withMessageContaining("interrupted").withMessageStartingWith(file + ": ");
            assertThat(Thread.interrupted()).isTrue();
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedIOException.class).isThrownBy(() -> Safetensors.open(file))
                    .withMessageContaining("interrupted").withMessageStartingWith(file + ": ");
            assertThat(Thread.interrupted()).isTrue();
            assertThatThrownBy(() -> open.read(tensor, 0, MemorySegment.ofArray(new byte[8])))
                    .isInstanceOf(IOException.class).hasMessageContaining("closed");
        }
    }

    @Test
    void readsOnlyWhatBelongsToTheTensorAndOnlyIntoMemoryThatFits() throws IOException {
        Path file = file(SafetensorsFiles.bytes(GOOD, new byte[8]));
        try (Safetensors open = Safetensors.open(file)) {
            TensorInfo tensor = open.find("a").orElseThrow();
            MemorySegment eight = MemorySegment.ofArray(new byte[8]);
            assertThatThrownBy(() -> open.read(tensor, 1, eight)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> open.read(tensor, -1, eight)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> open.read(tensor, Long.MAX_VALUE, eight))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            open.read(tensor, 8, eight.asSlice(0, 0));
            TensorInfo foreign = new TensorInfo("a", DType.F32, List.of(2L), 0, 8);
            assertThatIllegalArgumentException().isThrownBy(() -> open.read(foreign, 0, eight));
            assertThatIllegalArgumentException().isThrownBy(() -> open.read(tensor, 0, eight.asReadOnly()));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> open.read(tensor, 0, MemorySegment.ofArray(new float[2])));
        }
    }

    @Test
    void aClosedFileSaysSo() throws IOException {
        Safetensors closed;
        try (Safetensors open = Safetensors.open(file(SafetensorsFiles.bytes(GOOD, new byte[8])))) {
            closed = open;
        }
        assertThatThrownBy(
                () -> closed.read(closed.find("a").orElseThrow(), 0, MemorySegment.ofArray(new byte[8])))
                .isInstanceOf(IOException.class).hasMessageContaining("closed");
    }

    @Test
    void readsOutOfAZipFile() throws IOException {
        byte[] data = largeTensor();
        Path zip = folder.resolve("model.jar");
        try (FileSystem files = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
            Files.copy(folder.resolve("m.safetensors"), files.getPath("/model.safetensors"));
            Files.writeString(files.getPath("/config.json"),
                    "{\"vocab_size\":10,\"n_positions\":8,\"n_embd\":4,\"n_layer\":1,\"n_head\":1}");
        }
        try (FileSystem files = FileSystems.newFileSystem(zip)) {
            ModelFiles model = ModelFiles.of(files.getPath("/"));
            assertThat(Gpt2Config.read(model.config()).hiddenSize()).isEqualTo(4);
            assertThat(GenerationConfig.read(model.generationConfig())).isEqualTo(GenerationConfig.EMPTY);
            try (Checkpoint checkpoint = Checkpoint.open(model); Arena arena = Arena.ofConfined()) {
                MemorySegment memory = arena.allocate(data.length - 100);
                checkpoint.read(checkpoint.find("a").orElseThrow(), 100, memory);
                assertThat(memory.mismatch(MemorySegment.ofArray(data).asSlice(100))).isEqualTo(-1);
            }
        }
    }

    @Test
    void mutationsThrowNothingButIoExceptionsAndAreReadableOtherwise() throws IOException {
        byte[] good = SafetensorsFiles.bytes(
                "{\"__metadata__\":{\"format\":\"pt\"},\"wte\":{\"dtype\":\"F32\",\"shape\":"
                        + "[2,2],\"data_offsets\":[0,16]},\"b\\u00e9\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[16,20]}}",
                new byte[20]);
        int accepted = 0;
        for (int seed = 0; seed < 3000; seed++) {
            Path file = file(mutate(good, new Random(seed)));
            try (Safetensors open = Safetensors.open(file)) {
                accepted++;
                long sum = 0;
                for (TensorInfo tensor : open.tensors()) {
                    sum += tensor.byteSize();
                    open.read(tensor, 0, MemorySegment.ofArray(new byte[(int) tensor.byteSize()]));
                }
                assertThat(sum).as("seed %d", seed).isLessThanOrEqualTo(Files.size(file));
            } catch (IOException e) {
                assertThat(e).as("seed %d", seed).hasMessageStartingWith(file + ": ");
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(accepted).isBetween(1, 2000);
    }

    /** One to three changed, inserted, removed or repeated pieces. */
    static byte[] mutate(byte[] good, Random random) {
        byte[] bytes = good;
        for (int i = 0, changes = 1 + random.nextInt(3); i < changes; i++) {
            int at = random.nextInt(bytes.length);
            int length = Math.min(1 + random.nextInt(8), bytes.length - at);
            bytes = switch (random.nextInt(4)) {
                case 0 -> {
                    byte[] changed = bytes.clone();
                    changed[at] = (byte) random.nextInt(256);
                    yield changed;
                }
                case 1 -> splice(bytes, at, at, "0123456789\"{}[],:\\eE.-\u0000".getBytes(UTF_8)[random.nextInt(23)]);
                case 2 -> splice(bytes, at, at + length);
                default -> splice(bytes, at, at, java.util.Arrays.copyOfRange(bytes, at, at + length));
            };
            if (bytes.length == 0) {
                return bytes;
            }
        }
        return bytes;
    }

    private static byte[] splice(byte[] bytes, int from, int to, byte... middle) {
        return ByteBuffer.allocate(bytes.length - (to - from) + middle.length)
                .put(bytes, 0, from).put(middle).put(bytes, to, bytes.length - to).array();
    }

    /** A channel that is not a FileChannel, as those of other file systems. */
    private static class Wrapped implements SeekableByteChannel {
        private final SeekableByteChannel inner;

        Wrapped(SeekableByteChannel inner) {
            this.inner = inner;
        }

        @Override
        public int read(ByteBuffer destination) throws IOException {
            return inner.read(destination);
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            return inner.write(source);
        }

        @Override
        public long position() throws IOException {
            return inner.position();
        }

        @Override
        public SeekableByteChannel position(long position) throws IOException {
            inner.position(position);
            return this;
        }

        @Override
        public long size() throws IOException {
            return inner.size();
        }

        @Override
        public SeekableByteChannel truncate(long size) throws IOException {
            inner.truncate(size);
            return this;
        }

        @Override
        public boolean isOpen() {
            return inner.isOpen();
        }

        @Override
        public void close() throws IOException {
            inner.close();
        }
    }
}
