package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Greedy;
import org.vecformer.engine.sampler.LogitsNeeded;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.SamplingContext;
import org.vecformer.tokenizer.Tokenizer;

/** One call for continuations: its options, what they come to, and who is told. */
final class Generation {

    private final Session session;
    private final Tokenizer tokenizer;
    private final GenerationOptions options;
    private final TokenListener listener;
    private final Interruption interruption;
    private final StopTexts stopTexts;
    private final int[] endTokens;
    private final long seed;
    private final TokenScorer scorer;
    private final long start = System.nanoTime();
    private long promptDone = start;
    private long promptSteps;
    private Wanted wanted;

    /**
     * @param tokenizer  null if no text is wanted
     * @param randomSeed used if the options have no seed
     */
    Generation(Session session, Tokenizer tokenizer, GenerationOptions options, long randomSeed,
            TokenListener listener, Supplier<FinishReason> end) {
        options.check();
        this.session = session;
        promptSteps = session.steps();
        this.tokenizer = tokenizer;
        this.options = options;
        this.listener = listener;
        Stopping stopping = options.stopping();
        interruption = new Interruption(end, stopping.maxTime());
        stopTexts = new StopTexts(stopping.stopTexts());
        if (tokenizer == null && !stopping.stopTexts().isEmpty()) {
            throw new IllegalArgumentException("stop texts need a tokenizer, and there is none");
        }
        endTokens = stopping.sortedEndTokens();
        seed = options.strategy().seed().orElse(randomSeed);
        scorer = options.logprobs().isPresent()
                ? new TokenScorer(session.model().outputs(), options.logprobs().getAsInt())
                : null;
        wanted = new Wanted(LogitsNeeded.ALL, options.logprobs().orElse(-1));
    }

    GenerationOptions options() {
        return options;
    }

    TokenListener listener() {
        return listener;
    }

    Interruption interruption() {
        return interruption;
    }

    /** Sorted; not to be changed. */
    int[] endTokens() {
        return endTokens;
    }

