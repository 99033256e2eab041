package org.vecformer.engine.generation;

/** A caller's own reason to end a continuation, asked after each of its tokens on the generating thread. */
@FunctionalInterface
public interface StopCondition {

    /** Never ends one. */
    StopCondition NEVER = (_, _) -> false;

    /**
     * Whether the continuation ends here, with {@link FinishReason#STOP}.
     *
     * @param ids  the tokens of the continuation, the last one included; not to be changed
     * @param text their text as far as its characters are complete; empty without a tokenizer
     */
    boolean isMet(int[] ids, CharSequence text);
}
