/**
 * Shapes and memory: what kernels compute on.
 * <p>
 * Models and sessions see interfaces, {@link org.vecformer.engine.tensor.Tensor} (activations), {@link
 * org.vecformer.engine.tensor.WeightMatrix}, {@link org.vecformer.engine.tensor.WeightVector} and {@link
 * org.vecformer.engine.tensor.KeyValueMemory}: each is made by the backend that alone can compute with it. On the CPU
 * weights ({@link org.vecformer.engine.tensor.PackedMatrix}, {@link org.vecformer.engine.tensor.PackedVector}) and the
 * key/value cache ({@link org.vecformer.engine.tensor.KeyValuePages}) live off-heap in the memory of their model or
 * session, activations ({@link org.vecformer.engine.tensor.HeapTensor}) in arrays that a session allocates once; on a
 * device all three are buffers there, weights and cache in the same layout. All matrices that a kernel streams have the
 * same row: a panel of 32 numbers.
 */
package org.vecformer.engine.tensor;
