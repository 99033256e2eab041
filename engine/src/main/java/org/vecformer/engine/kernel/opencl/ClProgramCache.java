package org.vecformer.engine.kernel.opencl;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Compiled programs on disk, because compiling takes seconds on some drivers. A file is named by the hash of all that
 * went into it. It holds, in this order:
 *
 * <pre>
 * 8 bytes   "vecfCL01"
 * 32 bytes  the hash that names it (of device, driver, platform, options and source)
 * 8 bytes   n, big-endian
 * 32 bytes  SHA-256 of the binary
 * n bytes   the binary, as the driver gave it
 * </pre>
 *
 * Whatever else is found under its name is ignored and replaced. A cache that cannot be written is none: programs are
 * compiled again. What was not used for longest goes when there are many: a new driver asks for all of them anew.
 * Thread-safe, and between processes too: files are moved into place.
 */
final class ClProgramCache {

    /** The system property that names the directory, or is "none". */
    static final String PROPERTY = "vecformer.openclCache";

    private static final System.Logger LOG = System.getLogger(ClProgramCache.class.getName());
    private static final byte[] MAGIC = "vecfCL01".getBytes(StandardCharsets.US_ASCII);
    private static final int HASH_BYTES = 32;
    private static final int HEADER_BYTES = MAGIC.length + HASH_BYTES + Long.BYTES + HASH_BYTES;
    /** No program of ours comes near. */
    private static final long MOST_BYTES = 256L << 20;
    /** A model takes some twenty. */
    static final int MOST_FILES = 400;
    private static final String SUFFIX = ".bin";

    /** Null for no cache. */
    private final Path directory;

    /** @param directory need not exist; null for no cache */
    ClProgramCache(Path directory) {
        this.directory = directory;
    }

    /** The cache of this user. */
    static ClProgramCache ofUser() {
        try {
            return new ClProgramCache(
                    directory(System.getProperty(PROPERTY), System.getProperty("os.name", ""), System.getenv(),
                            System.getProperty("user.home", "")));
        } catch (InvalidPathException e) {
            LOG.log(System.Logger.Level.DEBUG, "no cache of OpenCL programs: {0}", e.getMessage());
            return new ClProgramCache(null);
        }
    }

    /** Where a system keeps what can be made again; null for nowhere. */
    static Path directory(String property, String system, Map<String, String> environment, String home) {
        if (property != null && !property.isBlank()) {
            return property.equals("none") ? null : Path.of(property);
        }
        String name = system.toLowerCase(Locale.ROOT);
        Path caches = null;
        if (name.contains("windows")) {
            caches = absolute(environment.get("LOCALAPPDATA"));
        } else if (name.contains("mac")) {
            caches = absolute(home) == null ? null : Path.of(home, "Library", "Caches");
        } else {
            caches = absolute(environment.get("XDG_CACHE_HOME"));
            if (caches == null && absolute(home) != null) {
                caches = Path.of(home, ".cache");
            }
        }
        return caches == null ? null : caches.resolve("vecformer").resolve("opencl");
    }

    private static Path absolute(String path) {
        if (path == null || path.isBlank()) {
            return null;
        }
        Path given = Path.of(path);
        return given.isAbsolute() ? given : null;
    }

    /** The name of a program: a hash of all parts, in order. */
    static String key(String... parts) {
        MessageDigest digest = sha256();
        for (String part : parts) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            // with its length, so that parts cannot run into each other
            digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
            digest.update(bytes);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** The binary of a program; null if there is none that is whole. */
    byte[] load(String key) {
        if (directory == null) {
            return null;
        }
        Path file = file(key);
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) {
                return null;
            }
            byte[] content = Files.readAllBytes(file);
            if (content.length > HEADER_BYTES) {
                byte[] binary = Arrays.copyOfRange(content, HEADER_BYTES, content.length);
                if (Arrays.equals(header(key, binary), Arrays.copyOf(content, HEADER_BYTES))) {
                    markUsed(file);
                    return binary;
                }
            }
            LOG.log(System.Logger.Level.DEBUG, "{0} is damaged; it will be replaced", file);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "the cache of OpenCL programs cannot be read: {0}", e.toString());
        }
        return null;
    }

    private static void markUsed(Path file) {
        try {
            Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "{0} cannot be marked as used: {1}", file, e.toString());
        }
    }

    /** Keeps a binary, if that is possible. */
    void store(String key, byte[] binary) {
        if (directory == null) {
            return;
        }
        Path half = null;
        try {
            Files.createDirectories(directory);
            half = Files.createTempFile(directory, "writing", ".tmp");
            byte[] content = Arrays.copyOf(header(key, binary), HEADER_BYTES + binary.length);
            System.arraycopy(binary, 0, content, HEADER_BYTES, binary.length);
            Files.write(half, content);
            move(half, file(key));
            prune();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "the cache of OpenCL programs cannot be written: {0}", e.toString());
            discard(half);
        }
    }

    /** Deletes what was not used for longest, if there is too much. */
    private void prune() throws IOException {
        record Kept(Path file, FileTime used) {}
        List<Kept> all = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            for (Path file : files) {
                all.add(new Kept(file, Files.getLastModifiedTime(file)));
            }
        }
        all.sort(Comparator.comparing(Kept::used));
        for (Kept kept : all.subList(0, Math.max(0, all.size() - MOST_FILES))) {
            Files.deleteIfExists(kept.file);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException _) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void discard(Path half) {
        try {
            if (half != null) {
                Files.deleteIfExists(half);
            }
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "{0} cannot be deleted: {1}", half, e.toString());
        }
    }

    /** The file of a program. */
    Path file(String key) {
        return directory.resolve(key + SUFFIX);
    }

    private static byte[] header(String key, byte[] binary) {
        return ByteBuffer.allocate(HEADER_BYTES).put(MAGIC).put(HexFormat.of().parseHex(key)).putLong(binary.length)
                .put(sha256().digest(binary)).array();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
