package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Candidates;

/**
 * Contrastive search: the most likely tokens are tried, all in one batch on forks of the context, and the one goes on
 * whose probability makes up best for the likeness of its hidden state (the model's last, after the final layer norm) to
 * those of all tokens before, prompt and continuation. As Hugging Face transformers 4 had it, except that a token that
 * the samplers forbid is never tried.
 */
final class ContrastiveSearchLoop {

    private final Generation generation;
    private final Stepper stepper;
    private final Candidates candidates;
    private final DecodingStrategy.ContrastiveSearch strategy;
    private final int[] best;
    /** Behind the last token. */
    private final float[] logits;

    ContrastiveSearchLoop(Generation generation, Stepper stepper, Candidates candidates,
            DecodingStrategy.ContrastiveSearch strategy) {
        this.generation = generation;
        this.stepper = stepper;
        this.candidates = candidates;
        this.strategy = strategy;
        best = new int[Math.min(strategy.topK(), stepper.vocabularySize())];
        logits = new float[stepper.vocabularySize()];
    }

    /** @param sequence its number, for the listener */
    List<GeneratedSequence> run(int[] prompt, int sequence) {
        try (Track track = generation.openTrack(stepper, sequence, prompt)) {
            if (!track.isFinished()) {
                PastStates past = new PastStates(stepper.stateSize(), track.context.bound());
                if (read(track.context, past)) {
                    generation.promptIsDone();
                    while (!track.isFinished() && step(track, past)) {
                        // Each step writes a token.
                    }
                }
            }
            if (!track.isFinished()) {
                track.finish(generation.interruption().reason());
            }
            return List.of(track.result());
        }
    }

    /** Reads the prompt and remembers its states; false if that was interrupted. */
    private boolean read(Context context, PastStates past) {
        Session session = stepper.session();
        Batch batch = session.batch();
        float[] state = new float[stepper.stateSize()];
        while (context.sequence().length() < context.length()) {
            if (generation.interruption().isDue()) {
                return false;
            }
            batch.clear();
            int from = context.sequence().length();
            batch.add(context.sequence(), context.ids(), context.types(), from,
                    Math.min(context.length(), from + batch.room()), Logits.ALL);
            if (!session.step(batch, generation.interruption())) {
                return false;
            }
            for (int row = 0; row < session.logitsRows(); row++) {
                session.hiddenState(row, state);
                past.add(state);
            }
        }
        session.logits(session.logitsRows() - 1, logits);
        return true;
    }

    /** Writes a token; false if that was interrupted. */
    private boolean step(Track track, PastStates past) {
        int count = mostLikely(track);
        List<Context> tries = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                Context fork = track.context.fork();
                tries.add(fork);
                fork.append(candidates.ids()[best[i]]);
            }
            // One of the forks takes its place, so that its memory is free now.
            track.context.sequence().close();
            if (!stepper.advance(tries, generation.options().useCache(), true, generation.interruption())) {
                return false;
            }
            int chosen = choose(count, past);
            track.context.adopt(tries.remove(chosen));
            int id = candidates.ids()[best[chosen]];
            track.write(id, generation.score(logits, id));
            past.add(stepper.state(chosen));
            System.arraycopy(stepper.logits(chosen), 0, logits, 0, logits.length);
            return true;
        } finally {
            tries.forEach(Context::close);
        }
    }

    /** Finds the tokens to be tried, and how many there are. */
    private int mostLikely(Track track) {
        candidates.load(logits);
        track.sampler().apply(candidates);
        candidates.sortById();
        candidates.softmax();
        int count = candidates.best(best.length, best);
        while (count > 1 && !(candidates.probabilities()[best[count - 1]] > 0)) {
            count--;
        }
        return count;
    }

    private int choose(int count, PastStates past) {
        double alpha = strategy.penaltyAlpha();
        int chosen = 0;
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            double score = (1 - alpha) * candidates.probabilities()[best[i]]
                    - alpha * past.largestCosine(stepper.state(i));
            if (score > largest) {
                chosen = i;
                largest = score;
            }
        }
        return chosen;
    }
}
