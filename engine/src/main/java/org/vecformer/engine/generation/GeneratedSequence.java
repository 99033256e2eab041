package org.vecformer.engine.generation;

import java.util.List;
import java.util.OptionalDouble;

/**
 * One continuation of a prompt. The array belongs to the caller.
 *
 * @param ids          its tokens; the last one is the end token if that is the finish reason
 * @param text         its text without special tokens, and cut at a stop text; empty without a tokenizer
 * @param finishReason why it ended
 * @param score        of a beam: the sum of its log-probabilities, as samplers and a diversity penalty changed them,
 *                     divided by (the number of its tokens to the power of the length penalty)
 * @param logprobs     one for each token if {@link GenerationOptions#logprobs()} asked for them, else empty
 */
public record GeneratedSequence(int[] ids, String text, FinishReason finishReason, OptionalDouble score,
        List<TokenScore> logprobs) {}
