package org.vecformer.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
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
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.Sampling;
import org.vecformer.engine.sampler.SamplingContext;

/**
 * What each sampler costs on GPT-2's 50,257 logits, behind a text of 512 tokens. Every figure has in it the copy of the
 * logits, which is what NOTHING does.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"})
public class SamplerBenchmark {

    private static final int VOCABULARY = 50257;
    private static final int END = VOCABULARY - 1;
    private static final int PROMPT = 256;
    private static final int CONTINUATION = 256;

    /** The samplers, and chains of them. */
    public enum Stage {
        NOTHING(s -> s), TEMPERATURE(s -> s.temperature(0.8)), TOP_K(s -> s.topK(50)), TOP_P(s -> s.topP(0.9)),
        MIN_P(s -> s.minP(0.05)), TYPICAL_P(s -> s.typicalP(0.9)), EPSILON_CUTOFF(s -> s.epsilonCutoff(5e-4)),
        ETA_CUTOFF(s -> s.etaCutoff(5e-4)), TOP_H(s -> s.topH(0.4)), TOP_N_SIGMA(s -> s.topNSigma(1)),
        XTC(s -> s.xtc(1, 0.01)), REPETITION_PENALTY(s -> s.repetitionPenalty(1.1)),
        ENCODER_REPETITION_PENALTY(s -> s.encoderRepetitionPenalty(1.1)),
        PRESENCE_FREQUENCY_PENALTY(s -> s.presenceFrequencyPenalty(0.5, 0.5, 0)), DRY(s -> s.dry(0.8)),
        NO_REPEAT_NGRAM(s -> s.noRepeatNgramSize(3)), ENCODER_NO_REPEAT_NGRAM(s -> s.encoderNoRepeatNgramSize(3)),
        BAD_WORDS(s -> s.badWords(List.of(new int[]{7}, new int[]{1, 2}, new int[]{3, 4, 5}))),
        SEQUENCE_BIAS(s -> s.sequenceBias(Map.of(List.of(7), 1f, List.of(1, 2), 2f, List.of(3, 4, 5), 3f))),
        SUPPRESS_TOKENS(s -> s.suppressTokens(1, 2, 3)), BEGIN_SUPPRESS_TOKENS(s -> s.beginSuppressTokens(1, 2, 3)),
        MIN_LENGTH(s -> s.minLength(1000)), MIN_NEW_TOKENS(s -> s.minNewTokens(1000)),
        FORCED_FIRST_TOKEN(s -> s.forcedFirstToken(1)), FORCED_LAST_TOKEN(s -> s.forcedLastToken(END)),
        EXPONENTIAL_DECAY(s -> s.exponentialDecayLengthPenalty(100, 1.01)),
        REMOVE_INVALID_VALUES(Sampling::removeInvalidValues), RENORMALIZE(Sampling::renormalize),
        /** And the choice of a token. */
        MULTINOMIAL(s -> s, true), MIROSTAT(s -> s.mirostat(5, 0.1), true),
        USUAL_CHAIN(s -> s.repetitionPenalty(1.1).temperature(0.8).topK(50).topP(0.95), true),
        LONG_CHAIN(s -> s.repetitionPenalty(1.1).presenceFrequencyPenalty(0.1, 0.1, 64).dry(0.8).noRepeatNgramSize(4)
                .temperature(0.9).topNSigma(2).topK(100).topP(0.95).minP(0.02).typicalP(0.95).renormalize(), true);

        private final Sampling sampling;
        private final boolean choosing;

        Stage(UnaryOperator<Sampling> recipe) {
            this(recipe, false);
        }

        Stage(UnaryOperator<Sampling> recipe, boolean choosing) {
            this.sampling = recipe.apply(Sampling.none());
            this.choosing = choosing;
        }

        private Sampler sampler() {
            SamplerChain chain = sampling.processors(
                    new SamplingContext(PROMPT + CONTINUATION + 1, new int[]{END}, 1, 1), true);
            return choosing ? SamplerChain.of(chain, sampling.draw(1)) : chain;
        }
    }

    @Param
    public Stage stage;

    private float[] logits;
    private Candidates candidates;
    private Sampler sampler;
    private float[] expected;

    @Setup
    public void prepare() {
        SplittableRandom random = new SplittableRandom(7);
        logits = new float[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) {
            // Like a trained model's: a normal distribution with a few far above.
            logits[i] = (float) (2.5 * random.nextGaussian()) + (random.nextInt(1000) == 0 ? 10 : 0);
        }
        candidates = new Candidates(VOCABULARY);
        sampler = stage.sampler();
        // A text with repetitions.
        int[] text = IntStream.range(0, PROMPT + CONTINUATION).map(i -> i % 100 < 40 ? i % 100 : random.nextInt(END))
                .toArray();
        sampler.acceptPrompt(Arrays.copyOf(text, PROMPT));
        for (int i = PROMPT; i < text.length; i++) {
            sampler.accept(text[i]);
        }
        apply();
        expected = left();
        if (stage == Stage.NOTHING && !Arrays.equals(expected, logits)) {
            throw new IllegalStateException("Without samplers the logits are not the same");
        }
    }

    @Benchmark
    public int apply() {
        candidates.load(logits);
        sampler.apply(candidates);
        return candidates.size();
    }

    /** All logits, those of candidates that were removed as NaN. */
    private float[] left() {
        float[] left = new float[VOCABULARY];
        Arrays.fill(left, Float.NaN);
        for (int i = 0; i < candidates.size(); i++) {
            left[candidates.ids()[i]] = candidates.logits()[i];
        }
        return left;
    }

    /** What compiled code leaves is what the interpreter left at first. */
    @TearDown
    public void checkAgain() {
        apply();
        if (!Arrays.equals(expected, left())) {
            throw new IllegalStateException(stage + " does not leave the same logits as at first");
        }
    }
}
