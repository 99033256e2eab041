/**
 * The operations that models are made of, and their CPU implementations; {@link org.vecformer.engine.kernel.opencl} has
 * those of OpenCL devices.
 * <p>
 * {@link org.vecformer.engine.kernel.Ops} is the seam: models call it, backends implement it. A {@link
 * org.vecformer.engine.kernel.Backend} makes a session's ops and the {@link org.vecformer.engine.kernel.WeightMemory} of a
 * model. On the CPU, {@code
 * CpuOps} cuts an op into items for the {@link org.vecformer.engine.kernel.WorkerPool} and calls the inner loops of
 * {@code CpuKernels}, of which there are two: {@code VectorKernels} on the Vector API and {@code ScalarKernels} in
 * plain Java. {@link org.vecformer.engine.kernel.CpuBackend} chooses between them, {@link
 * org.vecformer.engine.kernel.MatrixPacker} brings weights into the kernels' layout. {@code FloatTiles} and {@code
 * NarrowTiles}, the register tiles that nearly all time is spent in, are written by the build from one template, {@code
 * src/build/TileSource.java}: they differ in how many rows they have and in how {@code Widening} makes float32 of the
 * weights; {@code AttentionTiles} is the one for a single query.
 *
 * <h2>The same bits everywhere</h2>
 * A result does not depend on the lane width, on vector or scalar kernels, on threads, or on what else is in the batch,
 * because the order of every floating-point operation is fixed:
 * <ul>
 * <li>Each output of a matrix product is one chain of fused multiply-adds in the order of k. Outputs lie along the
 * lanes, so the width decides how many chains run at once and never how one is added up. The same holds for attention's
 * two products, whose chains run over the head's numbers and over the positions.</li>
 * <li>Weights of all types become float32 exactly before they are multiplied, those of quantized types too: their
 * model has the bits of the float32 model of the numbers that they stand for.</li>
 * <li>Sums over a row (layer norm, softmax) use 16 partial sums and a fixed tree: {@code Sums}.</li>
 * <li>exp, tanh and erf are our own polynomials, the same sequence of operations in {@code ScalarMath} and
 * {@code VectorMath}.</li>
 * </ul>
 * {@code Math.fma} rounds once by definition, as the vector instruction does.
 */
package org.vecformer.engine.kernel;
