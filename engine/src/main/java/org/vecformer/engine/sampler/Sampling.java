package org.vecformer.engine.sampler;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.stream.Collectors;

/**
 * What is done with the logits before a token is chosen, told by the names that the ecosystem uses; a recipe of which
 * each sequence gets samplers of its own. Immutable and thread-safe; each method gives a changed copy.
 *
 * {@snippet file="org/vecformer/engine/snippets/GenerationSnippets.java" region="sampling"}
 * A value that changes nothing (temperature 1, top-k 0, top-p 1, a penalty of 1 or 0 ...) is as if it had not been
 * given: the stage is not there. A value that makes no sense is refused at once, with an
 * {@link IllegalArgumentException} that names it. The stages come in the order of {@link SamplerKind}, which is Hugging
 * Face's, or in one that {@link #order} sets.
 */
public final class Sampling {
    private static final LongFunction<Sampler> MULTINOMIAL = Multinomial::new;
    private static final Sampling NONE = new Sampling(new EnumMap<>(SamplerKind.class), Map.of(),
            List.of(SamplerKind.values()), MULTINOMIAL);
    /** For a first try of each maker: what is wrong with its parameters shall come out where they are given. */
    private static final SamplingContext TRIAL = new SamplingContext(Integer.MAX_VALUE, new int[]{0}, 1, 0);

    private final Map<SamplerKind, Maker> makers;
    private final Map<List<Integer>, Float> biases;
    private final List<SamplerKind> order;
    private final LongFunction<Sampler> choice;

    /** Makes the sampler of one stage for one sequence. */
    private interface Maker {
        Sampler make(SamplingContext context, Sampling recipe);
    }

    private Sampling(Map<SamplerKind, Maker> makers, Map<List<Integer>, Float> biases,
            List<SamplerKind> order, LongFunction<Sampler> choice) {
        this.makers = makers;
        this.biases = biases;
        this.order = order;
        this.choice = choice;
    }

    /** The logits as they are. */
    public static Sampling none() {
        return NONE;
    }

    /** See {@link Temperature}; 1 changes nothing. */
    public Sampling temperature(double temperature) {
        return temperature == 1
                ? without(SamplerKind.TEMPERATURE)
                : with(SamplerKind.TEMPERATURE, new Temperature(temperature));
    }

    /** See {@link TopK}; 0 is no limit. */
    public Sampling topK(int k) {
        return k == 0
                ? without(SamplerKind.TOP_K)
                : with(SamplerKind.TOP_K, context -> new TopK(k, context.minTokensToKeep()));
    }

    /** See {@link TopP}; 1 is no limit. */
    public Sampling topP(double p) {
        return p == 1
                ? without(SamplerKind.TOP_P)
                : with(SamplerKind.TOP_P, context -> new TopP(p, context.minTokensToKeep()));
    }

    /** See {@link MinP}; 0 is no limit. */
    public Sampling minP(double p) {
        return p == 0
                ? without(SamplerKind.MIN_P)
                : with(SamplerKind.MIN_P, context -> new MinP(p, context.minTokensToKeep()));
    }

    /** See {@link TypicalP}; 1 is no limit. */
    public Sampling typicalP(double mass) {
        return mass == 1
                ? without(SamplerKind.TYPICAL_P)
                : with(SamplerKind.TYPICAL_P, context -> new TypicalP(mass, context.minTokensToKeep()));
    }

    /** See {@link EpsilonCutoff}; 0 is no limit. */
    public Sampling epsilonCutoff(double epsilon) {
        return epsilon == 0
                ? without(SamplerKind.EPSILON_CUTOFF)
                : with(SamplerKind.EPSILON_CUTOFF, context -> new EpsilonCutoff(epsilon, context.minTokensToKeep()));
    }

    /** See {@link EtaCutoff}; 0 is no limit. */
    public Sampling etaCutoff(double epsilon) {
        return epsilon == 0
                ? without(SamplerKind.ETA_CUTOFF)
                : with(SamplerKind.ETA_CUTOFF, context -> new EtaCutoff(epsilon, context.minTokensToKeep()));
    }

    /** See {@link TopH}. */
    public Sampling topH(double topH) {
        return with(SamplerKind.TOP_H, _ -> new TopH(topH));
    }

    /** See {@link TopNSigma}; 0 is no limit. */
    public Sampling topNSigma(double n) {
        return n == 0 ? without(SamplerKind.TOP_N_SIGMA) : with(SamplerKind.TOP_N_SIGMA, new TopNSigma(n));
    }

    /**
     * See {@link Xtc}; with the probability 0 nothing is excluded.
     *
     * @param probability that the top choices are excluded in a step
     * @param threshold   what makes a top choice
     */
    public Sampling xtc(double probability, double threshold) {
        return probability == 0
                ? without(SamplerKind.XTC)
                : with(SamplerKind.XTC,
                        context -> new Xtc(probability, threshold, context.minTokensToKeep(), context.seed()));
    }

    /** See {@link RepetitionPenalty}; 1 is none. */
    public Sampling repetitionPenalty(double penalty) {
        return repetitionPenalty(penalty, 0);
    }

