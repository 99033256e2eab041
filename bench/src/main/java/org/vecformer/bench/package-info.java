/**
 * Speed: JMH benchmarks of the ops, with a scalar, a vector and an OpenCL twin of each ({@link
 * org.vecformer.bench.Twin}), and the speed of a whole model as a share of what the machine can do.
 * <p>
 * {@link org.vecformer.bench.SpeedReport} is the program to begin with, for GPT-2, and
 * {@link org.vecformer.bench.EncoderReport} for BERT; for a GPU that is {@link org.vecformer.bench.DeviceReport}.
 * {@link org.vecformer.bench.ServingReport} puts requests of many clients at once beside one at a time. They
 * measure the machine's
 * {@link org.vecformer.yardstick.Limits} and the model in turn, in one process, so that a noisy machine disturbs both
 * alike. {@code src/peers} (profile {@code peers}) puts other libraries beside ours in the same way: {@code
 * OnnxReport} and {@code TokenizerPeersReport}. {@link org.vecformer.bench.TargetsReport}, and {@code
 * TargetsPeersReport} with peers, prints what was to be reached and what was, as one table of rows
 * ({@link org.vecformer.bench.Target}): each part of it asks one of the other reports. No benchmark needs a downloaded model: {@link org.vecformer.bench.RandomModel} makes one of the right shape. Every
 * benchmark checks what it computes, against plain loops in double or against itself in another way that must have the
 * same bits, before and after it was timed, so that wrong code is never called fast.
 * <p>
 * There is no module here: on the class path the engine's kernels can be reached, which users of the library cannot.
 */
package org.vecformer.bench;
