package org.vecformer.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Samples;

/** Times one model on a prompt and on the tokens after it, in rounds with the machine's limits in between. */
final class SpeedRun implements AutoCloseable {

    /**
     * What all rounds gave: tokens per second, GB/s and GFLOP/s.
     *
     * @param batches tokens per second of all sequences together, for each size of the plan
     */
    record Result(Samples prompt, Samples decode, List<Samples> batches, Samples readBandwidth, Samples fmaPeak) {}

    /**
     * How much is measured.
     *
     * @param promptTokens tokens of the prompt
     * @param decodeTokens tokens generated after it
     * @param batches      numbers of sequences that generate at once, each of them a quarter of these tokens
     * @param rounds       how often
     * @param limitSeconds for each limit, each time
     */
    record Plan(int promptTokens, int decodeTokens, List<Integer> batches, int rounds, double limitSeconds) {

        int batchSteps() {
            return Math.max(1, decodeTokens / 4);
        }
    }

    private final Session session;
    private final List<BatchDecode> batches = new ArrayList<>();
    private final Plan plan;
    private final int[] prompt;
    private final int[] token = new int[1];
    private final float[] logits;

    SpeedRun(Gpt model, Plan plan) {
        this.plan = plan;
        session = model.openSession(SessionOptions.defaults().withMaxBatchTokens(plan.promptTokens));
        int vocabulary = model.config().vocabularySize();
        prompt = new SplittableRandom(1).ints(plan.promptTokens, 0, vocabulary).toArray();
        logits = new float[vocabulary];
        try {
            for (int count : plan.batches) {
                batches.add(new BatchDecode(model, count, plan.batchSteps()));
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    Result run(Limits limits) {
        // For the compiler.
        for (int i = 0; i < 2; i++) {
            limits.readBandwidth(plan.limitSeconds / 2);
            limits.fmaPeak(plan.limitSeconds / 2);
            round();
            batches.forEach(batch -> batch.tokensPerSecond(plan.batchSteps()));
        }
        double[] promptSpeed = new double[plan.rounds];
        double[] decodeSpeed = new double[plan.rounds];
        double[][] batchSpeeds = new double[batches.size()][plan.rounds];
        double[] bandwidth = new double[plan.rounds];
        double[] peak = new double[plan.rounds];
        for (int i = 0; i < plan.rounds; i++) {
            double peakBefore = limits.fmaPeak(plan.limitSeconds);
            double bandwidthBefore = limits.readBandwidth(plan.limitSeconds);
            double[] seconds = round();
            promptSpeed[i] = plan.promptTokens / seconds[0];
            decodeSpeed[i] = plan.decodeTokens / seconds[1];
            for (int b = 0; b < batchSpeeds.length; b++) {
                batchSpeeds[b][i] = batches.get(b).tokensPerSecond(plan.batchSteps());
            }
            // Before and after: what other processes do to the machine changes within seconds.
            bandwidth[i] = (bandwidthBefore + limits.readBandwidth(plan.limitSeconds)) / 2;
            peak[i] = (peakBefore + limits.fmaPeak(plan.limitSeconds)) / 2;
        }
        return new Result(new Samples(promptSpeed), new Samples(decodeSpeed),
                Arrays.stream(batchSpeeds).map(Samples::new).toList(), new Samples(bandwidth), new Samples(peak));
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
        batches.forEach(BatchDecode::close);
        session.close();
    }
}
