/**
 * Decoding: what to write next, when to stop, and what is told about it.
 * <p>
 * {@link org.vecformer.engine.generation.DecodingLoop} is the loop itself; tasks ({@link org.vecformer.engine.task})
 * put a tokenizer and a session around it.
 */
package org.vecformer.engine.generation;
