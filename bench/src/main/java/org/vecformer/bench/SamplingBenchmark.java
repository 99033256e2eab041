package org.vecformer.bench;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Greedy;
import org.vecformer.engine.sampler.Multinomial;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.Temperature;
import org.vecformer.engine.sampler.TopK;
import org.vecformer.engine.sampler.TopP;

/** Choosing one token among GPT-2's 50,257 logits, the copy of the logits included. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"})
public class SamplingBenchmark {

    private static final int VOCABULARY = 50257;
    private static final int K = 40;
    private static final double P = 0.9;

    /** The chains. */
    public enum Chain {
        GREEDY, TEMPERATURE, TOP_K, TOP_P
    }

    @Param
    public Chain chain;

    private float[] logits;
    private Candidates candidates;
    private SamplerChain sampler;
    /** What may be selected, ascending. */
    private int[] allowed;

    @Setup
    public void prepare() {
        SplittableRandom random = new SplittableRandom(7);
        logits = new float[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
            // Like a trained model's: a normal distribution with a few far above.
            logits[i] = (float) (2.5 * random.nextGaussian()) + (random.nextInt(1000) == 0 ? 10 : 0);
        }
        candidates = new Candidates(VOCABULARY);
        sampler = switch (chain) {
            case GREEDY -> SamplerChain.of(new Greedy());
            case TEMPERATURE -> SamplerChain.of(new Temperature(0.8), new Multinomial(1));
            case TOP_K -> SamplerChain.of(new TopK(K), new Multinomial(1));
            case TOP_P -> SamplerChain.of(new TopP(P), new Multinomial(1));
        };
        int[] byLogit = IntStream.range(0, VOCABULARY).boxed().sorted((a, b) -> Float.compare(logits[b], logits[a]))
                .mapToInt(Integer::intValue).toArray();
        allowed = Arrays.copyOf(byLogit, switch (chain) {
            case GREEDY -> 1;
            case TEMPERATURE -> VOCABULARY;
            case TOP_K -> K;
            case TOP_P -> nucleus(byLogit);
        });
        Arrays.sort(allowed);
        check();
    }

    /** The least number of most likely tokens that have the probability P together. */
    private int nucleus(int[] byLogit) {
        double total = 0;
        for (float logit : logits) {
            total += Math.exp(logit);
        }
        double sum = 0;
        int count = 0;
        while (sum < P * total) {
            sum += Math.exp(logits[byLogit[count++]]);
        }
        return count;
    }

    private void check() {
        for (int i = 0; i < 100; i++) {
            int token = sample();
            if (Arrays.binarySearch(allowed, token) < 0) {
                throw new IllegalStateException(
                        chain + " selected token " + token + ", which is not among the " + allowed.length
                                + " it may select");
            }
        }
        // The sampler filtered to what it should, but for the rounding of a float32 sum at the nucleus's edge.
        int size = candidates.size();
        if (chain != Chain.GREEDY && Math.abs(size - allowed.length) > 1) {
            throw new IllegalStateException(chain + " left " + size + " candidates, expected " + allowed.length);
        }
    }

    @TearDown
    public void checkAgain() {
        check();
    }

    @Benchmark
    public int sample() {
        candidates.load(logits);
        sampler.apply(candidates);
        return candidates.selectedToken();
    }
}
