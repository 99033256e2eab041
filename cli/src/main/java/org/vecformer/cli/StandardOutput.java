package org.vecformer.cli;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Standard output as UTF-8. A write that fails says so, unlike with a PrintStream. Belongs to one thread at a time. */
final class StandardOutput extends OutputStream {
    private final OutputStream target;

    StandardOutput(OutputStream target) {
        this.target = new BufferedOutputStream(target, 8192);
    }

    void print(String text) throws IOException {
        write(text.getBytes(StandardCharsets.UTF_8));
    }

    void println(String text) throws IOException {
        print(text);
        write('\n');
    }

    @Override
    public void write(int b) throws IOException {
        try {
            target.write(b);
        } catch (IOException e) {
            throw new OutputException(e);
        }
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
        try {
            target.write(bytes, offset, length);
        } catch (IOException e) {
            throw new OutputException(e);
        }
    }

    @Override
    public void flush() throws IOException {
        try {
            target.flush();
        } catch (IOException e) {
            throw new OutputException(e);
        }
    }
}
