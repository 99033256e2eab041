/**
 * The yardstick of every speed: {@link org.vecformer.yardstick.Limits}, which measures the machine,
 * {@link org.vecformer.yardstick.Gpt2Work} and {@link org.vecformer.yardstick.BertWork}, which count what a model reads
 * and computes, and {@link org.vecformer.yardstick.Samples}, medians and shares. {@code gpt2.jar bench} and the
 * benchmarks use the same one.
 */
package org.vecformer.yardstick;
