package org.vecformer.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/**
 * What standard output is read on.
 *
 * @param terminal whether it is a terminal, and no file or other program
 * @param unicode whether it shows more than ASCII
 * @param columns how many characters wide it is; asked only when something is drawn
 */
record Screen(boolean terminal, boolean unicode, IntSupplier columns) {
    /** A file or another program. */
    static final Screen NONE = new Screen(false, true, () -> Screen.DEFAULT_COLUMNS);

    private static final int DEFAULT_COLUMNS = 80;
    private static final int LEAST_COLUMNS = 40;

    /** What this process writes to. */
    static Screen detect() {
        String encoding = System.getProperty("stdout.encoding", System.getProperty("native.encoding", ""));
        return new Screen(Streams.isTerminal(1), encoding.toUpperCase(Locale.ROOT).startsWith("UTF"),
                Screen::terminalColumns);
    }

    /** Java does not know; the terminal's own program does. */
    private static int terminalColumns() {
        try {
            Process stty = new ProcessBuilder("stty", "size").redirectInput(new File("/dev/tty"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            if (stty.waitFor(1, TimeUnit.SECONDS)) {
                // Rows, then columns.
                String[] size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip()
                        .split(" ");
                int columns = size.length == 2 ? Integer.parseInt(size[1]) : 0;
                return columns > 0 ? Math.max(LEAST_COLUMNS, columns) : DEFAULT_COLUMNS;
            }
            stty.destroy();
        } catch (IOException | NumberFormatException e) {
            // No such program, as on Windows.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return DEFAULT_COLUMNS;
    }

    /**
     * A bar of blocks, or of # where there are none, filled up with spaces.
     *
     * @param share how much of its width it takes, 0 to 1
     */
    String bar(double share, int width) {
        if (!unicode) {
            int full = (int) Math.round(share * width);
            return "#".repeat(full) + " ".repeat(width - full);
        }
        // Blocks of eight eighths (U+2588) to one eighth (U+258F).
        int eighths = (int) Math.round(share * width * 8);
        String bar = "\u2588".repeat(eighths / 8) + (eighths % 8 == 0 ? "" : (char) (0x2590 - eighths % 8));
        return bar + " ".repeat(width - bar.length());
    }
}
