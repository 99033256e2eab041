package org.vecformer.engine;

/** Which CPU kernels compute. All give the same bits; they differ in speed. */
public enum BackendChoice {
    /**
     * The Vector API where it can be used, otherwise plain Java. It begins in plain Java, until there is work enough to
     * have the vector kernels compiled.
     */
    AUTO,
    /** The Vector API from the first step; an engine cannot be created where it cannot be used. */
    VECTOR,
    /** Plain Java. */
    SCALAR
}
