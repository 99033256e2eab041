package org.vecformer.tokenizer;

/** What the offsets of an {@link Encoding} count. */
public enum OffsetUnit {
    /** UTF-16 units, the indices of a Java string. */
    CHARS,
    /** Unicode code points, the indices of a Python string. */
    CODE_POINTS,
    /** Bytes of the text in UTF-8. */
    BYTES
}
