package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Continues prompts by any {@link DecodingStrategy}: the model gives logits, the samplers change them, the strategy
 * chooses, until something ends the text. Holds the buffers that this takes, so that a token costs no memory but its own;
 * used by one thread at a time.
 */
public final class DecodingLoop {

    private final Session session;
    private final Tokenizer tokenizer;
    private final Stepper stepper;
    private final Candidates candidates;

    /**
     * A loop on a session that nobody else uses meanwhile.
     *
     * @param tokenizer the model's; null if no text is wanted
     */
    public DecodingLoop(Session session, Tokenizer tokenizer) {
        this.session = session;
        this.tokenizer = tokenizer;
        checkLanguageModel(session.model());
        stepper = new Stepper(session);
        candidates = new Candidates(session.model().outputs());
    }

    static void checkLanguageModel(Gpt model) {
        if (!model.isLanguageModel()) {
            throw new IllegalArgumentException(
                    "the model has a head of type " + model.head() + "; generation needs a language model");
        }
    }

    /**
     * Continues prompts.
     *
     * @param prompts    each of at least one token, and not longer than the model's context
     * @param randomSeed used if the options have no seed
     * @param listener   told each token; sequence s of prompt p has the number p x (sequences of a prompt) + s
     * @param end        asked before each step, and between the layers of a step, why the generation shall end now; null for
     *                   going on. It may throw, which ends the generation and reaches the caller
     * @return one for each prompt
     */
    public List<GenerationResult> run(List<int[]> prompts, GenerationOptions options, long randomSeed,
            TokenListener listener, Supplier<FinishReason> end) {
        options.check(prompts, session);
        Generation generation = new Generation(session, tokenizer, options, randomSeed, listener, end);
        List<List<GeneratedSequence>> sequences = switch (options.strategy()) {
            case DecodingStrategy.GreedySearch _,DecodingStrategy.RandomSampling _ -> options.drafting()
                    .map(drafting -> oneByOne(prompts, options,
                            new SpeculativeLoop(generation, stepper, candidates, drafting)::run))
                    .orElseGet(() -> new SamplingLoop(generation, stepper, candidates).run(prompts));
            case DecodingStrategy.BeamSearch beams ->
                oneByOne(prompts, options, new BeamSearchLoop(generation, stepper, candidates, beams)::run);
            case DecodingStrategy.ContrastiveSearch contrastive ->
                oneByOne(prompts, options,
                        new ContrastiveSearchLoop(generation, stepper, candidates, contrastive)::run);
        };
        Timing timing = generation.timing(sequences);
        List<GenerationResult> results = new ArrayList<>();
        for (int p = 0; p < prompts.size(); p++) {
            results.add(new GenerationResult(prompts.get(p), sequences.get(p), timing));
        }
        return results;
    }

    /** Continues a prompt; the number is that of its first sequence, for the listener. */
    private interface PromptLoop {
        List<GeneratedSequence> run(int[] prompt, int sequence);
    }

    private static List<List<GeneratedSequence>> oneByOne(List<int[]> prompts, GenerationOptions options,
            PromptLoop loop) {
        List<List<GeneratedSequence>> sequences = new ArrayList<>();
        for (int[] prompt : prompts) {
            sequences.add(loop.run(prompt, sequences.size() * options.returnSequences()));
        }
        return sequences;
    }

    /**
     * How many positions of the cache a call takes, at most: prompts are shared by their continuations. What a prompt
     * cache of the call holds is among them.
     *
     * @param contextLength the model's
     */
    public static long cachePositions(List<int[]> prompts, GenerationOptions options, int contextLength) {
        long all = 0;
        long largest = 0;
        for (int[] prompt : prompts) {
            long pages = pages(prompt, options, contextLength);
            all += pages;
            largest = Math.max(largest, pages);
        }
        boolean together = options.drafting().isEmpty() && options.isPlain();
        return (together ? all : largest) * KeyValueMemory.POSITIONS;
    }

    private static long pages(int[] prompt, GenerationOptions options, int contextLength) {
        int bound = options.stopping().bound(prompt.length, contextLength);
        if (options.strategy() instanceof DecodingStrategy.ContrastiveSearch contrastive) {
            // The tokens that are looked at share all pages but the one that they are written to.
            return pages(options.useCache() ? bound - 1 : 0, bound, contrastive.topK());
        }
        int continuations = options.strategy() instanceof DecodingStrategy.BeamSearch beams
                ? beams.beams()
                : options.returnSequences();
        long pages = pages(options.useCache() ? prompt.length : 0, bound, continuations);
        if (options.guidance().isPresent()) {
            int negative = Math.max(1, options.guidance().get().negativePrompt().length);
            pages += pages(options.useCache() ? negative : 0, bound - prompt.length + negative, continuations);
        }
        return pages;
    }

    /** Of so many sequences that have their first positions in common. */
    private static long pages(int common, int length, int sequences) {
        long shared = common / KeyValueMemory.POSITIONS;
        return shared + sequences * (Math.ceilDiv(length, KeyValueMemory.POSITIONS) - shared);
    }
}
