/**
 * How the next token is chosen from the logits of one step; shared by all models that write text.
 * <p>
 * {@link org.vecformer.engine.sampler.Candidates} is the set of tokens that may still be chosen, with their logits. It
 * is allocated once for a vocabulary and loaded anew each step. A {@link org.vecformer.engine.sampler.Sampler} changes
 * it, in one of three ways:
 * <ul>
 * <li>it moves logits, or forbids tokens ({@link org.vecformer.engine.sampler.Temperature}, the penalties, biases, and
 * rules of what must not come);</li>
 * <li>it removes candidates ({@link org.vecformer.engine.sampler.TopK}, {@link org.vecformer.engine.sampler.TopP} and
 * the other truncations);</li>
 * <li>it selects one ({@link org.vecformer.engine.sampler.Greedy}, {@link org.vecformer.engine.sampler.Multinomial},
 * {@link org.vecformer.engine.sampler.Mirostat}; such a sampler ends a chain).</li>
 * </ul>
 * A {@link org.vecformer.engine.sampler.SamplerChain} runs samplers in the order its user gives, and is a sampler
 * itself. {@link org.vecformer.engine.sampler.Sampling} is what users write: the parameters by name, of which each
 * sequence gets its own chain, in the order of {@link org.vecformer.engine.sampler.SamplerKind} or another. A new
 * sampler is a class here, a constant there, and a method of {@code Sampling}.
 * <p>
 * One step, for one sequence:
 * {@snippet file="org/vecformer/engine/snippets/ModelSnippets.java" region="sample"}
 * Some chains need only a few logits for that, and say which ({@link org.vecformer.engine.sampler.LogitsNeeded}): a step
 * on a device then begins with {@link org.vecformer.engine.sampler.Candidates#load(int[], float[], int)}.
 * <p>
 * Within the package, samplers that look at the text so far are a {@code HistorySampler}, or a {@code LengthSampler} if
 * its length is enough; those that count tokens share {@code TokenCounts}, and those that look for the edge of a mass
 * {@code MassSelection}.
 * <h2>Rules for a sampler</h2>
 * <ul>
 * <li>Its state belongs to one sequence. Whoever needs the state twice (beams that fork, several sequences of one
 * prompt) calls {@link org.vecformer.engine.sampler.Sampler#copy()}; {@code reset()} leaves no trace of what was
 * before.</li>
 * <li>It allocates nothing in {@code apply} and {@code accept} once it has run, but where a text outgrows an array.</li>
 * <li>It never removes the last candidate.</li>
 * <li>A token that is forbidden stays a candidate, with the logit negative infinity; only a truncation removes. Both mean
 * the same to whoever comes later: a token that cannot come. (Hugging Face's arrays are always as long as the vocabulary
 * and have negative infinity for either; the results are the same, but for
 * {@link org.vecformer.engine.sampler.RemoveInvalidValues}, which makes a forbidden token the least likely one and does
 * not bring a removed one back.)</li>
 * <li>If it removes candidates, it keeps the rest in their order, which is that of ids unless somebody sorted. So
 * indexing by id is possible while nothing has been removed, and sums have the same bits however the survivors were
 * found.</li>
 * <li>Where Hugging Face transformers has the same thing, the result is the same: thresholds at the edge, ties, float32
 * rounding.</li>
 * <li>NaN counts as less than negative infinity. If every token is forbidden,
 * {@link org.vecformer.engine.sampler.Greedy} takes the lowest id, and who draws throws.</li>
 * <li>What is random has a stream of its own, from the sequence's seed, and takes one number in each step.</li>
 * </ul>
 */
package org.vecformer.engine.sampler;
