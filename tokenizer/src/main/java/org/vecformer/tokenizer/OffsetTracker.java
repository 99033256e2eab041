package org.vecformer.tokenizer;

/** Walks along a text while its tokens are told one after the other, and notes where each of them lies. */
final class OffsetTracker {
    private final char[] text;
    private final Trim trim;
    private final IntList[] columns = new IntList[6];

    /** The character the walk has reached: its index, code point index and first byte. */
    private int at;
    private int codePointsBefore;
    private int bytesBefore;
    /** Where the next token of the segment starts. */
    private int nextByte;
    /** A space that was put in front of the segment and is not in the text. */
    private int virtualBytes;
    private int tokens;

    /** Whether spaces at the ends of tokens are left out of their offsets, as the ByteLevel post-processor may ask. */
    enum Trim {
        NO,
        /** All leading and trailing spaces. */
        ALL,
        /** All but a single space at the start of the text (the post-processor's add_prefix_space). */
        ALL_BUT_FIRST
    }

    OffsetTracker(char[] text, int capacity, Trim trim) {
        this.text = text;
        this.trim = trim;
        for (int i = 0; i < columns.length; i++) {
            columns[i] = new IntList(capacity);
        }
    }

    /** An id that comes from nowhere in the text. */
    void outside() {
        add(0, 0, 0, 0, 0, 0);
    }

    /** An added token found in the text from start to end. */
    void added(int start, int end) {
        advanceTo(start);
        int codePointStart = codePointsBefore;
        int byteStart = bytesBefore;
        advanceTo(end);
        add(new String(text, start, end - start), start, at, codePointStart, codePointsBefore, byteStart, bytesBefore);
    }

    /** Plain text starts here; {@link #token} follows for each of its tokens. */
    void segment(int start, boolean spacePutInFront) {
        advanceTo(start);
        nextByte = bytesBefore;
        virtualBytes = spacePutInFront ? 1 : 0;
    }

    /** The next token of the segment. */
    void token(String token, int bytes) {
        int notInText = Math.min(virtualBytes, bytes);
        virtualBytes -= notInText;
        int byteStart = nextByte;
        int byteEnd = byteStart + bytes - notInText;
        while (at < text.length && bytesBefore + width() <= byteStart) {
            step();
        }
        int charStart = at;
        int codePointStart = codePointsBefore;
        while (at < text.length && bytesBefore + width() < byteEnd) {
            step();
        }
        int codePoint = at < text.length ? Utf8.codePoint(text, at, text.length) : 0;
        add(token, charStart, at + Character.charCount(codePoint), codePointStart, codePointsBefore + 1, byteStart,
                byteEnd);
        nextByte = byteEnd;
    }

    Offsets offsets() {
        return new Offsets(columns[0].toArray(), columns[1].toArray(), columns[2].toArray(), columns[3].toArray(),
                columns[4].toArray(), columns[5].toArray());
    }

    private void advanceTo(int index) {
        while (at < index) {
            step();
        }
    }

    private void step() {
        int codePoint = Utf8.codePoint(text, at, text.length);
        bytesBefore += Utf8.length(codePoint);
        at += Character.charCount(codePoint);
        codePointsBefore++;
    }

    private int width() {
        return Utf8.length(Utf8.codePoint(text, at, text.length));
    }

    private void add(String token, int charStart, int charEnd, int codePointStart, int codePointEnd, int byteStart,
            int byteEnd) {
        if (trim == Trim.NO) {
            add(charStart, charEnd, codePointStart, codePointEnd, byteStart, byteEnd);
            return;
        }
        int leading = 0;
        int leadingBytes = 0;
        while (leading < token.length() && isSpace(token.charAt(leading))) {
            leadingBytes += spaceBytes(token.charAt(leading++));
        }
        int trailing = 0;
        int trailingBytes = 0;
        while (trailing < token.length() && isSpace(token.charAt(token.length() - 1 - trailing))) {
            trailingBytes += spaceBytes(token.charAt(token.length() - 1 - trailing++));
        }
        if (trim == Trim.ALL_BUT_FIRST && leading == 1 && (tokens == 0 || charStart == 0)) {
            leading = 0;
            leadingBytes = 0;
        }
        int newCharStart = Math.min(charStart + leading, charEnd);
        int newCodePointStart = Math.min(codePointStart + leading, codePointEnd);
        int newByteStart = Math.min(byteStart + leadingBytes, byteEnd);
        add(newCharStart, Math.max(charEnd - trailing, newCharStart), newCodePointStart,
                Math.max(codePointEnd - trailing, newCodePointStart), newByteStart,
                Math.max(byteEnd - trailingBytes, newByteStart));
    }

    private void add(int charStart, int charEnd, int codePointStart, int codePointEnd, int byteStart, int byteEnd) {
        columns[0].add(charStart);
        columns[1].add(charEnd);
        columns[2].add(codePointStart);
        columns[3].add(codePointEnd);
        columns[4].add(byteStart);
        columns[5].add(byteEnd);
        tokens++;
    }

    private static boolean isSpace(char c) {
        return c == ByteAlphabet.symbol(' ') || PreTokenizer.isSpace(c);
    }

    private static int spaceBytes(char c) {
        return c == ByteAlphabet.symbol(' ') ? 1 : Utf8.length(c);
    }
}
