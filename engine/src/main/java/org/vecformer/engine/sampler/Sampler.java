package org.vecformer.engine.sampler;

/**
 * One step of choosing a token: changes logits, removes candidates, or selects one of them. The shape (apply, accept,
 * reset, copy; a chain is itself a sampler) is that of llama.cpp's {@code llama_sampler}.
 * <p>
 * For one sequence the calls are: {@link #acceptPrompt} once, then for each new token {@link #apply} and
 * {@link #accept}; {@link #reset} makes the sampler ready for another sequence. Without state only {@code apply} and
 * {@code copy} are to be written. A sampler serves one sequence and is used by one thread at a time; its copies are
 * independent.
 */
public interface Sampler {
    /**
     * Works on the candidates of one step. The token that was chosen in the end comes back by {@link #accept}, perhaps
     * a different one than a sampler selected, and perhaps never (a beam that died), so that this method is not the
     * place to record history.
     */
    void apply(Candidates candidates);

    /**
     * How much of the next step's logits has to be among the candidates that {@link #apply} gets, so that this sampler
     * and those behind it choose as they would by all of them. Asked before each step, when the state of the sampler is
     * that in which it will be applied.
     * <p>
     * All, unless a sampler knows better. One that takes away all but the largest says so, whatever comes behind it; one
     * that does nothing in this step hands on what those behind it need.
     *
     * @param behind what those behind it need; {@link LogitsNeeded#ALL} if there are none
     */
    default LogitsNeeded needs(LogitsNeeded behind) {
        return LogitsNeeded.ALL;
    }

    /**
     * The ids of the prompt, which precede all accepted tokens. Apart from {@link #accept}, because some rules look at
     * prompt and continuation alike (repetition), some only at the continuation (a grammar), some at the length of
     * either.
     */
    default void acceptPrompt(int[] ids) {
    }

    /** The sequence goes on with this token. */
    default void accept(int token) {
    }

    /**
     * Whether the text is complete with what was accepted and nothing may follow, an end token aside: the loop stops
     * here without another step. True of a constraint whose text has come to its only end.
     */
    default boolean isComplete() {
        return false;
    }

    /**
     * Forgets prompt, accepted tokens and everything learned from them; a random generator starts again from its seed.
     */
    default void reset() {
    }

    /** A sampler in the same state as this one, after which neither knows of the other. */
    Sampler copy();
}
