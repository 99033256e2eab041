package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.vecformer.engine.sampler.Candidates;

/**
 * Greedy search and random sampling: in each step every continuation gets one token. The continuations of a prompt share
 * its cache, and all continuations of all prompts run as one batch.
 */
final class SamplingLoop {

    private final Generation generation;
    private final Stepper stepper;
    private final GuidedStepper guided;
    private final Candidates candidates;
    private final List<GuidedContext> contexts = new ArrayList<>();

    SamplingLoop(Generation generation, Stepper stepper, Candidates candidates) {
        this.generation = generation;
        this.stepper = stepper;
        guided = new GuidedStepper(generation, stepper);
        this.candidates = candidates;
    }

    /** The continuations of each prompt. */
    List<List<GeneratedSequence>> run(List<int[]> prompts) {
        List<Continuations> all = new ArrayList<>();
        try {
            for (int[] prompt : prompts) {
                all.add(new Continuations(generation, stepper, prompt,
                        all.size() * generation.options().returnSequences()));
            }
            List<Track> running = begin(all);
            while (!running.isEmpty() && step(running)) {
                for (int i = 0; i < running.size(); i++) {
                    running.get(i).choose(guided.next(i), candidates);
                }
                running.removeIf(Track::isFinished);
            }
            if (!running.isEmpty()) {
                all.forEach(each -> each.finish(generation.interruption().reason()));
            }
            return all.stream().map(Continuations::results).toList();
        } finally {
            all.forEach(Continuations::close);
        }
    }

    /**
     * Reads each prompt once, and chooses the first token of each of its continuations.
     *
     * @return the continuations that go on; if it was interrupted, those that read
     */
    private List<Track> begin(List<Continuations> all) {
        List<Track> reading = unfinished(all);
        boolean going = reading.isEmpty() || step(reading);
        generation.promptIsDone();
        if (!going) {
            return reading;
        }
        int row = 0;
        for (Continuations each : all) {
            boolean read = !each.first().isFinished();
            each.fork();
            if (read) {
                each.choose(guided.next(row++), candidates);
            }
        }
        return unfinished(all);
    }

    private static List<Track> unfinished(List<Continuations> all) {
        return all.stream().flatMap(each -> each.all().stream()).filter(track -> !track.isFinished())
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private boolean step(List<Track> tracks) {
        contexts.clear();
        // By index, as an iterator would be garbage in each step.
        for (int i = 0; i < tracks.size(); i++) {
            contexts.add(tracks.get(i).forStep());
        }
        return guided.advance(contexts);
    }
}
