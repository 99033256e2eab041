package org.vecformer.engine.generation;

/**
 * What was generated. The arrays belong to the caller.
 *
 * @param promptIds    the prompt as the model saw it, after truncation
 * @param ids          the continuation without the prompt; its last id is the end token if that is the finish reason
 * @param text         the continuation's text without special tokens; empty without a tokenizer
 * @param finishReason why it ended
 * @param timing       where the time went
 */
public record GenerationResult(int[] promptIds, int[] ids, String text, FinishReason finishReason, Timing timing) {}
