package org.vecformer.engine.task;

/**
 * How to look for answers. Immutable; each {@code with} method gives a changed copy.
 *
 * @param topK            how many answers
 * @param maxAnswerTokens most tokens of an answer
 * @param maxLength       most tokens of a window: question, part of the context and special ones; 0 for 384, or less
 *                        if tokenizer or model allow less
 * @param stride          tokens of the context that neighbouring windows have in common; 0 for half of their room, but
 *                        at most 128
 * @param nullAnswer      whether "there is no answer" is an answer, for models trained on SQuAD 2
 * @param alignToWords    whether answers are extended to whole words
 */
public record QuestionAnswererOptions(int topK, int maxAnswerTokens, int maxLength, int stride, boolean nullAnswer,
        boolean alignToWords) {

    private static final int DEFAULT_MAX_ANSWER = 15;

    public QuestionAnswererOptions {
        if (topK < 1) {
            throw new IllegalArgumentException("topK is " + topK + "; expected 1 or more");
        }
        if (maxAnswerTokens < 1) {
            throw new IllegalArgumentException("maxAnswerTokens is " + maxAnswerTokens + "; expected 1 or more");
        }
        if (maxLength < 0) {
            throw new IllegalArgumentException("maxLength is " + maxLength + "; expected 0 (automatic) or more");
        }
        if (stride < 0) {
            throw new IllegalArgumentException("stride is " + stride + "; expected 0 (automatic) or more");
        }
    }

    /** One answer of at most 15 tokens, from its first token to its last, whatever words they are in. */
    public static QuestionAnswererOptions defaults() {
        return new QuestionAnswererOptions(1, DEFAULT_MAX_ANSWER, 0, 0, false, false);
    }

    public QuestionAnswererOptions withTopK(int topK) {
        return new QuestionAnswererOptions(topK, maxAnswerTokens, maxLength, stride, nullAnswer, alignToWords);
    }

    public QuestionAnswererOptions withMaxAnswerTokens(int maxAnswerTokens) {
        return new QuestionAnswererOptions(topK, maxAnswerTokens, maxLength, stride, nullAnswer, alignToWords);
    }

    public QuestionAnswererOptions withMaxLength(int maxLength) {
        return new QuestionAnswererOptions(topK, maxAnswerTokens, maxLength, stride, nullAnswer, alignToWords);
    }

    public QuestionAnswererOptions withStride(int stride) {
        return new QuestionAnswererOptions(topK, maxAnswerTokens, maxLength, stride, nullAnswer, alignToWords);
    }

    public QuestionAnswererOptions withNullAnswer(boolean nullAnswer) {
        return new QuestionAnswererOptions(topK, maxAnswerTokens, maxLength, stride, nullAnswer, alignToWords);
    }

    public QuestionAnswererOptions withAlignToWords(boolean alignToWords) {
        return new QuestionAnswererOptions(topK, maxAnswerTokens, maxLength, stride, nullAnswer, alignToWords);
    }
}
