/**
 * How the next token is chosen from the logits of one step; shared by all models that write text.
 * <p>
 * {@link org.vecformer.engine.sampler.Candidates} is the set of tokens that may still be chosen, with their logits. It
 * is allocated once for a vocabulary and loaded anew each step. A {@link org.vecformer.engine.sampler.Sampler} changes
 * it: it moves logits ({@link org.vecformer.engine.sampler.Temperature}), removes candidates
 * ({@link org.vecformer.engine.sampler.TopK}, {@link org.vecformer.engine.sampler.TopP}) or selects one
 * ({@link org.vecformer.engine.sampler.Greedy}, {@link org.vecformer.engine.sampler.Multinomial}; such a sampler ends a
 * chain). A {@link org.vecformer.engine.sampler.SamplerChain} runs samplers in the order its user gives, and is a
 * sampler itself.
 * <p>
 * One step, for one sequence:
 * <pre>{@code
 * session.logits(row, candidates.logits());
 * candidates.fill();
 * chain.apply(candidates);
 * int token = candidates.selectedToken();
 * chain.accept(token);
 * }</pre>
 * <h2>Rules for a sampler</h2>
 * <ul>
 * <li>Its state belongs to one sequence. Whoever needs the state twice (beams that fork, several sequences of one
 * prompt) calls {@link org.vecformer.engine.sampler.Sampler#copy()}; {@code reset()} leaves no trace of what was
 * before.</li>
 * <li>It allocates nothing in {@code apply} and {@code accept} once it has run.</li>
 * <li>It never removes the last candidate.</li>
 * <li>If it removes candidates, it keeps the rest in their order, which is that of ids unless somebody sorted. So
 * indexing by id is possible while nothing has been removed, and sums have the same bits however the survivors were
 * found.</li>
 * <li>Where Hugging Face transformers has the same thing, the result is the same: thresholds at the edge, ties, float32
 * rounding.</li>
 * <li>A logit of negative infinity is a token that cannot come. NaN counts as less than that.</li>
 * </ul>
 */
package org.vecformer.engine.sampler;
