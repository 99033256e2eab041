package org.vecformer.engine.generation;

import java.util.List;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Candidates;

/**
 * Writes one continuation with the help of guesses: the model reads the last token and the guesses behind it in one step,
 * then the tokens are chosen one by one from its logits, as always, for as long as the guesses were right.
 */
final class SpeculativeLoop {

    private final Generation generation;
    private final Stepper stepper;
    private final Candidates candidates;
    private final Drafting drafting;
    private final NextLogits next;

    SpeculativeLoop(Generation generation, Stepper stepper, Candidates candidates, Drafting drafting) {
        this.generation = generation;
        this.stepper = stepper;
        this.candidates = candidates;
        this.drafting = drafting;
        next = new NextLogits(stepper.vocabularySize());
    }

    /** @param sequence its number, for the listener */
    List<GeneratedSequence> run(int[] prompt, int sequence) {
        Interruption interruption = generation.interruption();
        try (Drafter drafter = drafter(); Track track = generation.openTrack(stepper, sequence, prompt)) {
            if (!track.isFinished() && stepper.advance(List.of(track.forStep().context()), true, false,
                    interruption)) {
                generation.promptIsDone();
                track.choose(stepper.next(0), candidates);
                int[] guesses = new int[drafting.tokens()];
                while (!track.isFinished() && !interruption.isDue()) {
                    int count = drafter.draft(track.context, track.sampler(), guesses,
                            Math.min(guesses.length, room(track.context)));
                    check(track, guesses, count);
                }
            }
            if (!track.isFinished()) {
                track.finish(interruption.reason());
            }
            return List.of(track.result());
        }
    }

    /** How many guesses can be checked: the last token takes a row, and a token of the model's own comes behind them. */
    private int room(Context context) {
        return Math.min(stepper.session().batch().capacity(), context.bound() - context.length()) - 1;
    }

    private Drafter drafter() {
        Gpt model = stepper.session().model();
        return switch (drafting) {
            case Drafting.PromptLookup lookup -> new PromptLookupDrafter(lookup.maxNgram());
            case Drafting.DraftModel draft -> new DraftModelDrafter(draft.model(), model, generation.interruption());
        };
    }

    /** Chooses tokens from the logits behind the last token and behind each guess, until a guess was wrong. */
    private void check(Track track, int[] guesses, int count) {
        Session session = stepper.session();
        Context context = track.context;
        int[] rows = new int[count + 1];
        rows[0] = context.last();
        System.arraycopy(guesses, 0, rows, 1, count);
        Batch batch = session.batch();
        batch.clear();
        batch.add(context.sequence(), rows, 0, rows.length, Logits.ALL);
        if (!session.step(batch, generation.interruption())) {
            return;
        }
        for (int i = 0; i <= count; i++) {
            next.read(session, i, track.wanted());
            int id = track.choose(next, candidates);
            if (track.isFinished() || i < count && id != guesses[i]) {
                break;
            }
        }
        // What was read and not written; the last token is read in the next step.
        context.forgetUnwritten();
    }
}
