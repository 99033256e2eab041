/**
 * Decoding: what to write next, when to stop, and what is told about it.
 * <p>
 * {@link org.vecformer.engine.generation.DecodingLoop} is the loop for models that write from left to right;
 * {@link org.vecformer.engine.generation.MaskedLoop} makes a masked language model write, by the strategies of
 * {@link org.vecformer.engine.generation.MaskStrategy}. Both choose tokens by the same samplers
 * ({@link org.vecformer.engine.sampler}). Tasks ({@link org.vecformer.engine.task}) put a tokenizer and a session around
 * them.
 */
package org.vecformer.engine.generation;
