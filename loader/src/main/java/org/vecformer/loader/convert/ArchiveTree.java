package org.vecformer.loader.convert;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.vecformer.loader.FormatException;

/** A zip or jar file. Entries are unpacked as they are read; none is ever held as a whole. */
final class ArchiveTree implements FileTree {
    /** What a zip file with entries begins with. */
    private static final byte[] MAGIC = {'P', 'K', 3, 4};
    private static final int MAX_ENTRIES = 200_000;
    /** An entry that unpacks to more than this many times its size is no model; deflate itself goes up to 1032. */
    private static final long MAX_RATIO = 100;
    private static final long SMALL = 64L << 20;
    private static final int WINDOW = 1 << 20;

    private final String name;
    private final ZipFile zip;
    private final TreeMap<String, ZipEntry> entries = new TreeMap<>();
    private final Path scratch;
    private final Pulse pulse;

    private ArchiveTree(String name, ZipFile zip, Path scratch, Pulse pulse) {
        this.name = name;
        this.zip = zip;
        this.scratch = scratch;
        this.pulse = pulse;
    }

    /**
     * Opens a zip file.
     *
     * @param name how messages name it
     * @param scratch a folder for entries that must be files of their own; whoever made it removes it
     */
    static ArchiveTree open(Path path, String name, Path scratch, Pulse pulse) throws IOException {
        ArchiveTree tree = null;
        try {
            tree = new ArchiveTree(name, new ZipFile(path.toFile()), scratch, pulse);
            tree.list();
            return tree;
        } catch (ZipException | EOFException | IllegalArgumentException | UnsupportedOperationException e) {
            FormatException failure = new FormatException(name + ": the zip file cannot be read (" + e.getClass()
                    .getSimpleName() + (e.getMessage() == null ? "" : ": " + FormatException.plain(e.getMessage()))
                    + "); it is damaged or cut short");
            failure.initCause(e);
            if (tree != null) {
                tree.close();
            }
            throw failure;
        } catch (Throwable e) {
            if (tree != null) {
                tree.close();
            }
            throw e;
        }
    }

    static boolean isZip(ByteSource bytes) throws IOException {
        return Arrays.equals(bytes.start(MAGIC.length), MAGIC);
    }

    private void list() throws FormatException {
        var all = zip.entries();
        while (all.hasMoreElements()) {
            ZipEntry entry = all.nextElement();
            if (!entry.isDirectory() && entry.getSize() >= 0) {
                entries.put(entry.getName(), entry);
            }
            if (entries.size() > MAX_ENTRIES) {
                throw new FormatException(name + ": there are more than " + MAX_ENTRIES
                        + " entries, expected the files of one model");
            }
        }
    }

    @Override
    public SortedSet<String> names() {
        return Collections.unmodifiableSortedSet(entries.navigableKeySet());
    }

    @Override
    public String describe(String entry) {
        return name + "!/" + FormatException.plain(entry);
    }

    @Override
    public ByteSource open(String entryName) throws IOException {
        ZipEntry entry = entries.get(entryName);
        if (entry == null) {
            throw new FormatException(describe(entryName) + ": there is no such entry");
        }
        if (entry.getSize() > SMALL && entry.getSize() / MAX_RATIO > entry.getCompressedSize()) {
            throw new FormatException(describe(entryName) + ": " + entry.getCompressedSize()
                    + " bytes would unpack to " + entry.getSize() + " bytes, more than " + MAX_RATIO
                    + " times as many; this is not unpacked");
        }
        return new EntryBytes(zip, entry, describe(entryName));
    }

    @Override
    public Path file(String entryName) throws IOException {
        Files.createDirectories(scratch);
        // Readers of safetensors look at the name.
        Path target = Files.createTempFile(scratch, "entry", entryName.endsWith(".safetensors") ? ".safetensors" : "");
        try (ByteSource source = open(entryName);
                OutputStream out = Files.newOutputStream(target)) {
            byte[] window = new byte[WINDOW];
            for (long at = 0; at < source.size(); at += WINDOW) {
                int count = (int) Math.min(WINDOW, source.size() - at);
                source.read(at, ByteBuffer.wrap(window, 0, count));
                out.write(window, 0, count);
                pulse.done(count);
            }
        }
        return target;
    }

    /** The size of an entry. */
    long size(String entryName) {
        return entries.get(entryName).getSize();
    }

    @Override
    public void close() throws IOException {
        zip.close();
    }
}
