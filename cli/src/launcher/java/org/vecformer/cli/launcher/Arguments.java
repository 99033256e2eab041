package org.vecformer.cli.launcher;

import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * The arguments as they were typed, whatever the locale, and their way into the child.
 *
 * <p>Without a locale (a plain container) a JVM reads its arguments as ASCII and every other byte is lost before {@code
 * main} starts. Linux keeps the bytes in {@code /proc/self/cmdline}. On the way to the child the same loss would happen
 * again, so arguments that are not plain ASCII travel as base64 of their UTF-8 bytes.
 */
public final class Arguments {
    /** The system property that tells the child its arguments are encoded. */
    public static final String ENCODED = "vecformer.launcher.encoded";

    /** Linux refuses a single argument over 128 KB; a long prompt travels in pieces of this many characters. */
    private static final int PIECE = 96 * 1024;
    private static final char MORE = '+';
    private static final char LAST = '=';

    private Arguments() {
    }

    /** The NUL-terminated entries of {@code /proc/self/cmdline}; null where the system has no such file. */
    static List<byte[]> processCommandLine() {
        try (InputStream in = new FileInputStream("/proc/self/cmdline")) {
            ByteArrayOutputStream all = new ByteArrayOutputStream(1024);
            byte[] buffer = new byte[8192];
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                all.write(buffer, 0, n);
            }
            return split(all.toByteArray());
        } catch (IOException e) {
            return null;
        }
    }

    static List<byte[]> split(byte[] commandLine) {
        List<byte[]> entries = new ArrayList<byte[]>();
        int start = 0;
        for (int i = 0; i < commandLine.length; i++) {
            if (commandLine[i] == 0) {
                byte[] entry = new byte[i - start];
                System.arraycopy(commandLine, start, entry, 0, entry.length);
                entries.add(entry);
                start = i + 1;
            }
        }
        return entries;
    }

    /**
     * The arguments as text.
     *
     * @param arguments   as the JVM gave them to main
     * @param commandLine the process's own entries, or null if the system does not tell
     * @param encoding    what the JVM decoded the arguments with ({@code sun.jnu.encoding})
     * @throws BadArgumentException for bytes that are no UTF-8 (and no text in the locale's own encoding), and for
     *                              characters that were lost
     */
    static String[] original(String[] arguments, List<byte[]> commandLine, String encoding)
            throws BadArgumentException {
        String[] original = arguments.clone();
        int offset = commandLine == null ? -1 : commandLine.size() - arguments.length;
        boolean known = offset > 0;
        for (int i = 0; known && i < arguments.length; i++) {
            known = sameAscii(arguments[i], commandLine.get(offset + i));
        }
        for (int i = 0; i < arguments.length; i++) {
            String text = known ? utf8(commandLine.get(offset + i)) : null;
            if (text == null && known && isAsciiOrUtf8(encoding)) {
                throw new BadArgumentException(
                        "argument " + (i + 1) + " is not valid UTF-8: " + printable(arguments[i]));
            }
            if (text == null && arguments[i].indexOf('\uFFFD') >= 0) {
                throw new BadArgumentException(
                        "argument " + (i + 1) + " has characters that this system's encoding (" + encoding
                                + ") lost: " + printable(arguments[i])
                                + "; give the text as @file or - (standard input), in UTF-8");
            }
            if (text != null) {
                original[i] = text;
            }
        }
        return original;
    }

    /**
     * Arguments from a file of options (java @file) are not on the command line as such; then the entries do
     * not match.
     */
    private static boolean sameAscii(String argument, byte[] bytes) {
        boolean ascii = true;
        for (byte b : bytes) {
            ascii &= b > 0;
        }
        if (ascii) {
            return argument.equals(new String(bytes, StandardCharsets.US_ASCII));
        }
        for (int i = 0; i < Math.min(argument.length(), bytes.length) && bytes[i] > 0; i++) {
            if (argument.charAt(i) != bytes[i]) {
                return false;
            }
        }
        return true;
    }

    private static String utf8(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private static boolean isAsciiOrUtf8(String encoding) {
        return encoding == null || encoding.equalsIgnoreCase("UTF-8") || isAscii(encoding);
    }

    /** Whether a JVM that names this encoding runs without a locale. */
    static boolean isAscii(String encoding) {
        return encoding.equalsIgnoreCase("ANSI_X3.4-1968") || encoding.equalsIgnoreCase("US-ASCII")
                || encoding.equalsIgnoreCase("ASCII") || encoding.equals("646");
    }

    private static String printable(String text) {
        StringBuilder shown = new StringBuilder("'");
        for (int i = 0; i < Math.min(text.length(), 60); i++) {
            char c = text.charAt(i);
            shown.append(c >= 0x20 && c < 0x7F ? c : '?');
        }
        return shown.append(text.length() > 60 ? "...'" : "'").toString();
    }

    /**
     * Whether the arguments have to be encoded to survive the way to the child. Windows needs it for more than letters:
     * there, quotes are lost and wildcards expanded a second time.
     */
    static boolean needEncoding(String[] arguments, boolean windows) {
        for (String argument : arguments) {
            for (int i = 0; i < argument.length(); i++) {
                char c = argument.charAt(i);
                boolean plain = windows ? isPlainOnWindows(c) : c < 0x7F;
                if (!plain) {
                    return true;
                }
            }
            if (windows && argument.isEmpty() || argument.length() > PIECE) {
                return true;
            }
        }
        return false;
    }

    private static boolean isPlainOnWindows(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || "-_.,:/=+@".indexOf(c) >= 0;
    }

    static List<String> encode(String[] arguments) {
        List<String> encoded = new ArrayList<String>();
        for (String argument : arguments) {
            String text = Base64.getUrlEncoder().withoutPadding()
                    .encodeToString(argument.getBytes(StandardCharsets.UTF_8));
            int start = 0;
            for (; text.length() - start > PIECE; start += PIECE) {
                encoded.add(MORE + text.substring(start, start + PIECE));
            }
            encoded.add(LAST + text.substring(start));
        }
        return encoded;
    }

    /** In the child: the arguments that {@code encode} was given. */
    public static String[] decode(String[] encoded) {
        List<String> arguments = new ArrayList<String>();
        StringBuilder text = new StringBuilder();
        for (String piece : encoded) {
            text.append(piece, 1, piece.length());
            if (piece.charAt(0) == LAST) {
                arguments.add(new String(Base64.getUrlDecoder().decode(text.toString()), StandardCharsets.UTF_8));
                text.setLength(0);
            }
        }
        return arguments.toArray(new String[0]);
    }
}
