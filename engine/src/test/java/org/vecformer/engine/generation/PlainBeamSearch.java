package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.vecformer.engine.generation.DecodingStrategy.BeamSearch;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.SamplingContext;

/**
 * Beam search as one would write it down: the model reads each beam from the beginning, all continuations are listed and
 * sorted, sums are of double precision. Diverse beam search is the algorithm 1 of Vijayakumar et al. 2016 (arXiv
 * 1610.02424): the groups one after the other, each looking at what the ones before it have chosen in this step. Drawing
 * adds Gumbel noise to all sums, as the search says that it does.
 */
final class PlainBeamSearch {

    private final ModelFromScratch model;
    private final int[] prompt;
    private final GenerationOptions options;
    private final BeamSearch strategy;
    private final int size;
    private final int most;
    private final int bound;
    private final SplittableRandom random;

    /** With what it is chosen by: the sum, or that with noise. */
    record Text(int[] ids, double sum, double rank) {}

    record Scored(int[] ids, double score) {}

    private static final class Group {
        List<Text> running = List.of(new Text(new int[0], 0, 0));
        final List<Scored> ended = new ArrayList<>();
        boolean over;
    }

    PlainBeamSearch(ModelFromScratch model, int[] prompt, GenerationOptions options) {
        this.model = model;
        this.prompt = prompt;
        this.options = options;
        strategy = (BeamSearch) options.strategy();
        size = strategy.beams() / strategy.groups();
        most = Math.max(2, options.stopping().endTokens().size() + 1) * size;
        random = new SplittableRandom(strategy.seed().orElse(0));
        bound = options.stopping().bound(prompt.length, model.contextLength()) - prompt.length;
    }

    List<Scored> run() {
        List<Group> groups = new ArrayList<>();
        for (int g = 0; g < strategy.groups(); g++) {
            groups.add(new Group());
        }
        for (int length = 1; groups.stream().anyMatch(group -> !group.over); length++) {
            Map<Integer, Integer> chosen = new HashMap<>();
            for (Group group : groups) {
                if (!group.over) {
                    step(group, chosen, length);
                    group.running.forEach(text -> chosen.merge(text.ids[text.ids.length - 1], 1, Integer::sum));
                }
            }
        }
        List<Scored> all = new ArrayList<>();
        groups.forEach(group -> all.addAll(group.ended));
        all.sort(Comparator.comparingDouble(scored -> -scored.score));
        return all.subList(0, Math.min(options.returnSequences(), all.size()));
    }

    private void step(Group group, Map<Integer, Integer> chosen, int length) {
        List<Text> all = new ArrayList<>();
        for (Text text : group.running) {
            double[] next = processed(text.ids);
            for (int id = 0; id < next.length; id++) {
                if (!Double.isNaN(next[id])) {
                    double sum = text.sum + next[id] - strategy.diversityPenalty() * chosen.getOrDefault(id, 0);
                    all.add(new Text(ModelFromScratch.concat(text.ids, id), sum, sum + noise()));
                }
            }
        }
        all.removeIf(text -> !(text.sum > Double.NEGATIVE_INFINITY));
        all.sort(Comparator.comparingDouble(text -> -text.rank));
        List<Text> best = new ArrayList<>(all.subList(0, Math.min(most, all.size())));
        for (Text text : best.subList(0, Math.min(size, best.size()))) {
            if (length == bound || ends(text)) {
                group.ended.add(new Scored(text.ids, text.sum / Math.pow(length, strategy.lengthPenalty())));
            }
        }
        best.sort(Comparator.comparingDouble(text -> -text.sum));
        List<Text> going = best.stream().filter(text -> !ends(text)).limit(size).toList();
        group.ended.sort(Comparator.comparingDouble(scored -> -scored.score));
        while (group.ended.size() > size) {
            group.ended.removeLast();
        }
        group.running = going;
        group.over = going.isEmpty() || length == bound || group.ended.size() == size && !canImprove(group, length);
    }

    private double noise() {
        return strategy.draws() ? -Math.log(-Math.log(((random.nextLong() >>> 12) + 0.5) * 0x1p-52)) : 0;
    }

    private boolean ends(Text text) {
        return options.stopping().endTokens().contains(text.ids[text.ids.length - 1]);
    }

    private boolean canImprove(Group group, int length) {
        double worst = group.ended.getLast().score;
        double sum = group.running.getFirst().sum;
        double penalty = strategy.lengthPenalty();
        return switch (strategy.earlyStopping()) {
            case WHEN_ENOUGH -> false;
            case WHEN_UNLIKELY -> sum / Math.pow(length, penalty) > worst;
            case WHEN_IMPOSSIBLE -> sum / Math.pow(penalty > 0 ? bound : length, penalty) > worst;
        };
    }

    /** What the samplers make of the log-probabilities; NaN for what they leave out. */
    private double[] processed(int[] written) {
        double[] next = model.logProbabilities(ModelFromScratch.concat(prompt, written));
        if (options.guidance().isPresent()) {
            Guidance guidance = options.guidance().get();
            int[] negative = guidance.negativePrompt().length > 0
                    ? guidance.negativePrompt()
                    : Arrays.copyOfRange(prompt, prompt.length - 1, prompt.length);
            double[] without = model.logProbabilities(ModelFromScratch.concat(negative, written));
            for (int id = 0; id < next.length; id++) {
                next[id] = without[id] + guidance.scale() * (next[id] - without[id]);
            }
        }
        SamplerChain chain = options.sampling().processors(new SamplingContext(prompt.length + bound,
                options.stopping().sortedEndTokens(), most / size, 0), strategy.draws());
        chain.acceptPrompt(prompt);
        for (int id : written) {
            chain.accept(id);
        }
        Candidates candidates = new Candidates(next.length);
        for (int id = 0; id < next.length; id++) {
            candidates.logits()[id] = (float) next[id];
        }
        candidates.fill();
        chain.apply(candidates);
        Arrays.fill(next, Double.NaN);
        for (int i = 0; i < candidates.size(); i++) {
            next[candidates.ids()[i]] = candidates.logits()[i];
        }
        return next;
    }
}
