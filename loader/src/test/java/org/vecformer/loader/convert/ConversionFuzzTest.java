package org.vecformer.loader.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.loader.FormatException;

/**
 * Damaged checkpoints end in one clear error, or, where the damage does no harm, in a whole model; never in another
 * exception, much memory, or half a directory.
 */
class ConversionFuzzTest {
    private static final long MAX_ALLOCATED = 300L << 20;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @TempDir
    Path folder;

    private Path source;
    private Path target;

    @BeforeEach
    void folders() throws IOException {
        source = Files.createDirectories(folder.resolve("source"));
        target = folder.resolve("target");
    }

    /** Cuts, flips, overwrites with extreme bytes, removes or repeats a piece. */
    private static byte[] mutated(byte[] bytes, Random random) {
        if (bytes.length == 0) {
            return bytes;
        }
        byte[] copy = bytes.clone();
        int at = random.nextInt(copy.length);
        int length = Math.min(copy.length - at, 1 + random.nextInt(8));
        switch (random.nextInt(6)) {
            case 0 -> {
                return Arrays.copyOf(copy, at);
            }
            case 1 -> copy[at] ^= (byte) (1 << random.nextInt(8));
            case 2 -> Arrays.fill(copy, at, at + length, (byte) (random.nextBoolean() ? 0xFF : 0));
            case 3 -> {
                for (int i = at; i < at + length; i++) {
                    copy[i] = (byte) random.nextInt(256);
                }
            }
            case 4 -> {
                byte[] longer = Arrays.copyOf(copy, copy.length + length);
                System.arraycopy(copy, at, longer, at + length, copy.length - at);
                return longer;
            }
            default -> {
                byte[] shorter = Arrays.copyOf(copy, copy.length - length);
                System.arraycopy(copy, at + length, shorter, at, copy.length - at - length);
                return shorter;
            }
        }
        return copy;
    }

