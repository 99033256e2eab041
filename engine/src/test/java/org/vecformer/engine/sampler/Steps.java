package org.vecformer.engine.sampler;

import java.util.Arrays;
import java.util.SplittableRandom;

/** One step of a sampler, for tests. */
final class Steps {
    static final float LOWEST = Float.NEGATIVE_INFINITY;

    private Steps() {
    }

    /** All logits after the sampler; of candidates that it removed, negative infinity. */
    static float[] logitsAfter(Sampler sampler, float... logits) {
        Candidates candidates = applied(sampler, logits);
        float[] after = new float[logits.length];
        for (int id = 0; id < logits.length; id++) {
            int index = candidates.indexOf(id);
            after[id] = index < 0 ? LOWEST : candidates.logits()[index];
        }
        return after;
    }

    /** The ids that the sampler leaves, in its order. */
    static int[] kept(Sampler sampler, float... logits) {
        Candidates candidates = applied(sampler, logits);
        return Arrays.copyOf(candidates.ids(), candidates.size());
    }

    static Candidates applied(Sampler sampler, float... logits) {
        Candidates candidates = new Candidates(logits.length);
        candidates.load(logits);
        sampler.apply(candidates);
        return candidates;
    }

    /** The sampler, behind a text. */
    static <S extends Sampler> S behind(S sampler, int[] prompt, int... continuation) {
        sampler.acceptPrompt(prompt);
        for (int token : continuation) {
            sampler.accept(token);
        }
        return sampler;
    }

    /** Logarithms of probabilities. */
    static float[] logs(double... probabilities) {
        float[] logs = new float[probabilities.length];
        for (int i = 0; i < logs.length; i++) {
            logs[i] = (float) Math.log(probabilities[i]);
        }
        return logs;
    }

    static double[] softmax(float... logits) {
        double max = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            max = Math.max(max, logit);
        }
        double[] probabilities = new double[logits.length];
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] = Math.exp(logits[i] - max);
            sum += probabilities[i];
        }
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] /= sum;
        }
        return probabilities;
    }

    /** Between 1 and 400 logits: continuous, or with many ties, or with impossible tokens. */
    static float[] randomLogits(SplittableRandom random) {
        float[] logits = new float[1 + random.nextInt(400)];
        int kind = random.nextInt(3);
        for (int i = 0; i < logits.length; i++) {
            float value = (float) random.nextGaussian() * 4;
            logits[i] = switch (kind) {
                case 0 -> value;
                case 1 -> Math.round(value);
                default -> i > 0 && random.nextInt(3) == 0 ? LOWEST : value;
            };
        }
        return logits;
    }

    /** A text over few tokens, so that it repeats itself. */
    static int[] randomText(SplittableRandom random, int length, int tokens) {
        return random.ints(length, 0, tokens).toArray();
    }
}
