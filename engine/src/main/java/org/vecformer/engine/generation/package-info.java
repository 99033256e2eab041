/**
 * Decoding: what to write next, when to stop, and what is told about it.
 * <p>
 * {@link org.vecformer.engine.generation.GenerationOptions} says how to continue a text, in parts: how tokens are chosen
 * ({@link org.vecformer.engine.generation.DecodingStrategy}), what is done with the logits before
 * ({@link org.vecformer.engine.sampler.Sampling}), where the text ends
 * ({@link org.vecformer.engine.generation.Stopping}), what makes it faster
 * ({@link org.vecformer.engine.generation.Drafting}) and what it moves away from
 * ({@link org.vecformer.engine.generation.Guidance}).
 * Tokens may have {@linkplain org.vecformer.engine.generation.TokenTypes types}, such as who speaks. From one generation
 * to the next a {@link org.vecformer.engine.generation.PromptCache} keeps what the model has seen, so that a turn of a
 * conversation computes only what is new in it.
 * <p>
 * {@link org.vecformer.engine.generation.DecodingLoop} does it for models that write from left to right. For each
 * strategy it has a loop: greedy search and random sampling ({@code SamplingLoop}), both with drafts
 * ({@code SpeculativeLoop}), beams ({@code BeamSearchLoop}), contrastive search ({@code ContrastiveSearchLoop}). They
 * share a {@code Stepper}, which takes any number of {@code Context}s (tokens, some of them in the cache) to their end in
 * one packed batch, and a {@code Generation}, which is what one call's options come to. Contexts of the same past share
 * its cache: the continuations of a prompt, and beams.
 * <p>
 * Of the logits no more than is {@code Wanted} is brought from a device's memory to the host's: {@code NextLogits} are
 * which one is largest, the largest few, or all, as the samplers of a context need them
 * ({@link org.vecformer.engine.sampler.LogitsNeeded}).
 * <p>
 * What is written is told to a {@link org.vecformer.engine.generation.TokenListener}, of which a {@code PieceQueue} (in
 * the package {@code call}) makes a stream or a publisher of {@link org.vecformer.engine.generation.TextPiece}s.
 * <p>
 * {@link org.vecformer.engine.generation.Scheduler} does greedy search and random sampling for many threads at once. Its
 * thread takes {@code ScheduledRequest}s, each with a {@code Generation} of its own, from a queue into a {@code
 * ContinuousBatch}, which fills the steps of one session with a row of each text and parts of prompts. What a request
 * writes is in the same {@code Continuations} of a prompt, and their {@code Track}s, as in {@code SamplingLoop}.
 * <p>
 * {@link org.vecformer.engine.generation.MaskedLoop} makes a masked language model write, by the strategies of
 * {@link org.vecformer.engine.generation.MaskStrategy}. All of them choose tokens by the same samplers
 * ({@link org.vecformer.engine.sampler}). Tasks ({@link org.vecformer.engine.task}) put a tokenizer and a session around
 * them.
 * <h2>The same again</h2>
 * A seed, the options and the weights say what is written: random numbers come from {@link java.util.SplittableRandom}'s
 * generator, a stream for each sequence ({@link org.vecformer.engine.generation.GenerationOptions#seedOf}), and the
 * logits have the same bits whatever else is in the batch, on any number of threads and any machine.
 */
package org.vecformer.engine.generation;
