package org.vecformer.engine.task;

/**
 * How likely a model holds one of several continuations of a prompt to be.
 *
 * @param ids          its tokens
 * @param logprobs     for each of them the natural logarithm of its probability after the prompt and those before it
 * @param sum          of the logprobs: the continuation's log-probability
 * @param ratioToFirst how many times as likely it is as the first continuation: e^(sum - its sum)
 * @param greedy       whether each of its tokens is the most likely one in its place, so that greedy decoding writes it
 */
public record ContinuationScore(int[] ids, double[] logprobs, double sum, double ratioToFirst, boolean greedy) {}
