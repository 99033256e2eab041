package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderBatch;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;

/**
 * Writes with a masked language model: masks are put into the sequence, the model gives logits for one of them, the
 * sampler chooses. Holds the buffers that this takes; used by one thread at a time.
 */
public final class MaskedLoop {

    private final EncoderSession session;
    private final Candidates candidates;
    private final int contextLength;
    private final int maskId;
    private final int separatorId;
    private final int[] forbidden;

    /**
     * A loop on a session that nobody else uses meanwhile.
     *
     * @param maskId      the token that stands for a gap
     * @param separatorId the token that ends a text
     * @param forbidden   tokens that are never chosen; others must be left
     */
    public MaskedLoop(EncoderSession session, int maskId, int separatorId, int... forbidden) {
        this.session = session;
        this.maskId = maskId;
        this.separatorId = separatorId;
        candidates = new Candidates(session.model().outputs(Head.MASKED_LM));
        contextLength = session.model().config().contextLength();
        this.forbidden = Arrays.stream(forbidden).filter(id -> id < candidates.vocabularySize()).toArray();
    }

    /**
     * What a run wrote.
     *
     * @param input the whole sequence in the end
     * @param ids   the tokens that were chosen, in the order of choice
     */
    public record Outcome(EncoderInput input, int[] ids, FinishReason reason, Timing timing) {}

    /**
     * Continues a text: so many masks stand before its last separator, the first one gets a token, and again. With one
     * mask this is the naive way.
     *
     * @param stopTokens tokens that end it; sorted
     * @param listener   told each token
     * @param end        why it shall end now; null for going on: see {@link DecodingLoop#run}
     * @throws PromptTooLongException if not even the first masks fit
     */
    public Outcome extend(EncoderInput start, int masks, int maxNewTokens, int[] stopTokens, Sampler sampler,
            IntConsumer listener, Supplier<FinishReason> end) {
        if (maxNewTokens > 0 && start.length() + masks > contextLength) {
            throw new PromptTooLongException("the text has " + start.length() + " tokens with special ones, the model's"
                    + " context length is " + contextLength + ": no room for " + masks + " masks; shorten it");
        }
        sampler.acceptPrompt(start.ids());
        int[] gap = new int[masks];
        Arrays.fill(gap, maskId);
        Interruption interruption = new Interruption(end, Optional.empty());
        Clock clock = new Clock();
        int[] written = new int[Math.min(maxNewTokens, contextLength)];
        int count = 0;
        EncoderInput input = start;
        FinishReason reason = FinishReason.LENGTH;
        while (count < maxNewTokens && input.length() + masks <= contextLength) {
            EncoderInput masked = input.insertBeforeLast(separatorId, gap);
            // The first mask: what stood there before is a separator, padding or nothing, never a mask.
            int id = choose(masked, Arrays.mismatch(input.ids(), masked.ids()), sampler, clock, interruption);
            if (id < 0) {
                reason = interruption.reason();
                break;
            }
            input = input.insertBeforeLast(separatorId, id);
            written[count++] = id;
            listener.accept(id);
            if (Arrays.binarySearch(stopTokens, id) >= 0) {
                reason = FinishReason.STOP;
                break;
            }
        }
        return new Outcome(input, Arrays.copyOf(written, count), reason, clock.timing(count));
    }

    /**
     * Gives positions new tokens over and over: each time one of them becomes a mask and gets a token, given all
     * others.
     *
     * @param positions in ascending order; at least one
     * @param seed      of the order of the positions
     * @param sampler   one that counts iterations by the tokens it accepts
     * @param listener  told each token
     * @param end       why it shall end now; null for going on: see {@link DecodingLoop#run}
     */
    public Outcome resample(EncoderInput start, int[] positions, int iterations, ResampleOrder order, long seed,
            Sampler sampler, IntConsumer listener, Supplier<FinishReason> end) {
        sampler.acceptPrompt(start.ids());
        // Not the sampler's numbers, which would couple where and what.
        SplittableRandom random = new SplittableRandom(seed).split();
        Interruption interruption = new Interruption(end, Optional.empty());
        Clock clock = new Clock();
        int[] written = new int[Math.min(iterations, 1024)];
        int count = 0;
        EncoderInput input = start;
        FinishReason reason = FinishReason.LENGTH;
        while (count < iterations) {
            int position = positions[switch (order) {
                case LEFT_TO_RIGHT -> count % positions.length;
                case RANDOM -> (int) ((random.nextLong() >>> 33) * positions.length >>> 31);
            }];
            int id = choose(input.with(position, maskId), position, sampler, clock, interruption);
            if (id < 0) {
                reason = interruption.reason();
                break;
            }
            input = input.with(position, id);
            if (count == written.length) {
                written = Arrays.copyOf(written, (int) Math.min(iterations, 2L * count));
            }
            written[count++] = id;
            listener.accept(id);
        }
        return new Outcome(input, Arrays.copyOf(written, count), reason, clock.timing(count));
    }

    /** The token at a position; -1 if that was interrupted. */
    private int choose(EncoderInput input, int position, Sampler sampler, Clock clock, Interruption interruption) {
        if (interruption.isDue()) {
            return -1;
        }
        EncoderBatch batch = session.batch();
        batch.clear();
        batch.add(input, position);
        if (!session.run(batch, interruption)) {
            return -1;
        }
        session.vocabularyLogits(0, position, candidates.logits());
        clock.firstStepDone();
        for (int id : forbidden) {
            candidates.logits()[id] = Float.NEGATIVE_INFINITY;
        }
        candidates.fill();
        sampler.apply(candidates);
        int id = candidates.selectedToken();
        sampler.accept(id);
        return id;
    }

    /** The first step is the prompt's, as in {@link DecodingLoop}. */
    private static final class Clock {
        private final long start = System.nanoTime();
        private long promptDone = start;
        private boolean started;

        void firstStepDone() {
            if (!started) {
                started = true;
                promptDone = System.nanoTime();
            }
        }

        Timing timing(int tokens) {
            return new Timing((promptDone - start) / 1e9, (System.nanoTime() - promptDone) / 1e9, tokens,
                    Math.max(0, tokens - 1));
        }
    }
}
