package org.vecformer.engine.constraint;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** How the characters of a text are written in bytes. */
enum Characters {
    /** UTF-8. */
    PLAIN {
        @Override
        void add(Network network, int from, CodePoints set, int to) {
            new Utf8(network, to).add(from, set);
        }
    },
    /** UTF-8 between the quotes of a JSON string: what must be escaped is, in the shortest way; nothing else is. */
    JSON {
        @Override
        void add(Network network, int from, CodePoints set, int to) {
            PLAIN.add(network, from, set.and(UNESCAPED), to);
            List<byte[]> escapes = new ArrayList<>();
            for (int c = 0; c <= '\\'; c++) {
                if (set.contains(c) && !UNESCAPED.contains(c)) {
                    escapes.add(escape(c).getBytes(StandardCharsets.US_ASCII));
                }
            }
            network.skip(network.oneOf(from, escapes), to);
        }
    };

    /** What may stand as it is in a JSON string (RFC 8259, section 7). */
    static final CodePoints UNESCAPED = CodePoints.range(0, 0x1F).or(CodePoints.of("\"\\")).not();

    /** One character of a set, between two nodes. */
    abstract void add(Network network, int from, CodePoints set, int to);

    private static String escape(int c) {
        return switch (c) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> "\\u00" + Character.forDigit(c >> 4, 16) + Character.forDigit(c & 15, 16);
        };
    }

    /**
     * A text in UTF-8.
     *
     * @param what names the text in the message if half a surrogate pair is in it
     */
    static byte[] utf8(String text, String what) {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            return Arrays.copyOf(bytes.array(), bytes.limit());
        } catch (CharacterCodingException e) {
            throw new ConstraintException(what + " has half a surrogate pair, which no UTF-8 text can have", e);
        }
    }

    /** A JSON string that is this text, quotes included. */
    static String quoted(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 0x20 || c == '"' || c == '\\') {
                json.append(escape(c));
            } else {
                json.append(c);
            }
        }
        return json.append('"').toString();
    }

    /** Writes ranges of code points as sequences of byte ranges that lead to one node. */
    private static final class Utf8 {
        private final Network network;
        /** By number: the node from which so many bytes 80..BF lead to the end; -1 until it is needed. */
        private final int[] continuations = {-1, -1, -1, -1};

        Utf8(Network network, int to) {
            this.network = network;
            continuations[0] = to;
        }

        void add(int from, CodePoints set) {
            int[] bounds = set.bounds();
            for (int i = 0; i < bounds.length; i += 2) {
                add(from, bounds[i], bounds[i + 1]);
            }
        }

        private void add(int from, int first, int last) {
            for (int limit : new int[]{0x7F, 0x7FF, 0xFFFF}) {
                if (first <= limit && limit < last) {
                    add(from, first, limit);
                    add(from, limit + 1, last);
                    return;
                }
            }
            if (last <= 0x7F) {
                network.bytes(from, first, last, continuations[0]);
                return;
            }
            int length = last <= 0x7FF ? 2 : last <= 0xFFFF ? 3 : 4;
            // Cuts off what does not run through all values of its last bytes.
            for (int bits = 6; bits < 6 * length; bits += 6) {
                int mask = (1 << bits) - 1;
                if ((first & ~mask) != (last & ~mask)) {
                    if ((first & mask) != 0) {
                        add(from, first, first | mask);
                        add(from, (first | mask) + 1, last);
                        return;
                    }
                    if ((last & mask) != mask) {
                        add(from, first, (last & ~mask) - 1);
                        add(from, last & ~mask, last);
                        return;
                    }
                }
            }
            sequence(from, bytes(first), bytes(last));
        }

        private void sequence(int from, byte[] first, byte[] last) {
            int at = from;
            for (int i = 0; i < first.length; i++) {
                int rest = first.length - 1 - i;
                boolean all = true;
                for (int j = i + 1; j < first.length; j++) {
                    all &= first[j] == (byte) 0x80 && last[j] == (byte) 0xBF;
                }
                int next = all ? continuation(rest) : network.node();
                network.bytes(at, first[i] & 0xFF, last[i] & 0xFF, next);
                if (all) {
                    return;
                }
                at = next;
            }
        }

        private int continuation(int count) {
            if (continuations[count] < 0) {
                int node = network.node();
                network.bytes(node, 0x80, 0xBF, continuation(count - 1));
                continuations[count] = node;
            }
            return continuations[count];
        }

        private static byte[] bytes(int codePoint) {
            return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
        }
    }
}
