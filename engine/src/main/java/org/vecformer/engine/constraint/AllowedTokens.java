package org.vecformer.engine.constraint;

/**
 * The caller's own rule of what may come next, as Hugging Face's {@code prefix_allowed_tokens_fn}. It is asked once for
 * each token of each sequence, by the thread that decodes.
 */
@FunctionalInterface
public interface AllowedTokens {
    /**
     * The ids that may follow; at least one, in any order. A text ends only where an end token is among them.
     *
     * @param ids the whole sequence, prompt and continuation; a copy
     */
    int[] after(int[] ids);
}
