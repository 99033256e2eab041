package org.vecformer.engine.generation;

import org.vecformer.engine.QueueFullException;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.SessionOptions;

/**
 * How much a {@link Scheduler} takes on. Immutable; each {@code with} method gives a changed copy.
 *
 * @param maxQueued      the most requests that wait to be begun; one more gets a {@link QueueFullException}
 * @param cacheTokens    positions of the key/value cache for all texts that are written at once, each with its prompt; 0
 *                       for eight of the model's context length. A request is begun when as many as it may ever need are
 *                       free, so that no text that was begun fails for want of memory
 * @param maxBatchTokens the most rows of one step, and so the most texts that are written at once
 * @param promptTokens   the most rows of a step in which prompts are read while other texts are written: more bring a
 *                       request's first token sooner, and the next tokens of the others later
 * @param cacheType      how keys and values are kept, as in {@link SessionOptions}
 */
public record SchedulerOptions(int maxQueued, long cacheTokens, int maxBatchTokens, int promptTokens,
        WeightType cacheType) {

    private static final int DEFAULT_QUEUE = 256;
    private static final int DEFAULT_PROMPT_ROWS = 64;
    private static final int DEFAULT_CONTEXTS = 8;

    public SchedulerOptions {
        if (maxQueued < 1) {
            throw new IllegalArgumentException("maxQueued is " + maxQueued + "; expected at least 1");
        }
        if (promptTokens < 1) {
            throw new IllegalArgumentException("promptTokens is " + promptTokens + "; expected at least 1");
        }
        // Checks the rest.
        new SessionOptions(cacheTokens, maxBatchTokens, cacheType);
    }

    /**
     * 256 requests that wait, a cache of eight contexts, steps of up to 128 rows, 64 of them for prompts while texts are
     * written.
     */
    public static SchedulerOptions defaults() {
        SessionOptions session = SessionOptions.defaults();
        return new SchedulerOptions(DEFAULT_QUEUE, 0, session.maxBatchTokens(), DEFAULT_PROMPT_ROWS,
                session.cacheType());
    }

    public SchedulerOptions withMaxQueued(int maxQueued) {
        return new SchedulerOptions(maxQueued, cacheTokens, maxBatchTokens, promptTokens, cacheType);
    }

    public SchedulerOptions withCacheTokens(long cacheTokens) {
        return new SchedulerOptions(maxQueued, cacheTokens, maxBatchTokens, promptTokens, cacheType);
    }

    public SchedulerOptions withMaxBatchTokens(int maxBatchTokens) {
        return new SchedulerOptions(maxQueued, cacheTokens, maxBatchTokens, promptTokens, cacheType);
    }

    public SchedulerOptions withPromptTokens(int promptTokens) {
        return new SchedulerOptions(maxQueued, cacheTokens, maxBatchTokens, promptTokens, cacheType);
    }

    public SchedulerOptions withCacheType(WeightType cacheType) {
        return new SchedulerOptions(maxQueued, cacheTokens, maxBatchTokens, promptTokens, cacheType);
    }

    /** Of the scheduler's session. */
    SessionOptions session(int contextLength) {
        return new SessionOptions(cacheTokens == 0 ? (long) DEFAULT_CONTEXTS * contextLength : cacheTokens,
                maxBatchTokens, cacheType);
    }
}
