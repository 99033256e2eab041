package org.vecformer.engine.task;

/**
 * How a text is scored that may be longer than the model's context. Immutable; each {@code with} method gives a changed
 * copy.
 * <p>
 * Windows are those of Hugging Face's guide "Perplexity of fixed-length models": they begin at 0, {@code stride}, 2 x
 * {@code stride} ..., and each scores the tokens that no window before it had. So every token is scored once, with at
 * least {@code window - stride} tokens before it in its window if the text has as many. With {@code stride = window}
 * the first token of each window has none, and no score. All scored tokens have the same weight in a mean; the guide's
 * program gives windows but the first the weight of one token less, which changes the fifth digit of a perplexity.
 *
 * @param window     tokens that the model sees at once, from 2 on; 0 for the model's context length
 * @param stride     how far a window lies behind the one before it, 1 to {@code window}; 0 for half the window. The
 *                   work grows with {@code window / stride}
 * @param beginToken whether the model's begin token ({@code bos_token_id}) is put before a text, so that its first
 *                   token is scored, too
 */
public record ScoringOptions(int window, int stride, boolean beginToken) {

    public ScoringOptions {
        if (window < 0 || window == 1) {
            throw new IllegalArgumentException(
                    "window is " + window + "; expected at least 2, or 0 for the model's context length");
        }
        if (stride < 0 || (window > 0 && stride > window)) {
            throw new IllegalArgumentException("stride is " + stride + "; expected 1 to the window's "
                    + (window == 0 ? "length" : window + " tokens") + ", or 0 for half of it");
        }
    }

    /** Windows of the context length that lie half over each other; no begin token. */
    public static ScoringOptions defaults() {
        return new ScoringOptions(0, 0, false);
    }

    public ScoringOptions withWindow(int window) {
        return new ScoringOptions(window, stride, beginToken);
    }

    public ScoringOptions withStride(int stride) {
        return new ScoringOptions(window, stride, beginToken);
    }

    public ScoringOptions withBeginToken(boolean beginToken) {
        return new ScoringOptions(window, stride, beginToken);
    }

    /**
     * These options with the numbers that 0 stands for.
     *
     * @throws IllegalArgumentException if the window is longer than the context, or the stride longer than the window
     */
    public ScoringOptions resolve(int contextLength) {
        int size = window == 0 ? contextLength : window;
        if (size > contextLength) {
            throw new IllegalArgumentException(
                    "window is " + size + "; the model's context length is " + contextLength);
        }
        return new ScoringOptions(size, stride == 0 ? Math.max(1, size / 2) : stride, beginToken);
    }
}
