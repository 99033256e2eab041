package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;

/** A continuation that is being written, token after token, until it has a reason to end. */
final class Track implements AutoCloseable {

    final Context context;
    private final GuidedContext guided;
    private final Generation generation;
    private final int sequence;
    private final int promptLength;
    private final Sampler sampler;
    private final TextStream text;
    private final List<TokenScore> scores = new ArrayList<>();
    private FinishReason reason;

    /** @param sequence its number, for the listener */
    Track(Generation generation, int sequence, GuidedContext guided, int promptLength, Sampler sampler) {
        this.generation = generation;
        this.sequence = sequence;
        this.guided = guided;
        context = guided.context();
        this.promptLength = promptLength;
        this.sampler = sampler;
        text = generation.newTextStream();
        if (context.isFull()) {
            finish(FinishReason.LENGTH);
        }
    }

    /** Its context with that of guidance. */
    GuidedContext guided() {
        return guided;
    }

    Sampler sampler() {
        return sampler;
    }

    /** Its number, for the listener. */
    int sequence() {
        return sequence;
    }

    boolean isFinished() {
        return reason != null;
    }

    /** Its context with that of guidance, which knows what is wanted of the next step. */
    GuidedContext forStep() {
        context.want(wanted());
        return guided;
    }

    /** What is wanted of the logits that the next token is chosen by. */
    Wanted wanted() {
        return generation.wanted(sampler);
    }

    /**
     * Chooses the next token, appends it, tells it, and sees whether the continuation ends with it.
     *
     * @param next as much of the logits as is {@link #wanted}
     */
    int choose(NextLogits next, Candidates candidates) {
        next.load(candidates);
        sampler.apply(candidates);
        int id = candidates.selectedToken();
        write(id, generation.score(next, id));
        return id;
    }

    /**
     * Appends this token, tells it, and sees whether the continuation ends with it.
     *
     * @param score of the token; null if none is told
     */
    void write(int id, TokenScore score) {
        sampler.accept(id);
        guided.append(id);
        if (score != null) {
            scores.add(score);
        }
        String shown = text.accept(id);
        if (generation.listener() != TokenListener.NONE) {
            generation.listener().token(new GeneratedToken(sequence, id, shown, score));
        }
        FinishReason end = generation.reasonToEnd(context, promptLength, text, sampler);
        if (end != null) {
            finish(end);
        }
    }

    /** Ends it, and tells so. */
    void finish(FinishReason why) {
        reason = why;
        generation.listener().finished(new TextEnd(sequence, text.finish(), why));
    }

    /** What was written, after it has finished. */
    GeneratedSequence result() {
        return new GeneratedSequence(context.idsFrom(promptLength), text.text().toString(), reason,
                OptionalDouble.empty(), List.copyOf(scores));
    }

    @Override
    public void close() {
        guided.close();
    }
}
