/**
 * The models, written once against {@link org.vecformer.engine.kernel.Ops} so that they read like their papers.
 * <p>
 * A model ({@link org.vecformer.engine.model.Gpt}, {@link org.vecformer.engine.model.Bert}) is immutable and shared by
 * all threads; what changes belongs to a session that its owner closes.
 * <p>
 * A decoder's {@link org.vecformer.engine.model.Session} holds sequences in the key/value cache. A step takes a {@link
 * org.vecformer.engine.model.Batch} of them packed end to end; prompt processing, decoding, and several sequences at
 * once are the same call.
 * <p>
 * An encoder's {@link org.vecformer.engine.model.EncoderSession} remembers nothing from one run to the next. A run takes
 * an {@link org.vecformer.engine.model.EncoderBatch} of {@link org.vecformer.engine.model.EncoderInput}s packed end to
 * end: tokens that are not attended to take no row, so that padding costs nothing and changes nothing. Heads are
 * computed when their results are asked for.
 */
package org.vecformer.engine.model;
