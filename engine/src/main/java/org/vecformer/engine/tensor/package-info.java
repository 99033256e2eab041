/**
 * Shapes and memory: what kernels compute on.
 * <p>
 * Weights ({@link org.vecformer.engine.tensor.PackedMatrix}, {@link org.vecformer.engine.tensor.PackedVector}) and the
 * key/value cache ({@link org.vecformer.engine.tensor.KeyValuePages}) live off-heap in the arena of their model or
 * session; activations ({@link org.vecformer.engine.tensor.Tensor}) are arrays that a session allocates once. All
 * matrices that a kernel streams have the same row: a panel of 32 floats.
 */
package org.vecformer.engine.tensor;
