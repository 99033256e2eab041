package org.vecformer.engine.sampler;

/**
 * How much of a step's logits samplers have to see to choose the same token as by all of them. Where the logits lie in a
 * device's memory, the rest need not be carried over.
 */
public sealed interface LogitsNeeded {

    /** Every logit. */
    LogitsNeeded ALL = new All();
    /** Which one is the largest. */
    LogitsNeeded ARG_MAX = new ArgMax();

    /** Every logit. */
    record All() implements LogitsNeeded {}

    /**
     * Only the token with the largest logit, of equal ones the lowest id, NaN counting as negative infinity; not even the
     * logit itself.
     */
    record ArgMax() implements LogitsNeeded {}

    /**
     * The k largest logits and all that equal the k-th after a division of each by the temperature, in float32 (which
     * may round different logits to equal ones). If the k-th is NaN, every logit.
     *
     * @param temperature 1 where there is no division
     */
    record Largest(int k, float temperature) implements LogitsNeeded {

        /**
         * Whether these are among the so many largest.
         *
         * @param values in descending order, the first {@code count} of a step's logits
         */
        public boolean areIn(float[] values, int count) {
            // False if one of the two is NaN.
            return count > k && values[count - 1] / temperature < values[k - 1] / temperature;
        }
    }
}
