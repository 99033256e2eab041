package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.model.Gpt2;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.tensor.KeyValuePages;
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
        if (session.model().head() != Gpt2.Head.LANGUAGE_MODEL) {
            throw new IllegalArgumentException("the model has a head of type " + session.model().head()
                    + "; generation needs a language model");
        }
        stepper = new Stepper(session);
        candidates = new Candidates(session.model().outputs());
    }

    /**
     * Continues prompts.
     *
     * @param prompts    each of at least one token, and not longer than the model's context
     * @param randomSeed used if the options have no seed
     * @param listener   told each token; sequence s of prompt p has the number p x (sequences of a prompt) + s
     * @param cancelled  asked before each step
     * @return one for each prompt
     */
    public List<GenerationResult> run(List<int[]> prompts, GenerationOptions options, long randomSeed,
            TokenListener listener, BooleanSupplier cancelled) {
        Generation generation = new Generation(session, tokenizer, options, randomSeed, listener, cancelled);
        List<GeneratedSequence> sequences = new ArrayList<>();
        switch (options.strategy()) {
            case DecodingStrategy.GreedySearch _,DecodingStrategy.RandomSampling _ -> {
                if (options.drafting().isEmpty()) {
                    sequences.addAll(new SamplingLoop(generation, stepper, candidates).run(prompts));
                } else {
                    SpeculativeLoop loop = new SpeculativeLoop(generation, stepper, candidates);
                    for (int[] prompt : prompts) {
                        sequences.add(loop.run(prompt, sequences.size(), options.drafting().get()));
                    }
                }
            }
            case DecodingStrategy.BeamSearch beams -> throw new IllegalArgumentException("beams");
            case DecodingStrategy.ContrastiveSearch contrastive -> throw new IllegalArgumentException("contrastive");
        }
        Timing timing = generation.timing(sequences);
        List<GenerationResult> results = new ArrayList<>();
        int each = options.returnSequences();
        for (int p = 0; p < prompts.size(); p++) {
            results.add(new GenerationResult(prompts.get(p), sequences.subList(p * each, (p + 1) * each), timing));
        }
        return results;
    }

    /**
     * How many positions of the cache a call takes, at most: prompts are shared by their continuations.
     *
     * @param contextLength the model's
     */
    public static long cachePositions(List<int[]> prompts, GenerationOptions options, int contextLength) {
        int continuations = options.strategy() instanceof DecodingStrategy.BeamSearch beams
                ? beams.beams()
                : options.strategy() instanceof DecodingStrategy.ContrastiveSearch contrastive
                        ? contrastive.topK()
                        : options.returnSequences();
        long pages = 0;
        for (int[] prompt : prompts) {
            int bound = options.stopping().bound(prompt.length, contextLength);
            int shared = options.useCache() ? prompt.length / KeyValuePages.POSITIONS : 0;
            // A page more for each: a fork that goes on copies the page that it stands in.
            long own = Math.ceilDiv(bound, KeyValuePages.POSITIONS) - shared + (continuations > 1 ? 1 : 0);
            pages += shared + continuations * own;
            if (options.guidance().isPresent()) {
                pages += (long) continuations * Math.ceilDiv(contextLength, KeyValuePages.POSITIONS);
            }
        }
        return pages * KeyValuePages.POSITIONS;
    }
}
