package org.vecformer.engine.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MultinomialTest {
    private static final double[] DISTRIBUTION = {0.02, 0.3, 0, 0.08, 0.25, 0.1, 0, 0.2, 0.05};

    @Test
    void theGeneratorIsThatOfSplittableRandom() {
        for (long seed : new long[]{0, 1, -1, 42, Long.MIN_VALUE}) {
            SplittableRandom theirs = new SplittableRandom(seed);
            SplitMix64 ours = new SplitMix64(seed);
            for (int i = 0; i < 1000; i++) {
                assertThat(ours.nextDouble()).isEqualTo(theirs.nextDouble());
            }
        }
    }

    /** Pearson's test; 7 possible outcomes, so 6 degrees of freedom: 22.46 is exceeded once in a thousand seeds. */
    @Test
    void drawsFollowTheDistribution() {
        for (long seed = 1; seed <= 5; seed++) {
            Sampler sampler = new Multinomial(seed);
            Candidates candidates = new Candidates(DISTRIBUTION.length);
            int draws = 100_000;
            int[] counts = new int[DISTRIBUTION.length];
            for (int i = 0; i < draws; i++) {
                counts[draw(sampler, candidates)]++;
            }
            double chiSquared = 0;
            for (int id = 0; id < counts.length; id++) {
                double expected = draws * DISTRIBUTION[id];
                if (expected == 0) {
                    assertThat(counts[id]).isZero();
                } else {
                    chiSquared += (counts[id] - expected) * (counts[id] - expected) / expected;
                }
            }
            assertThat(chiSquared).as("seed %s", seed).isBetween(0.4, 22.46);
        }
    }

    @Test
    void theChoiceIsTheInverseOfTheCumulativeDistributionInOrderOfId() {
        SplittableRandom random = new SplittableRandom(9);
        Sampler sampler = new Multinomial(9);
        Candidates candidates = new Candidates(4);
        for (int i = 0; i < 1000; i++) {
            candidates.load(new float[]{0, 0, 0, 0});
            sampler.apply(candidates);
            assertThat(candidates.selectedToken()).isEqualTo((int) (random.nextDouble() * 4));
        }
    }

    @Test
    void theChoiceDoesNotDependOnTheOrderOfCandidates() {
        SplittableRandom random = new SplittableRandom(10);
        Sampler first = new Multinomial(3);
        Sampler second = new Multinomial(3);
        Candidates inOrder = new Candidates(50);
        Candidates sorted = new Candidates(50);
        for (int i = 0; i < 1000; i++) {
            float[] logits = new float[50];
            for (int id = 0; id < logits.length; id++) {
                logits[id] = (float) random.nextDouble(-4, 4);
            }
            inOrder.load(logits);
            sorted.load(logits);
            sorted.sortByLogit();
            first.apply(inOrder);
            second.apply(sorted);
            assertThat(inOrder.selectedToken()).isEqualTo(sorted.selectedToken());
        }
    }

    @Test
    void copyGoesOnAloneAndResetStartsAgain() {
        Sampler original = SamplerChain.of(new Temperature(0.9), new TopP(0.99), new Multinomial(77));
        int[] expected = draws(original.copy(), 60);
        assertThat(draws(original, 30)).isEqualTo(Arrays.copyOf(expected, 30));
        Sampler copy = original.copy();
        // What the copy does must not move the original.
        int[] rest = Arrays.copyOfRange(expected, 30, 60);
        assertThat(draws(copy, 30)).isEqualTo(rest);
        assertThat(draws(original, 30)).isEqualTo(rest);
        original.reset();
        assertThat(draws(original, 60)).isEqualTo(expected);
        copy.reset();
        assertThat(draws(copy, 60)).isEqualTo(expected);
        assertThat(draws(new Multinomial(78), 60)).isNotEqualTo(draws(new Multinomial(79), 60));
    }

    @Test
    void everyStepTakesOneNumberWhateverTheCandidates() {
        Sampler sampler = new Multinomial(5);
        SplittableRandom random = new SplittableRandom(5);
        Candidates one = new Candidates(1);
        Candidates many = new Candidates(1000);
        for (int i = 0; i < 100; i++) {
            one.load(new float[1]);
            sampler.apply(one);
            assertThat(one.selectedToken()).isZero();
            random.nextDouble();
            many.load(new float[1000]);
            sampler.apply(many);
            assertThat(many.selectedToken()).isEqualTo((int) (random.nextDouble() * 1000));
        }
    }

    @Test
    void nothingPossibleIsAnError() {
        Candidates candidates = new Candidates(3);
        candidates.load(new float[]{Float.NEGATIVE_INFINITY, Float.NaN, Float.NEGATIVE_INFINITY});
        assertThatIllegalStateException().isThrownBy(() -> new Multinomial(1).apply(candidates))
                .withMessageContaining("None of the 3 candidates");
    }

    @Test
    void aChainPassesEverythingOn() {
        StringBuilder log = new StringBuilder();
        class Recorder implements Sampler {
            private final char name;

            Recorder(char name) {
                this.name = name;
            }

            @Override
            public void apply(Candidates candidates) {
                log.append(name).append("a ");
            }

            @Override
            public void acceptPrompt(int[] ids) {
                log.append(name).append('p').append(ids.length).append(' ');
            }

            @Override
            public void accept(int token) {
                log.append(name).append(token).append(' ');
            }

            @Override
            public void reset() {
                log.append(name).append("r ");
            }

            @Override
            public Sampler copy() {
                return new Recorder(Character.toUpperCase(name));
            }
        }
        SamplerChain chain = SamplerChain.of(new Recorder('x'), SamplerChain.of(new Recorder('y')));
        chain.acceptPrompt(new int[]{1, 2});
        chain.apply(new Candidates(1));
        chain.copy().accept(5);
        chain.accept(6);
        chain.reset();
        assertThat(log.toString()).isEqualTo("xp2 yp2 xa ya X5 Y5 x6 y6 xr yr ");
        assertThat(chain.samplers()).hasSize(2);
    }

    /** A step at the size of GPT-2's vocabulary leaves nothing on the heap. */
    @Test
    void aStepAllocatesNothing() {
        int vocabulary = 50_257;
        float[] logits = new float[vocabulary];
        SplittableRandom random = new SplittableRandom(11);
        for (int i = 0; i < vocabulary; i++) {
            logits[i] = (float) random.nextGaussian() * 3;
        }
        Candidates candidates = new Candidates(vocabulary);
        Sampler[] chains = {
            SamplerChain.of(new Temperature(0.8), new TopK(50), new TopP(0.9), new Multinomial(1)),
            SamplerChain.of(new TopP(0.9), new Multinomial(1)), new Greedy()};
        int[] best = new int[10];
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long leastAllocated = Long.MAX_VALUE;
        // The first rounds load classes and compile; the measuring call may itself allocate at first.
        for (int round = 0; round < 20; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (Sampler chain : chains) {
                candidates.load(logits);
                chain.apply(candidates);
                chain.accept(candidates.selectedToken());
                candidates.best(10, best);
            }
            leastAllocated = Math.min(leastAllocated, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(leastAllocated).isZero();
    }

    private static int[] draws(Sampler sampler, int count) {
        Candidates candidates = new Candidates(DISTRIBUTION.length);
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = draw(sampler, candidates);
        }
        return tokens;
    }

    private static int draw(Sampler sampler, Candidates candidates) {
        for (int id = 0; id < DISTRIBUTION.length; id++) {
            candidates.logits()[id] = (float) Math.log(DISTRIBUTION[id]);
        }
        candidates.fill();
        sampler.apply(candidates);
        sampler.accept(candidates.selectedToken());
        return candidates.selectedToken();
    }
}
