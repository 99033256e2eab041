package org.vecformer.loader.convert;

/** Is told how far a conversion is, by the thread that converts, after every piece of some megabytes. */
@FunctionalInterface
public interface ConversionProgress {
    /** Tells nobody. */
    ConversionProgress NONE = (_, _) -> {
    };

    /**
     * @param bytes bytes read so far
     * @param total bytes to read; it may change once, when a packed archive inside an archive has been unpacked
     */
    void converted(long bytes, long total);
}