    StopTexts stopTexts() {
        return stopTexts;
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    /** How many tokens prompt and continuation may have together. */
    int bound(int[] prompt) {
        return options.stopping().bound(prompt.length, session.model().config().contextLength());
    }

    TextStream newTextStream() {
        return new TextStream(tokenizer, stopTexts, options.stopping().includeStop(), endTokens);
    }

    /** The seed of a sequence of each prompt. */
    long seed(int sequence) {
        return GenerationOptions.seedOf(seed, sequence);
    }

    /** What is done to the logits of one sequence of a prompt, the choice not included; it knows the prompt. */
    SamplerChain processors(int[] prompt, int sequence, int minTokensToKeep) {
        SamplerChain chain = options.sampling().processors(
                new SamplingContext(bound(prompt), endTokens, minTokensToKeep, seed(sequence)),
                options.strategy().drawsTokens());
        chain.acceptPrompt(prompt);
        return chain;
    }

    /** The samplers of one sequence of a prompt, the choice included. */
    Sampler sampler(int[] prompt, int sequence) {
        Sampler choice = options.strategy().drawsTokens() ? options.sampling().draw(seed(sequence)) : new Greedy();
        choice.acceptPrompt(prompt);
        return SamplerChain.of(processors(prompt, sequence, 1), choice);
    }

    /**
     * Why a continuation ends with the last token of its context; null if it goes on.
     *
     * @param text    of all its tokens; may be null if not {@link #endsByText}
     * @param sampler its sampler, which has accepted the token
     */
    FinishReason reasonToEnd(Context context, int promptLength, TextStream text, Sampler sampler) {
        if (Arrays.binarySearch(endTokens, context.last()) >= 0) {
            return FinishReason.EOS;
        }
        StopCondition condition = options.stopping().condition();
        if (text != null && text.isStopped() || sampler.isComplete()
                || condition != StopCondition.NEVER && condition.isMet(context.idsFrom(promptLength), text.text())) {
            return FinishReason.STOP;
        }
        return context.isFull() ? FinishReason.LENGTH : null;
    }

    /** Whether anything looks at the text to see whether it ends. */
    boolean endsByText() {
        return !stopTexts.texts().isEmpty() || options.stopping().condition() != StopCondition.NEVER;
    }

    /** What is wanted of a step's logits where these samplers, in their present state, choose. */
    Wanted wanted(Sampler sampler) {
        if (options.guidance().isPresent()) {
            return Wanted.ALL;
        }
        LogitsNeeded needed = sampler.needs(LogitsNeeded.ALL);
        // Hardly ever another one than in the step before, and a step is to cost no memory.
        if (!needed.equals(wanted.toChoose())) {
            wanted = new Wanted(needed, options.logprobs().orElse(-1));
        }
        return wanted;
    }

    /** The score to be told for a token; null if none is. */
    TokenScore score(NextLogits next, int id) {
        return scorer == null ? null : scorer.score(next, id);
    }

    /** The score to be told for a token; null if none is. */
    TokenScore score(float[] logits, int id) {
        return scorer == null ? null : scorer.score(logits, id);
    }

    /**
     * A continuation of a prompt, of which nothing has been read but what is in a prompt cache.
     *
     * @param sequence its number; the first one of this prompt
     */
    Track openTrack(Stepper stepper, int sequence, int[] prompt) {
        return track(openContext(stepper, prompt), sequence, prompt, 0);
    }

    /** Another continuation of the same prompt, of which nothing has been written yet. */
    Track fork(Stepper stepper, Track first, int[] prompt, int number) {
        return track(first.guided().fork(stepper), first.sequence() + number, prompt, number);
    }

    private Track track(GuidedContext context, int sequence, int[] prompt, int number) {
        try {
            return new Track(this, sequence, context, prompt.length, sampler(prompt, number));
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
    }

    /** The prompt and, with guidance, the negative prompt, with all the memory for what may be written behind them. */
    GuidedContext openContext(Stepper stepper, int[] prompt) {
        int bound = bound(prompt);
        int[] negativePrompt = options.guidance().map(guidance -> negativePrompt(guidance, prompt)).orElse(null);
        Context context = stepper.reserved(context(prompt, bound));
        try {
            return new GuidedContext(context, negativePrompt == null
                    ? null
                    : stepper.reserved(new Context(session.newSequence(), negativePrompt, null,
                            bound - prompt.length + negativePrompt.length)));
        } catch (RuntimeException | Error e) {
            context.close();
            throw e;
        }
    }

    private Context context(int[] prompt, int bound) {
        int[] types = options.tokenTypes().map(each -> each.upTo(bound)).orElse(null);
        return options.promptCache().map(cache -> cache.lend(prompt, types, bound, options.useCache()))
                .orElseGet(() -> new Context(session.newSequence(), prompt, types, bound));
    }

    private int[] negativePrompt(Guidance guidance, int[] prompt) {
        int[] negative = guidance.negativePrompt();
        int[] ids = negative.length > 0 ? negative : Arrays.copyOfRange(prompt, prompt.length - 1, prompt.length);
        int most = session.model().config().contextLength() - (bound(prompt) - prompt.length);
        if (ids.length > most) {
            throw new PromptTooLongException("the negative prompt has " + ids.length + " tokens, and "
                    + (bound(prompt) - prompt.length) + " more are to be written: the model's context length leaves "
                    + most + " for it");
        }
        return ids;
    }

    /** The first step is done; of several calls the first one counts. */
    void promptIsDone() {
        if (promptDone == start) {
            promptDone = System.nanoTime();
            promptSteps = session.steps();
        }
    }

    Timing timing(List<List<GeneratedSequence>> sequences) {
        int tokens = sequences.stream().flatMap(List::stream).mapToInt(sequence -> sequence.ids().length).sum();
        return new Timing((promptDone - start) / 1e9, (System.nanoTime() - promptDone) / 1e9, tokens,
                session.steps() - promptSteps);
    }
}
