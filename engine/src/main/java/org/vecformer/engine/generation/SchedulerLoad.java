package org.vecformer.engine.generation;

/**
 * How busy a {@link Scheduler} is, for metrics. Each number is right by itself; they are read one after the other while it
 * works.
 *
 * @param queued          requests that wait to be begun
 * @param running         requests that are being worked on
 * @param positionsUsed   positions of the cache that are promised to those
 * @param positionsFree   positions of the cache that are not
 * @param steps           how often the model has run
 * @param promptTokens    tokens of prompts that have been read so far
 * @param generatedTokens tokens that have been written so far
 * @param ended           requests that were begun and have ended so far, for whatever reason
 */
public record SchedulerLoad(int queued, int running, long positionsUsed, long positionsFree, long steps,
        long promptTokens, long generatedTokens, long ended) {}
