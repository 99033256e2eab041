package org.vecformer.engine.generation;

import org.vecformer.engine.sampler.SamplerChain;

/**
 * A continuation that a beam search goes on with.
 *
 * @param row        its place among all beams of a step
 * @param hypothesis what was written
 * @param context    the same behind the prompt
 * @param processors its samplers, which have accepted what was written
 */
record Beam(int row, Hypothesis hypothesis, GuidedContext context, SamplerChain processors) {}
