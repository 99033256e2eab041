package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.List;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.LogitsNeeded;
import org.vecformer.engine.sampler.Sampler;

/**
 * Guesses what a smaller model would write, chosen by a copy of the sampler: with the same rules and the same
 * random numbers, so that it guesses right wherever the two models are of one mind.
 */
final class DraftModelDrafter implements Drafter {

    private final Session session;
    private final Stepper stepper;
    private final Context context;
    private final Candidates candidates;
    private final Interruption interruption;

    /** @throws IllegalArgumentException if the draft model does not have the vocabulary's size */
    DraftModelDrafter(Gpt draft, Gpt model, Interruption interruption) {
        if (!draft.isLanguageModel() || draft.outputs() != model.outputs()) {
            throw new IllegalArgumentException("the draft model has " + draft.outputs() + " outputs (" + draft.head()
                    + "); expected a language model with the vocabulary of the model, " + model.outputs());
        }
        this.interruption = interruption;
        session = draft.openSession(SessionOptions.defaults());
        stepper = new Stepper(session);
        context = new Context(session.newSequence(), new int[0], null, draft.config().contextLength());
        candidates = new Candidates(draft.outputs());
    }

    @Override
    public int draft(Context text, Sampler sampler, int[] guesses, int most) {
        int length = text.length();
        int count = Math.min(most, context.bound() - length);
        if (count < 1) {
            return 0;
        }
        int common = Arrays.mismatch(context.ids(), 0, context.length(), text.ids(), 0, length);
        context.truncate(common < 0 ? length : common);
        for (int i = context.length(); i < length; i++) {
            context.append(text.ids()[i]);
        }
        Sampler chooser = sampler.copy();
        for (int i = 0; i < count; i++) {
            context.want(new Wanted(chooser.needs(LogitsNeeded.ALL), -1));
            if (!stepper.advance(List.of(context), true, false, interruption)) {
                return i;
            }
            stepper.next(0).load(candidates);
            chooser.apply(candidates);
            guesses[i] = candidates.selectedToken();
            chooser.accept(guesses[i]);
            context.append(guesses[i]);
        }
        return count;
    }

    @Override
    public void close() {
        session.close();
    }
}
