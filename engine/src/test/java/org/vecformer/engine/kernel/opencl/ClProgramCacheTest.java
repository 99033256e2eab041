package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.TestDevices;

/** Programs on disk: used when whole, replaced when not, done without when there is no place. */
class ClProgramCacheTest {

    private static final String KEY = ClProgramCache.key("a device", "a source");

    @TempDir
    Path directory;

    private ClProgramCache cache() {
        return new ClProgramCache(directory.resolve("not/made/yet"));
    }

    @Test
    void whatIsStoredIsFound() {
        byte[] binary = new byte[1000];
        new Random(1).nextBytes(binary);
        assertThat(cache().load(KEY)).isNull();
        cache().store(KEY, binary);
        assertThat(cache().load(KEY)).isEqualTo(binary);
        assertThat(cache().load(ClProgramCache.key("a device", "another source"))).isNull();
        cache().store(KEY, new byte[]{1});
        assertThat(cache().load(KEY)).containsExactly(1);
    }

    @Test
    void nothingHalfDoneIsLeft() throws IOException {
        cache().store(KEY, new byte[100]);
        try (Stream<Path> files = Files.list(directory.resolve("not/made/yet"))) {
            assertThat(files).containsExactly(cache().file(KEY));
        }
    }

    @Test
    void whatWasNotUsedForLongestGoes() throws IOException {
        String old = ClProgramCache.key("old");
        String oldButUsed = ClProgramCache.key("old, but used");
        cache().store(old, new byte[]{1});
        cache().store(oldButUsed, new byte[]{2});
        Files.setLastModifiedTime(cache().file(old), FileTime.fromMillis(1_000_000));
        Files.setLastModifiedTime(cache().file(oldButUsed), FileTime.fromMillis(1_000_000));
        assertThat(cache().load(oldButUsed)).containsExactly(2);
        for (int i = 0; i < ClProgramCache.MOST_FILES - 1; i++) {
            cache().store(ClProgramCache.key("new", "" + i), new byte[]{3});
        }
        assertThat(cache().load(old)).isNull();
        assertThat(cache().load(oldButUsed)).containsExactly(2);
    }

    @Test
    void partsOfAKeyDoNotRunIntoEachOther() {
        assertThat(Stream.of(new String[]{"ab", "c"}, new String[]{"a", "bc"}, new String[]{"abc"},
                new String[]{"c", "ab"}, new String[]{"ab", "c", ""}).map(ClProgramCache::key)).doesNotHaveDuplicates()
                .allMatch(key -> key.matches("[0-9a-f]{64}"));
    }

