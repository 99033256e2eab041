package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.sampler.Candidates;

/** The continuations of one prompt: the first one reads it, then the others go on from what that has in the cache. */
final class Continuations implements AutoCloseable {

    private final Generation generation;
    private final Stepper stepper;
    private final int[] prompt;
    private final List<Track> tracks = new ArrayList<>();

    /** @param sequence the number of the first one, for the listener */
    Continuations(Generation generation, Stepper stepper, int[] prompt, int sequence) {
        this.generation = generation;
        this.stepper = stepper;
        this.prompt = prompt;
        tracks.add(generation.openTrack(stepper, sequence, prompt));
    }

    /** The one that reads the prompt. */
    Track first() {
        return tracks.getFirst();
    }

    /** As many as there are so far. */
    List<Track> all() {
        return tracks;
    }

    /** Makes the others, when the first one has read the prompt. */
    void fork() {
        for (int i = 1; i < generation.options().returnSequences(); i++) {
            tracks.add(generation.fork(stepper, first(), prompt, i));
        }
    }

    /**
     * Chooses the first token of each. All have the same samplers at first, but for their seeds.
     *
     * @param next as much of the logits behind the prompt as the first one wants
     */
    void choose(NextLogits next, Candidates candidates) {
        tracks.forEach(track -> track.choose(next, candidates));
    }

    /** Ends those that go on, and those that have not been made yet. */
    void finish(FinishReason reason) {
        for (Track track : tracks) {
            if (!track.isFinished()) {
                track.finish(reason);
            }
        }
        for (int i = tracks.size(); i < generation.options().returnSequences(); i++) {
            generation.listener().finished(new TextEnd(first().sequence() + i, "", reason));
        }
    }

    boolean areFinished() {
        // By index, as an iterator would be garbage in each step.
        for (int i = 0; i < tracks.size(); i++) {
            if (!tracks.get(i).isFinished()) {
                return false;
            }
        }
        return true;
    }

    /** What was written, after all have finished. */
    List<GeneratedSequence> results() {
        List<GeneratedSequence> results = new ArrayList<>();
        for (int i = 0; i < generation.options().returnSequences(); i++) {
            // As long as the others have not been made, nothing has been written by the first one either.
            results.add((i < tracks.size() ? tracks.get(i) : first()).result());
        }
        return results;
    }

    @Override
    public void close() {
        tracks.forEach(Track::close);
    }
}
