package org.vecformer.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.vecformer.bench.SentenceEncoder.Prepared;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Samples;

/**
 * Times encoders on one batch, in turns: round by round each encodes it for a while, and another one begins each time.
 */
final class EncoderRun implements AutoCloseable {

    /**
     * A batch.
     *
     * @param name    how many sequences of how many tokens
     * @param lengths tokens of each sequence
     */
    record Shape(String name, List<Integer> lengths) {

        static final List<Shape> ALL = List.of(
                new Shape("1 x 16", List.of(16)),
                new Shape("1 x 128", List.of(128)),
                new Shape("8 x 128", List.of(128, 128, 128, 128, 128, 128, 128, 128)),
                new Shape("8 x 9-128", List.of(9, 14, 21, 32, 47, 64, 96, 128)));

        int tokens() {
            return lengths.stream().mapToInt(Integer::intValue).sum();
        }

        /** Tokens that somebody computes who pads every sequence to the longest. */
        int paddedTokens() {
            return lengths.size() * lengths.stream().mapToInt(Integer::intValue).max().orElseThrow();
        }

        /** Random ids; not 0, which is BERT's padding. */
        List<int[]> sequences(int vocabulary) {
            SplittableRandom random = new SplittableRandom(1);
            return lengths.stream().map(length -> random.ints(length, 1, vocabulary).toArray()).toList();
        }
    }

    /**
     * How much is measured.
     *
     * @param rounds        how often
     * @param seconds       for each encoder in each round; the limit takes half of that before and after
     * @param warmUpSeconds for each encoder before the first round
     * @param pauseSeconds  before each turn: an encoder's threads may look for work for a while before they sleep,
     *                      which the next one should not notice
     */
    record Plan(int rounds, double seconds, double warmUpSeconds, double pauseSeconds) {}

    /**
     * What all rounds gave.
     *
     * @param fmaPeak  GFLOP/s
     * @param speeds   tokens/s of each encoder
     * @param likeness of each encoder's vectors to those of the first encoder, after it was timed
     */
    record Result(Samples fmaPeak, List<Samples> speeds, List<Likeness> likeness) {}

    private final List<Prepared> encoders = new ArrayList<>();
    private final Plan plan;
    private final int tokens;

    EncoderRun(List<? extends SentenceEncoder> encoders, List<int[]> sequences, Plan plan) {
        this.plan = plan;
        tokens = sequences.stream().mapToInt(ids -> ids.length).sum();
        try {
            for (SentenceEncoder encoder : encoders) {
                this.encoders.add(encoder.prepare(sequences));
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    Result run(Limits limits) {
        int count = encoders.size();
        // For the compiler, twice: what runs in between changes what it knows.
        for (int i = 0; i < 2 * count; i++) {
            speed(encoders.get(i % count), plan.warmUpSeconds / 2);
        }
        double[] peak = new double[plan.rounds];
        double[][] speeds = new double[count][plan.rounds];
        for (int round = 0; round < plan.rounds; round++) {
            double before = peak(limits);
            for (int i = 0; i < count; i++) {
                int turn = (round + i) % count;
                speeds[turn][round] = speed(encoders.get(turn), plan.seconds);
            }
            peak[round] = (before + peak(limits)) / 2;
        }
        return new Result(new Samples(peak), Arrays.stream(speeds).map(Samples::new).toList(), likeness());
    }

    private double peak(Limits limits) {
        pause();
        return limits.fmaPeak(plan.seconds / 2);
    }

    private void pause() {
        LockSupport.parkNanos((long) (plan.pauseSeconds * 1e9));
    }

    /** Tokens per second. */
    private double speed(Prepared encoder, double seconds) {
        pause();
        // Not timed: it finds the caches as the one before left them, and wakes the threads.
        encoder.encode();
        long start = System.nanoTime();
        long elapsed;
        long done = 0;
        do {
            encoder.encode();
            done += tokens;
            elapsed = System.nanoTime() - start;
        } while (elapsed < seconds * 1e9);
        return done / (elapsed / 1e9);
    }

    /** How alike each encoder's vectors are to those of the first encoder. */
    List<Likeness> likeness() {
        float[][] first = encoders.getFirst().encode();
        return encoders.stream().map(encoder -> Likeness.of(first, encoder.encode())).toList();
    }

    @Override
    public void close() {
        encoders.forEach(Prepared::close);
    }
}
