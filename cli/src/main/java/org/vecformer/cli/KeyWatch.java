package org.vecformer.cli;

import java.io.IOException;
import java.util.regex.Pattern;
import org.jline.terminal.Terminal;
import org.jline.utils.NonBlockingReader;

/** Reads the keys while a reply is being written: Ctrl-C stops it, all others are kept for later. */
final class KeyWatch implements AutoCloseable {
    private static final int CTRL_C = 3;
    private static final long INTERVAL_MILLIS = 20;
    private static final Pattern ESCAPE_SEQUENCE = Pattern.compile("\u001b(\\[[0-?]*[ -/]*[@-~]|O.|.)?");

    private final Terminal terminal;
    private final Runnable stop;
    private final StringBuilder typed = new StringBuilder();
    private final Thread thread;
    private volatile boolean closed;

    /** @param stop called again and again from Ctrl-C on: what it is to stop may not have begun yet */
    KeyWatch(Terminal terminal, Runnable stop) {
        this.terminal = terminal;
        this.stop = stop;
        thread = Thread.ofPlatform().daemon().name("keys").start(this::watch);
    }

    private void watch() {
        NonBlockingReader keys = terminal.reader();
        try {
            boolean stopped = false;
            while (!closed) {
                int key = keys.read(INTERVAL_MILLIS);
                if (key == CTRL_C) {
                    stopped = true;
                } else if (key >= 0) {
                    typed.append((char) key);
                } else if (key == NonBlockingReader.EOF) {
                    return;
                }
                if (stopped) {
                    stop.run();
                }
            }
        } catch (IOException e) {
            // The terminal has gone; reading the next line will tell.
        }
    }

    /** What was typed, without keys such as arrows that are several characters; asked when this is closed. */
    String typed() {
        return ESCAPE_SEQUENCE.matcher(typed).replaceAll("");
    }

    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
