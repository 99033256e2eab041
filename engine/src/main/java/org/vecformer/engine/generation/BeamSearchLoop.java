package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.LogSoftmax;

/**
 * Beam search: all beams of a prompt run as one batch, and of all tokens behind all beams those go on whose sums of
 * log-probabilities are largest. As in Hugging Face transformers 5 samplers change log-probabilities before they are
 * added, and nothing is normalized again, guided ones neither. Beams share the cache of what they have in common.
 * <p>
 * Beam sampling draws without replacement, each token behind each beam with a probability proportional to e^(its sum): a
 * Gumbel number {@code -log(-log(u))} is added to each sum and the largest results are taken, which is the same as drawing
 * one after the other (Kool, van Hoof and Welling 2019, arXiv 1903.06059). There is one u for each token that the samplers
 * have left, in order of beam and id: {@code (r + 0.5) / 2^52}, where r are the upper 52 bits of the next number of a
 * {@link SplittableRandom}.
 * <p>
 * Each of several groups is a search of its own. The diversity penalty is subtracted after the samplers and stays in the
 * sums, and so in the scores, as it did in Hugging Face transformers 4; returned are the best of all groups.
 */
final class BeamSearchLoop {

    /** The Gumbel number of the least u, 2^-53, is -3.604. */
    private static final double LEAST_NOISE = -3.61;

    private final Generation generation;
    private final Stepper stepper;
    private final GuidedStepper guided;
    private final Candidates candidates;
    private final DecodingStrategy.BeamSearch strategy;
    /** So many tokens are looked at for each beam: though all end tokens be among them, one is left to go on with. */
    private final int choicesPerBeam;
    private final int[] best;
    private final float[] sums;
    private final List<GuidedContext> open = new ArrayList<>();

    BeamSearchLoop(Generation generation, Stepper stepper, Candidates candidates,
            DecodingStrategy.BeamSearch strategy) {
        this.generation = generation;
        this.stepper = stepper;
        this.candidates = candidates;
        this.strategy = strategy;
        guided = new GuidedStepper(generation, stepper);
        choicesPerBeam = Math.max(2, 1 + generation.endTokens().length);
        best = new int[Math.multiplyExact(choicesPerBeam, strategy.beams() / strategy.groups())];
        sums = strategy.draws() ? new float[stepper.vocabularySize()] : null;
    }

    /**
     * The best continuations of a prompt: as many as are to be returned, or fewer if there are not so many.
     *
     * @param firstSequence the number of the first one, for the listener
     */
    List<GeneratedSequence> run(int[] prompt, int firstSequence) {
        try {
            List<BeamGroup.Ended> ended = search(prompt);
            ended.sort(Comparator.comparingDouble(each -> -each.score()));
            List<GeneratedSequence> sequences = new ArrayList<>();
            for (int i = 0; i < Math.min(generation.options().returnSequences(), ended.size()); i++) {
                sequences.add(tell(ended.get(i), firstSequence + i));
            }
            return sequences;
        } finally {
            open.forEach(GuidedContext::close);
            open.clear();
        }
    }

    private List<BeamGroup.Ended> search(int[] prompt) {
        GuidedContext context = generation.openContext(stepper, prompt);
        open.add(context);
        List<BeamGroup.Ended> all = new ArrayList<>();
        if (context.context().isFull()) {
            all.add(new BeamGroup.Ended(Hypothesis.EMPTY, strategy, FinishReason.LENGTH));
            return all;
        }
        Beam root = new Beam(0, Hypothesis.EMPTY, context, generation.processors(prompt, 0, choicesPerBeam));
        SplittableRandom random = new SplittableRandom(generation.seed(0));
        List<BeamGroup> groups = new ArrayList<>();
        for (int g = 0; g < strategy.groups(); g++) {
            groups.add(new BeamGroup(strategy, generation.bound(prompt) - prompt.length, root));
        }
        List<Beam> running = List.of(root);
        while (!running.isEmpty() && guided.advance(open)) {
            generation.promptIsDone();
            running = step(groups, running, prompt.length, random);
        }
        groups.forEach(group -> all.addAll(group.ended()));
        running.forEach(beam -> all.add(
                new BeamGroup.Ended(beam.hypothesis(), strategy, generation.interruption().reason())));
        return all;
    }

    /** Chooses the next token of all beams. */
    private List<Beam> step(List<BeamGroup> groups, List<Beam> running, int promptLength, SplittableRandom random) {
        float[][] logits = logProbabilities(running.size());
        List<List<BeamChoice>> choices = new ArrayList<>();
        Map<Integer, Integer> taken = new HashMap<>();
        for (BeamGroup group : groups) {
            List<BeamChoice> chosen = group.running().isEmpty()
                    ? List.of()
                    : choose(group, logits, taken, promptLength, random);
            chosen.forEach(choice -> taken.merge(choice.id, 1, Integer::sum));
            boolean over = chosen.isEmpty() || group.isSettled(chosen.getFirst().sum, chosen.getFirst().length())
                    || chosen.getFirst().reasonToEnd(generation, promptLength) == FinishReason.LENGTH;
            choices.add(over ? List.of() : chosen);
        }
        return descend(groups, running, choices, logits);
    }

    private float[][] logProbabilities(int rows) {
        float[][] logits = new float[rows][];
        for (int row = 0; row < rows; row++) {
            logits[row] = guided.logits(row);
            if (generation.options().guidance().isEmpty()) {
                LogSoftmax.normalize(logits[row], logits[row].length);
            }
        }
        return logits;
    }