    /** Converts; what went wrong, or null. */
    private IOException attempt(Path path, String what) throws IOException {
        Map<String, Integer> before = hashes();
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        IOException failure = null;
        try {
            Conversions.convert(path, target);
        } catch (IOException e) {
            failure = e;
            assertThat(e).as(what).isInstanceOf(FormatException.class);
            assertThat(e.getMessage()).as(what).isNotBlank().doesNotContain("\n");
            assertThat(target).as(what).doesNotExist();
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what + " ended in " + e, e);
        }
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - allocated).as(what).isLessThan(MAX_ALLOCATED);
        if (failure == null) {
            Conversions.tensors(target.resolve("model.safetensors"));
            for (Path file : Files.list(target).toList()) {
                Files.delete(file);
            }
            Files.delete(target);
        }
        assertThat(folder.toFile().list()).as(what).noneMatch(name -> name.endsWith(".tmp"));
        assertThat(hashes()).as(what).isEqualTo(before);
        return failure;
    }

    private Map<String, Integer> hashes() throws IOException {
        Map<String, Integer> hashes = new LinkedHashMap<>();
        Conversions.files(source).forEach((name, bytes) -> hashes.put(name, Arrays.hashCode(bytes)));
        return hashes;
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = ConversionFuzzTest.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    /** Almost every one of so many mutants must be refused, or the mutations miss what matters. */
    private void many(int count, int atLeastRefused, Mutant mutant) throws IOException {
        int refused = 0;
        for (int seed = 0; seed < count; seed++) {
            Path path = mutant.make(new Random(seed));
            refused += attempt(path, "seed " + seed) == null ? 0 : 1;
        }
        assertThat(refused).isGreaterThanOrEqualTo(atLeastRefused);
    }

    private interface Mutant {
        Path make(Random random) throws IOException;
    }

    @Test
    void bundles() throws IOException {
        TinyCheckpoints.savedModel(source);
        Path index = source.resolve("variables/variables.index");
        Path data = source.resolve("variables/variables.data-00000-of-00001");
        byte[] goodIndex = Files.readAllBytes(index);
        byte[] goodData = Files.readAllBytes(data);
        many(150, 140, random -> {
            boolean first = random.nextBoolean();
            Files.write(index, first ? mutated(goodIndex, random) : goodIndex);
            Files.write(data, first ? goodData : mutated(goodData, random));
            return source;
        });
    }

    /** Checksums that are right again: the damage reaches the parsers. */
    @Test
    void bundlesWhoseChecksumsAgree() throws IOException {
        many(200, 125, random -> {
            boolean packed = random.nextBoolean();
            UnaryOperator<byte[]> damage = block -> random.nextInt(3) == 0 ? mutated(block, random) : block;
            BundleFiles files = new BundleFiles(1 + random.nextInt(2), false).damaged(damage);
            if (packed) {
                files.packed(100 + random.nextInt(1000));
            }
            TinyCheckpoints.bert(files, "");
            if (random.nextBoolean()) {
                files.addSliced("bert/pooler/dense/kernel", random.nextInt(2), 5, TinyCheckpoints.HIDDEN,
                        TinyCheckpoints.HIDDEN);
            }
            for (Path old : Files.list(source).toList()) {
                Files.delete(old);
            }
            files.write(source, "model.ckpt");
            return source;
        });
    }

    /** Entries of the index one by one, their values damaged. */
    @Test
    void entriesOfBundles() throws IOException {
        many(150, 75, random -> {
            BundleFiles files = new BundleFiles();
            TinyCheckpoints.bert(files, "");
            byte[][] keys = files.index().keySet().toArray(byte[][]::new);
            byte[] key = keys[random.nextInt(keys.length)];
            byte[] value = mutated(files.index().get(key), random);
            files.raw(random.nextInt(4) == 0 ? mutated(key, random) : key, value);
            files.write(source, "model.ckpt");
            return source;
        });
    }

    @Test
    void archives() throws IOException {
        Path model = folder.resolve("model");
        TinyCheckpoints.savedModel(model);
        Map<String, byte[]> files = Conversions.files(model);
        byte[] stored = Conversions.zip(files, true);
        byte[] packed = Conversions.zip(files, false);
        byte[] jar = Conversions.zip(Map.of("inner", stored), false);
        many(150, 100, random -> Files.write(source.resolve("model.jar"), mutated(switch (random.nextInt(3)) {
            case 0 -> stored;
            case 1 -> packed;
            default -> jar;
        }, random)));
        // The ends of zip files are their tables.
        many(150, 75, random -> {
            byte[] tail = Arrays.copyOfRange(stored, stored.length - 600, stored.length);
            byte[] damaged = mutated(tail, random);
            byte[] whole = Arrays.copyOf(stored, stored.length - 600 + damaged.length);
            System.arraycopy(damaged, 0, whole, stored.length - 600, damaged.length);
            return Files.write(source.resolve("model.jar"), whole);
        });
    }

    @Test
    void pickles() throws IOException {
        Files.writeString(source.resolve("config.json"), "{\"model_type\": \"gpt2\"}");
        Path file = source.resolve("pytorch_model.bin");
        byte[] legacy = resource("views-legacy.bin");
        byte[] zipped = resource("views.bin");
        many(300, 150, random -> Files.write(file, mutated(random.nextBoolean() ? legacy : zipped, random)));

        Map<String, byte[]> entries = new LinkedHashMap<>();
        Path good = Files.write(folder.resolve("views.zip"), zipped);
        try (ZipFile zip = new ZipFile(good.toFile())) {
            for (var entry : zip.stream().toList()) {
                entries.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
            }
        }
        String pickle = entries.keySet().stream().filter(name -> name.endsWith("data.pkl")).findFirst().orElseThrow();
        many(700, 420, random -> {
            Map<String, byte[]> damaged = new LinkedHashMap<>(entries);
            damaged.put(pickle, mutated(entries.get(pickle), random));
            return Files.write(file, Conversions.zip(damaged, true));
        });
    }

    /** Opcodes in any order, of which some make sense. */
    @Test
    void picklesOfAnyOpcodes() throws IOException {
        Files.writeString(source.resolve("config.json"), "{}");
        byte[][] pieces = {{'('}, {'t'}, {'}'}, {']'}, {')'}, {'a'}, {'e'}, {'s'}, {'u'}, {'R'}, {'b'}, {'Q'}, {'N'},
            {'q', 1}, {'h', 1}, {'K', 7}, {(byte) 0x85}, {(byte) 0x86}, {(byte) 0x87}, {(byte) 0x94}, {'.'},
            "ccollections\nOrderedDict\n".getBytes(), "ctorch\nFloatStorage\n".getBytes(),
            "ctorch._utils\n_rebuild_tensor_v2\n".getBytes(), "X\3\0\0\0abc".getBytes(),
            "X\7\0\0\0storage".getBytes(), {(byte) 0x88}};
        many(1000, 990, random -> {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            out.write(0x80);
            out.write(2);
            for (int i = random.nextInt(60); i >= 0; i--) {
                out.writeBytes(pieces[random.nextInt(pieces.length)]);
            }
            out.write('.');
            return Files.write(source.resolve("pytorch_model.bin"),
                    Conversions.zip(Map.of("a/data.pkl", out.toByteArray(), "a/data/abc", new byte[64]), true));
        });
    }

    @Test
    void blocksOfSnappy() throws IOException {
        byte[] text = "the man went home, the man went home, the man went to the man".repeat(5).getBytes();
        byte[] packed = BundleFiles.snappy(text);
        try {
            assertThat(Snappy.unpack(packed)).isEqualTo(text);
        } catch (Snappy.Fault e) {
            throw new AssertionError(e);
        }
        for (int seed = 0; seed < 20_000; seed++) {
            try {
                assertThat(Snappy.unpack(mutated(packed, new Random(seed)))).hasSizeLessThan(1 << 20);
            } catch (Snappy.Fault e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }
}
