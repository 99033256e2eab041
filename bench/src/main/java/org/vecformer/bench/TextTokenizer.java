package org.vecformer.bench;

/** A tokenizer under measurement, on one thread. */
interface TextTokenizer extends AutoCloseable {

    /** The library, and what it makes of a text. */
    String name();

    /** Tokenizes a text and returns the number of ids, so that nobody has to copy them. */
    int count(String text);

    /** The ids of a text, special tokens included. */
    int[] ids(String text);

    @Override
    default void close() {
    }
}
