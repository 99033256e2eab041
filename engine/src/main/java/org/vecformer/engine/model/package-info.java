/**
 * The models, written once against {@link org.vecformer.engine.kernel.Ops} so that they read like their papers.
 * <p>
 * A model ({@link org.vecformer.engine.model.Gpt2}) is immutable and shared by all threads. A
 * {@link org.vecformer.engine.model.Session} holds what changes: sequences in the key/value cache and scratch memory. A
 * step takes a {@link org.vecformer.engine.model.Batch} of sequences packed end to end; prompt processing, decoding,
 * and several sequences at once are the same call.
 */
package org.vecformer.engine.model;
