package org.vecformer.bench;

import java.util.SplittableRandom;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Gpt2;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Samples;

/** Times one model on a prompt and on the tokens after it, in rounds with the machine's limits in between. */
final class SpeedRun implements AutoCloseable {

    /** What all rounds gave: tokens per second, GB/s and GFLOP/s. */
    record Result(Samples prompt, Samples decode, Samples readBandwidth, Samples fmaPeak) {}

    /** How much is measured: tokens of the prompt, tokens generated after it, rounds, and seconds for each limit. */
    record Plan(int promptTokens, int decodeTokens, int rounds, double limitSeconds) {}

    private final Session session;
    private final Plan plan;
    private final int[] prompt;
    private final int[] token = new int[1];
    private final float[] logits;

    SpeedRun(Gpt2 model, Plan plan) {
        this.plan = plan;
        session = model.openSession(SessionOptions.defaults().withMaxBatchTokens(plan.promptTokens));
        int vocabulary = model.config().vocabularySize();
        prompt = new SplittableRandom(1).ints(plan.promptTokens, 0, vocabulary).toArray();
        logits = new float[vocabulary];
    }

    Result run(Limits limits) {
        // For the compiler.
        for (int i = 0; i < 2; i++) {
            limits.readBandwidth(plan.limitSeconds / 2);
            limits.fmaPeak(plan.limitSeconds / 2);
            round();
        }
        double[] promptSpeed = new double[plan.rounds];
        double[] decodeSpeed = new double[plan.rounds];
        double[] bandwidth = new double[plan.rounds];
        double[] peak = new double[plan.rounds];
        for (int i = 0; i < plan.rounds; i++) {
            double peakBefore = limits.fmaPeak(plan.limitSeconds);
            double bandwidthBefore = limits.readBandwidth(plan.limitSeconds);
            double[] seconds = round();
            promptSpeed[i] = plan.promptTokens / seconds[0];
            decodeSpeed[i] = plan.decodeTokens / seconds[1];
            // Before and after: what other processes do to the machine changes within seconds.
            bandwidth[i] = (bandwidthBefore + limits.readBandwidth(plan.limitSeconds)) / 2;
            peak[i] = (peakBefore + limits.fmaPeak(plan.limitSeconds)) / 2;
        }
        return new Result(new Samples(promptSpeed), new Samples(decodeSpeed), new Samples(bandwidth),
                new Samples(peak));
    }

    /** Seconds for the prompt and for the tokens after it, chosen greedily. */
    private double[] round() {
        try (Sequence sequence = session.newSequence()) {
            long start = System.nanoTime();
            session.feed(sequence, prompt, 0, prompt.length);
            token[0] = best();
            long middle = System.nanoTime();
            Batch batch = session.batch();
            for (int i = 0; i < plan.decodeTokens; i++) {
                batch.clear();
                batch.add(sequence, token, 0, 1, Logits.LAST);
                session.step(batch);
                token[0] = best();
            }
            long end = System.nanoTime();
            return new double[]{(middle - start) / 1e9, (end - middle) / 1e9};
        }
    }

    private int best() {
        session.logits(0, logits);
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        if (!Float.isFinite(logits[best])) {
            throw new IllegalStateException("the largest logit is " + logits[best] + ": what was measured is wrong");
        }
        return best;
    }

    @Override
    public void close() {
        session.close();
    }
}
