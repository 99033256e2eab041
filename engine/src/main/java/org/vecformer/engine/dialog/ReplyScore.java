package org.vecformer.engine.dialog;

/**
 * What a model thinks of a reply to a dialog.
 *
 * @param choice  the logit of its next-utterance head; NaN if it has none
 * @param logprob the natural logarithm of the reply's probability, what ends it included; NaN if it was not asked for
 * @param tokens  how many tokens that are
 */
record ReplyScore(double choice, double logprob, int tokens) {

    /** What replies are ranked by: the choice, or where there is none the mean log-probability of a token. */
    double rank() {
        return Double.isNaN(choice) ? logprob / tokens : choice;
    }
}
