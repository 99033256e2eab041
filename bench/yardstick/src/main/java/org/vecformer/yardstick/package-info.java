/**
 * The yardstick of every speed: {@link org.vecformer.yardstick.Limits}, which measures what computes, the CPU or a device,
 * {@link org.vecformer.yardstick.GptWork} and {@link org.vecformer.yardstick.BertWork}, which count what a model reads
 * and computes, {@link org.vecformer.yardstick.Samples}, medians and shares, and {@link org.vecformer.yardstick.KernelTimes}, a
 * device's time by kernel. {@code gpt2.jar bench} and the
 * benchmarks use the same one.
 */
package org.vecformer.yardstick;
