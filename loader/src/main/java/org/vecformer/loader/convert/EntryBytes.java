package org.vecformer.loader.convert;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.vecformer.loader.FormatException;

/**
 * The bytes of a zip file's entry, unpacked as they are read. Going back begins again at the front; going on in an
 * entry that is only stored costs nothing. If every byte was read in order, the entry's checksum is compared.
 */
final class EntryBytes implements ByteSource {
    private static final int PIECE = 1 << 16;

    private final ZipFile zip;
    private final ZipEntry entry;
    private final String name;
    private final byte[] piece = new byte[PIECE];
    private final CRC32 checksum = new CRC32();
    private InputStream stream;
    private long position;
    private boolean inOrder;

    EntryBytes(ZipFile zip, ZipEntry entry, String name) {
        this.zip = zip;
        this.entry = entry;
        this.name = name;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public long size() {
        return entry.getSize();
    }

    @Override
    public void read(long from, ByteBuffer destination) throws IOException {
        if (from < 0 || destination.remaining() > size() - from) {
            throw error("there are " + size() + " bytes, expected at least " + (from + destination.remaining()));
        }
        try {
            seek(from);
            while (destination.hasRemaining()) {
                int count = stream.read(piece, 0, Math.min(PIECE, destination.remaining()));
                if (count <= 0) {
                    throw new EOFException("it ends after " + position + " of " + size() + " bytes");
                }
                destination.put(piece, 0, count);
                position += count;
                checksum.update(piece, 0, count);
            }
        } catch (ZipException | EOFException e) {
            throw unreadable(e);
        }
        if (position == size() && inOrder && entry.getCrc() != -1 && checksum.getValue() != entry.getCrc()) {
            throw error("the checksum (CRC-32) is " + Long.toHexString(checksum.getValue()) + ", expected "
                    + Long.toHexString(entry.getCrc()) + "; the archive is damaged");
        }
    }

    private void seek(long from) throws IOException {
        if (stream == null || from < position) {
            close();
            stream = zip.getInputStream(entry);
            if (stream == null) {
                throw error("the archive has no such entry");
            }
            position = 0;
            checksum.reset();
            inOrder = true;
        }
        while (position < from) {
            inOrder = false;
            long skipped = stream.skip(from - position);
            if (skipped <= 0) {
                if (stream.read() < 0) {
                    throw new EOFException("it ends after " + position + " of " + size() + " bytes");
                }
                skipped = 1;
            }
            position += skipped;
        }
    }

    private FormatException unreadable(IOException cause) {
        FormatException unreadable = error("the entry cannot be unpacked (" + cause.getClass().getSimpleName()
                + (cause.getMessage() == null ? "" : ": " + FormatException.plain(cause.getMessage()))
                + "); the archive is damaged");
        unreadable.initCause(cause);
        return unreadable;
    }

    @Override
    public void close() throws IOException {
        if (stream != null) {
            stream.close();
            stream = null;
        }
    }
}