    /**
     * See {@link RepetitionPenalty}; 1 is none.
     *
     * @param ignoredTokens so many tokens at the beginning of the prompt do not count
     */
    public Sampling repetitionPenalty(double penalty, int ignoredTokens) {
        return penalty == 1
                ? without(SamplerKind.REPETITION_PENALTY)
                : with(SamplerKind.REPETITION_PENALTY, _ -> new RepetitionPenalty(penalty, ignoredTokens));
    }

    /** See {@link EncoderRepetitionPenalty}; 1 is none. */
    public Sampling encoderRepetitionPenalty(double penalty) {
        return penalty == 1
                ? without(SamplerKind.ENCODER_REPETITION_PENALTY)
                : with(SamplerKind.ENCODER_REPETITION_PENALTY, _ -> new EncoderRepetitionPenalty(penalty));
    }

    /**
     * See {@link PresenceFrequencyPenalty}; two zeros are none.
     *
     * @param window so many last tokens of prompt and continuation count; 0: those of the continuation
     */
    public Sampling presenceFrequencyPenalty(double presence, double frequency, int window) {
        return presence == 0 && frequency == 0
                ? without(SamplerKind.PRESENCE_FREQUENCY_PENALTY)
                : with(SamplerKind.PRESENCE_FREQUENCY_PENALTY,
                        _ -> new PresenceFrequencyPenalty(presence, frequency, window));
    }

    /**
     * See {@link Dry}, here with the base 1.75 and the allowed length 2 that its author proposes, on the whole text,
     * and without breakers; the multiplier 0 is no penalty.
     */
    public Sampling dry(double multiplier) {
        return dry(multiplier, 1.75, 2, 0, List.of());
    }

    /** See {@link Dry}; the multiplier 0 is no penalty. */
    public Sampling dry(double multiplier, double base, int allowedLength, int window, List<int[]> breakers) {
        return multiplier == 0
                ? without(SamplerKind.DRY)
                : with(SamplerKind.DRY, new Dry(multiplier, base, allowedLength, window, breakers));
    }

    /** See {@link NoRepeatNgram}; 0 is no limit. */
    public Sampling noRepeatNgramSize(int size) {
        return size == 0
                ? without(SamplerKind.NO_REPEAT_NGRAM)
                : with(SamplerKind.NO_REPEAT_NGRAM, _ -> new NoRepeatNgram(size));
    }

    /** See {@link EncoderNoRepeatNgram}; 0 is no limit. */
    public Sampling encoderNoRepeatNgramSize(int size) {
        return size == 0
                ? without(SamplerKind.ENCODER_NO_REPEAT_NGRAM)
                : with(SamplerKind.ENCODER_NO_REPEAT_NGRAM, _ -> new EncoderNoRepeatNgram(size));
    }

    /** See {@link BadWords}. */
    public Sampling badWords(List<int[]> sequences) {
        List<int[]> copies = sequences.stream().map(int[]::clone).toList();
        return with(SamplerKind.BAD_WORDS, context -> new BadWords(copies, context.endTokens()));
    }

    /**
     * See {@link SequenceBias}. Sequences that were given before, here or as {@link #logitBias}, keep their biases,
     * unless they are given again.
     */
    public Sampling sequenceBias(Map<List<Integer>, Float> added) {
        Map<List<Integer>, Float> merged = new LinkedHashMap<>(biases);
        merged.putAll(added);
        SequenceBias prototype = new SequenceBias(merged);
        Sampling changed = with(SamplerKind.SEQUENCE_BIAS, prototype);
        return new Sampling(changed.makers, merged, order, choice);
    }

    /** A {@link #sequenceBias} for sequences of one token. */
    public Sampling logitBias(Map<Integer, Float> added) {
        Map<List<Integer>, Float> sequences = new LinkedHashMap<>();
        added.forEach((token, bias) -> sequences.put(List.of(token), bias));
        return sequenceBias(sequences);
    }

    /** See {@link SuppressTokens}. */
    public Sampling suppressTokens(int... tokens) {
        return with(SamplerKind.SUPPRESS_TOKENS, new SuppressTokens(tokens));
    }

    /** See {@link BeginSuppressTokens}. */
    public Sampling beginSuppressTokens(int... tokens) {
        int[] copy = tokens.clone();
        return with(SamplerKind.BEGIN_SUPPRESS_TOKENS,
                (_, recipe) -> new BeginSuppressTokens(recipe.has(SamplerKind.FORCED_FIRST_TOKEN), copy));
    }

    /** See {@link MinLength}; 0 is no limit. */
    public Sampling minLength(int length) {
        return length == 0
                ? without(SamplerKind.MIN_LENGTH)
                : with(SamplerKind.MIN_LENGTH, context -> new MinLength(length, context.endTokens()));
    }

    /** See {@link MinNewTokens}; 0 is no limit. */
    public Sampling minNewTokens(int count) {
        return count == 0
                ? without(SamplerKind.MIN_NEW_TOKENS)
                : with(SamplerKind.MIN_NEW_TOKENS, context -> new MinNewTokens(count, context.endTokens()));
    }

