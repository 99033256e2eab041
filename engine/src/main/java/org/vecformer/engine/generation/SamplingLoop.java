package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
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
        List<Track> tracks = new ArrayList<>();
        try {
            begin(prompts, tracks);
            List<Track> running = unfinished(tracks);
            while (!running.isEmpty() && step(running)) {
                for (int i = 0; i < running.size(); i++) {
                    running.get(i).choose(guided.next(i), candidates);
                }
                running.removeIf(Track::isFinished);
            }
            running.forEach(track -> track.finish(generation.interruption().reason()));
            List<GeneratedSequence> all = tracks.stream().map(Track::result).toList();
            int each = generation.options().returnSequences();
            return IntStream.range(0, prompts.size()).mapToObj(p -> all.subList(p * each, (p + 1) * each)).toList();
        } finally {
            tracks.forEach(Track::close);
        }
    }

    /** Reads each prompt once, and chooses the first token of each of its continuations. */
    private void begin(List<int[]> prompts, List<Track> tracks) {
        int continuations = generation.options().returnSequences();
        for (int[] prompt : prompts) {
            tracks.add(generation.openTrack(stepper, tracks.size() * continuations, prompt));
        }
        List<Track> leaders = unfinished(tracks);
        boolean going = leaders.isEmpty() || step(leaders);
        generation.promptIsDone();
        for (int p = 0; p < prompts.size(); p++) {
            Track leader = tracks.get(p);
            int row = leaders.indexOf(leader);
            int first = tracks.size();
            for (int i = 1; i < continuations; i++) {
                tracks.add(generation.fork(stepper, leader, prompts.get(p), i));
            }
            if (going && row >= 0) {
                // All continuations of a prompt have the same samplers at first, but for their seeds.
                NextLogits next = guided.next(row);
                leader.choose(next, candidates);
                tracks.subList(first, tracks.size()).forEach(fork -> fork.choose(next, candidates));
            }
        }
        tracks.sort(Comparator.comparingInt(Track::sequence));
    }

    private static List<Track> unfinished(List<Track> tracks) {
        List<Track> running = new ArrayList<>(tracks);
        running.removeIf(Track::isFinished);
        return running;
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