    /** The tokens that a group goes on with, the best first, or would if only there were room for more behind them. */
    private List<BeamChoice> choose(BeamGroup group, float[][] logits, Map<Integer, Integer> taken, int promptLength,
            SplittableRandom random) {
        List<BeamChoice> choices = choices(group, logits, taken, random);
        for (BeamChoice choice : choices.subList(0, Math.min(group.size(), choices.size()))) {
            FinishReason reason = choice.reasonToEnd(generation, promptLength);
            if (reason != null) {
                group.end(choice.hypothesis(generation, logits), reason);
            }
        }
        // What was drawn is in the order of the draws.
        choices.sort(Comparator.comparingDouble(choice -> -choice.sum));
        List<BeamChoice> going = new ArrayList<>();
        for (int i = 0; i < choices.size() && going.size() < group.size(); i++) {
            FinishReason reason = choices.get(i).reasonToEnd(generation, promptLength);
            if (reason == null || reason == FinishReason.LENGTH) {
                going.add(choices.get(i));
            }
        }
        if (going.isEmpty() && group.ended().isEmpty()) {
            throw new IllegalStateException(
                    "the samplers leave no token with a probability above 0 behind any beam, so none can go on");
        }
        return going;
    }

    /** The best tokens behind a group's beams, equal ones by beam and id; or those that are drawn, in order. */
    private List<BeamChoice> choices(BeamGroup group, float[][] logits, Map<Integer, Integer> taken,
            SplittableRandom random) {
        List<BeamChoice> choices = new ArrayList<>();
        int most = choicesPerBeam * group.size();
        for (Beam beam : group.running()) {
            candidates.load(logits[beam.row()]);
            beam.processors().apply(candidates);
            candidates.sortById();
            float[] ranks = candidates.logits();
            int size = candidates.size();
            taken.forEach((id, count) -> {
                int index = candidates.indexOf(id);
                if (index >= 0) {
                    ranks[index] -= (float) strategy.diversityPenalty() * count;
                }
            });
            for (int i = 0; i < size; i++) {
                ranks[i] += beam.hypothesis().sum();
            }
            if (strategy.draws()) {
                System.arraycopy(ranks, 0, sums, 0, size);
                addNoise(ranks, size, candidates.kthLargest(most), random);
            }
            int found = candidates.best(most, best);
            for (int i = 0; i < found && ranks[best[i]] > Float.NEGATIVE_INFINITY; i++) {
                float rank = ranks[best[i]];
                choices.add(new BeamChoice(beam, candidates.ids()[best[i]], strategy.draws() ? sums[best[i]] : rank,
                        rank));
            }
        }
        choices.sort(Comparator.comparingDouble(choice -> -choice.rank));
        return new ArrayList<>(choices.subList(0, Math.min(most, choices.size())));
    }

    /**
     * Adds Gumbel numbers; those that are surely not among the largest then become negative infinity, which saves most of
     * the logarithms.
     *
     * @param good so many sums as are to be drawn are not below this
     */
    private static void addNoise(float[] sums, int size, float good, SplittableRandom random) {
        for (int i = 0; i < size; i++) {
            double u = ((random.nextLong() >>> 12) + 0.5) * 0x1p-52;
            // -log(-log(u)) is less than -log(1 - u), and that at most so many times log(2).
            double mostNoise = -Math.getExponent(1 - u) * Math.log(2);
            // StrictMath, because the same seed is to give the same text on every machine.
            sums[i] = sums[i] + mostNoise < good + LEAST_NOISE
                    ? Float.NEGATIVE_INFINITY
                    : (float) (sums[i] - StrictMath.log(-StrictMath.log(u)));
        }
    }

    /** Makes beams of what was chosen: the last that goes on from a beam takes its context, others a fork of it. */
    private List<Beam> descend(List<BeamGroup> groups, List<Beam> running, List<List<BeamChoice>> choices,
            float[][] logits) {
        int[] heirs = new int[running.size()];
        choices.forEach(chosen -> chosen.forEach(choice -> heirs[choice.beam.row()]++));
        // First, because it makes room for the forks.
        running.stream().filter(beam -> heirs[beam.row()] == 0).forEach(beam -> beam.context().close());
        List<Beam> next = new ArrayList<>();
        for (int g = 0; g < groups.size(); g++) {
            int first = next.size();
            for (BeamChoice choice : choices.get(g)) {
                GuidedContext context = choice.beam.context();
                if (--heirs[choice.beam.row()] > 0) {
                    context = context.fork(stepper);
                    open.add(context);
                }
                context.append(choice.id);
                next.add(new Beam(next.size(), choice.hypothesis(generation, logits), context, choice.processors()));
            }
            groups.get(g).goOnWith(List.copyOf(next.subList(first, next.size())));
        }
        open.clear();
        next.forEach(beam -> open.add(beam.context()));
        return next;
    }

    /** Tells the listener what was written, now that it is certain. */
    private GeneratedSequence tell(BeamGroup.Ended ended, int sequence) {
        int[] ids = ended.hypothesis().ids();
        List<TokenScore> scores = ended.hypothesis().scores();
        TextStream text = generation.newTextStream();
        for (int i = 0; i < ids.length; i++) {
            generation.listener().token(new GeneratedToken(sequence, ids[i], text.accept(ids[i]),
                    scores.isEmpty() ? null : scores.get(i)));
        }
        generation.listener().finished(new TextEnd(sequence, text.finish(), ended.reason()));
        return new GeneratedSequence(ids, text.text().toString(), ended.reason(), OptionalDouble.of(ended.score()),
                scores);
    }
}