    /** See {@link ForcedFirstToken}. */
    public Sampling forcedFirstToken(int token) {
        return with(SamplerKind.FORCED_FIRST_TOKEN, _ -> new ForcedFirstToken(token));
    }

    /** See {@link ForcedLastToken}. */
    public Sampling forcedLastToken(int... tokens) {
        int[] copy = tokens.clone();
        return with(SamplerKind.FORCED_LAST_TOKEN, context -> new ForcedLastToken(context.maxLength(), copy));
    }

    /**
     * See {@link ExponentialDecayLengthPenalty}; the factor 1 is none. Making samplers fails where there is no end
     * token.
     */
    public Sampling exponentialDecayLengthPenalty(int start, double factor) {
        return factor == 1
                ? without(SamplerKind.EXPONENTIAL_DECAY_LENGTH_PENALTY)
                : with(SamplerKind.EXPONENTIAL_DECAY_LENGTH_PENALTY,
                        context -> new ExponentialDecayLengthPenalty(start, factor, context.endTokens()));
    }

    /** See {@link RemoveInvalidValues}. */
    public Sampling removeInvalidValues() {
        return with(SamplerKind.REMOVE_INVALID_VALUES, new RemoveInvalidValues());
    }

    /** See {@link Renormalize}. */
    public Sampling renormalize() {
        return with(SamplerKind.RENORMALIZE, new Renormalize());
    }

    /** What the text has to match: copies of this sampler, which forbids what does not. */
    public Sampling constraint(Sampler prototype) {
        return with(SamplerKind.CONSTRAINT, prototype);
    }

    /** Draws by {@link Mirostat} in the place of {@link Multinomial}. */
    public Sampling mirostat(double tau, double eta) {
        LongFunction<Sampler> mirostat = seed -> new Mirostat(tau, eta, seed);
        mirostat.apply(0);
        return new Sampling(makers, biases, order, mirostat);
    }

    /** Whether {@link #draw} draws each token with just the probability that the samplers leave it. */
    public boolean drawsPlainly() {
        return choice == MULTINOMIAL;
    }

    /**
     * With the stages in this order. All that are set must be in it when samplers are made; those that are not set do
     * not matter.
     *
     * @throws IllegalArgumentException if one comes twice
     */
    public Sampling order(List<SamplerKind> kinds) {
        Set<SamplerKind> seen = EnumSet.noneOf(SamplerKind.class);
        for (SamplerKind kind : kinds) {
            if (!seen.add(kind)) {
                throw new IllegalArgumentException(
                        "The order of samplers has " + kind.label() + " twice; each may come once");
            }
        }
        return new Sampling(makers, biases, List.copyOf(kinds), choice);
    }

    /** With copies of this sampler in that place. */
    public Sampling with(SamplerKind kind, Sampler prototype) {
        return with(kind, _ -> prototype.copy());
    }

    private Sampling with(SamplerKind kind, Function<SamplingContext, Sampler> maker) {
        return with(kind, (context, _) -> maker.apply(context));
    }

    private Sampling with(SamplerKind kind, Maker maker) {
        maker.make(TRIAL, this);
        Map<SamplerKind, Maker> changed = new EnumMap<>(makers);
        changed.put(kind, maker);
        return new Sampling(changed, biases, order, choice);
    }

    /** Without what is in that place. */
    public Sampling without(SamplerKind kind) {
        Map<SamplerKind, Maker> changed = new EnumMap<>(makers);
        changed.remove(kind);
        return new Sampling(changed, kind == SamplerKind.SEQUENCE_BIAS ? Map.of() : biases, order, choice);
    }

    /** Whether something is in that place. */
    public boolean has(SamplerKind kind) {
        return makers.containsKey(kind);
    }

    /**
     * The samplers for one sequence, in order; the choice of a token is not among them.
     *
     * @param drawing whether a token will be drawn: otherwise those that shape the distribution are left out
     * @throws IllegalArgumentException if the order does not have what is set, or a sampler needs an end token that is
     *                                  not there
     */
    public SamplerChain processors(SamplingContext context, boolean drawing) {
        Set<SamplerKind> missing = EnumSet.noneOf(SamplerKind.class);
        missing.addAll(makers.keySet());
        order.forEach(missing::remove);
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException("The order of samplers is "
                    + order.stream().map(SamplerKind::label).collect(Collectors.joining(", ")) + "; it lacks "
                    + missing.stream().map(SamplerKind::label).collect(Collectors.joining(", "))
                    + ", which is set: put it in its place, or do not set it");
        }
        List<Sampler> samplers = new ArrayList<>();
        for (SamplerKind kind : order) {
            Maker maker = makers.get(kind);
            if (maker != null && (drawing || !kind.isForDrawing())) {
                samplers.add(maker.make(context, this));
            }
        }
        return new SamplerChain(samplers);
    }

    /** What draws a token at the end of a chain. */
    public Sampler draw(long seed) {
        return choice.apply(seed);
    }

    /** The stages, in order. */
    @Override
    public String toString() {
        return order.stream().filter(makers::containsKey).map(SamplerKind::label)
                .collect(Collectors.joining(", ", "Sampling[", "]"));
    }
}