    @Test
    void aDamagedFileIsIgnoredAndReplaced() throws IOException {
        byte[] binary = new byte[200];
        new Random(2).nextBytes(binary);
        cache().store(KEY, binary);
        Path file = cache().file(KEY);
        byte[] whole = Files.readAllBytes(file);
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 1;
            Files.write(file, damaged);
            assertThat(cache().load(KEY)).as("byte %d", i).isNull();
        }
        for (int length : new int[]{0, 1, 79, 80, 81, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertThat(cache().load(KEY)).as("%d bytes", length).isNull();
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertThat(cache().load(KEY)).isNull();
        cache().store(KEY, binary);
        assertThat(cache().load(KEY)).isEqualTo(binary);
        Files.copy(file, cache().file(ClProgramCache.key("foreign")));
        assertThat(cache().load(ClProgramCache.key("foreign"))).isNull();
    }

    @Test
    void withoutAPlaceThereIsNoCache() throws IOException {
        ClProgramCache none = new ClProgramCache(null);
        none.store(KEY, new byte[3]);
        assertThat(none.load(KEY)).isNull();
        Path file = Files.writeString(directory.resolve("file"), "not a directory");
        ClProgramCache blocked = new ClProgramCache(file.resolve("below"));
        blocked.store(KEY, new byte[3]);
        assertThat(blocked.load(KEY)).isNull();
        Files.createDirectories(cache().file(KEY).resolve("full"));
        cache().store(KEY, new byte[3]);
        assertThat(cache().load(KEY)).isNull();
        try (Stream<Path> files = Files.list(directory.resolve("not/made/yet"))) {
            assertThat(files).containsExactly(cache().file(KEY));
        }
    }

    @Test
    void everySystemHasItsPlace() {
        Map<String, String> none = Map.of();
        Map<String, String> environment = new HashMap<>();
        environment.put("XDG_CACHE_HOME", "/caches");
        environment.put("LOCALAPPDATA", "/local");
        Path below = Path.of("vecformer", "opencl");
        assertThat(ClProgramCache.directory(null, "Linux", none, "/home/a"))
                .isEqualTo(Path.of("/home/a/.cache").resolve(below));
        assertThat(ClProgramCache.directory(null, "Linux", environment, "/home/a"))
                .isEqualTo(Path.of("/caches").resolve(below));
        assertThat(ClProgramCache.directory("", "Mac OS X", environment, "/home/a"))
                .isEqualTo(Path.of("/home/a/Library/Caches").resolve(below));
        assertThat(ClProgramCache.directory(null, "Windows 11", environment, "/home/a"))
                .isEqualTo(Path.of("/local").resolve(below));
        assertThat(ClProgramCache.directory(null, "Windows 11", none, "/home/a")).isNull();
        assertThat(ClProgramCache.directory(null, "Linux", none, "?")).isNull();
        assertThat(ClProgramCache.directory(null, "Linux", Map.of("XDG_CACHE_HOME", "relative"), "/home/a"))
                .isEqualTo(Path.of("/home/a/.cache").resolve(below));
        assertThat(ClProgramCache.directory("/given", "Linux", environment, "/home/a")).isEqualTo(Path.of("/given"));
        assertThat(ClProgramCache.directory("none", "Linux", environment, "/home/a")).isNull();
    }

    /** A device whose program is replaced, on disk, by another one computes what that one says: so it is read. */
    @Test
    @Tag("opencl")
    void aDeviceTakesItsProgramsFromTheCache() throws IOException {
        TestDevices.firstOrSkip();
        ClProgramCache cache = cache();
        assertThat(run(cache, "1")).isEqualTo(1);
        Path one = onlyFile();
        byte[] ofOne = Files.readAllBytes(one);
        assertThat(run(cache, "1")).isEqualTo(1);
        assertThat(run(cache, "2")).isEqualTo(2);
        List<Path> files = files();
        assertThat(files).hasSize(2).contains(one);
        Path two = files.get(files.indexOf(one) ^ 1);

        cache.store(key(one), cache.load(key(two)));
        assertThat(run(cache, "1")).isEqualTo(2);

        // damaged: compiled again, and whole again afterwards
        Files.write(one, Arrays.copyOf(ofOne, ofOne.length / 2));
        assertThat(run(cache, "1")).isEqualTo(1);
        assertThat(cache.load(key(one))).isNotNull();

        // whole, but nothing that the driver could use
        cache.store(key(one), new byte[5000]);
        assertThat(run(cache, "1")).isEqualTo(1);
        assertThat(cache.load(key(one))).isNotEqualTo(new byte[5000]);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("not/made/yet"))) {
            return files.toList();
        }
    }

    private Path onlyFile() throws IOException {
        List<Path> files = files();
        assertThat(files).hasSize(1);
        return files.getFirst();
    }

    private static String key(Path file) {
        return file.getFileName().toString().replace(".bin", "");
    }

    private static int run(ClProgramCache cache, String number) {
        try (ClDevice device = ClDevice.open(ClPlatforms.choose(TestDevices.choiceOrSkip()), false, cache);
                ClQueue queue = device.openQueue();
                ClBuffer a = device.allocate(4, "a");
                ClKernel f = device.program("n.cl", "kernel void f(global int *to) { to[0] = N; }",
                        new String[]{"N=" + number}).kernel("f")) {
            int[] read = new int[1];
            queue.launch(f.set(0, a), new long[]{1}, null);
            queue.read(a, 0, read, 0, 1);
            return read[0];
        }
    }
}
