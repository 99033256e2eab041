package org.vecformer.tokenizer;

/** One symbol for each UTF-8 byte. */
final class ByteSpelling implements Spelling {
    private final int[] byteIds;

    /** With the ids of all 256 bytes. */
    ByteSpelling(int[] byteIds) {
        this.byteIds = byteIds;
    }

    @Override
    public int count(char[] text, int start, int end) {
        return Math.toIntExact(Utf8.length(text, start, end));
    }

    @Override
    public int spell(char[] text, int start, int end, int[] symbols) {
        int count = 0;
        for (int i = start; i < end; i++) {
            int c = text[i];
            if (c < 0x80) {
                symbols[count++] = byteIds[c];
                continue;
            }
            if (c < 0x800) {
                symbols[count++] = byteIds[0xC0 | c >> 6];
            } else {
                c = Utf8.codePoint(text, i, end);
                if (c < 0x10000) {
                    symbols[count++] = byteIds[0xE0 | c >> 12];
                } else {
                    i++;
                    symbols[count++] = byteIds[0xF0 | c >> 18];
                    symbols[count++] = byteIds[0x80 | c >> 12 & 0x3F];
                }
                symbols[count++] = byteIds[0x80 | c >> 6 & 0x3F];
            }
            symbols[count++] = byteIds[0x80 | c & 0x3F];
        }
        return count;
    }
}
