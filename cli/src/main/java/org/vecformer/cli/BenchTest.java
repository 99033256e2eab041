package org.vecformer.cli;

import org.vecformer.yardstick.Limit;

/**
 * A test of {@code bench}.
 *
 * @param name as the result names it
 * @param tokens of all sequences together
 * @param run what is timed
 * @param limit what bounds it
 * @param workPerToken bytes or operations, whichever the limit is about; 0 if nobody has counted them
 * @param firstToken whether a run's end is when the first new token can be chosen
 */
record BenchTest(String name, long tokens, Runnable run, Limit limit, double workPerToken, boolean firstToken) {}
