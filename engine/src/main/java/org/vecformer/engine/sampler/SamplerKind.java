package org.vecformer.engine.sampler;

import java.util.Locale;
import java.util.Optional;

/**
 * What a sampler of {@link Sampling} does, in the order in which Hugging Face's {@code generate} applies them; those
 * that it does not have stand where llama.cpp has them among the others. The order of the constants is the default
 * order of a chain.
 */
public enum SamplerKind {
    /** {@link SequenceBias}, which {@code logit_bias} is a case of. */
    SEQUENCE_BIAS,
    /** {@link EncoderRepetitionPenalty}. */
    ENCODER_REPETITION_PENALTY,
    /** {@link RepetitionPenalty}. */
    REPETITION_PENALTY,
    /** {@link PresenceFrequencyPenalty}. */
    PRESENCE_FREQUENCY_PENALTY,
    /** {@link Dry}. */
    DRY,
    /** {@link NoRepeatNgram}. */
    NO_REPEAT_NGRAM,
    /** {@link EncoderNoRepeatNgram}. */
    ENCODER_NO_REPEAT_NGRAM,
    /** {@link BadWords}. */
    BAD_WORDS,
    /** {@link MinLength}. */
    MIN_LENGTH,
    /** {@link MinNewTokens}. */
    MIN_NEW_TOKENS,
    /** What a text has to match: a regular expression, a schema, choices, a prefix function. */
    CONSTRAINT,
    /** {@link ForcedFirstToken}. */
    FORCED_FIRST_TOKEN,
    /** {@link ForcedLastToken}. */
    FORCED_LAST_TOKEN,
    /** {@link RemoveInvalidValues}. */
    REMOVE_INVALID_VALUES,
    /** {@link ExponentialDecayLengthPenalty}. */
    EXPONENTIAL_DECAY_LENGTH_PENALTY,
    /** {@link SuppressTokens}. */
    SUPPRESS_TOKENS,
    /** {@link BeginSuppressTokens}. */
    BEGIN_SUPPRESS_TOKENS,
    /** {@link Temperature}. */
    TEMPERATURE(true),
    /** {@link TopNSigma}, whose standard deviation is that of the whole vocabulary: so before all truncations. */
    TOP_N_SIGMA(true),
    /** {@link TopH}. */
    TOP_H(true),
    /** {@link TopK}. */
    TOP_K(true),
    /** {@link TopP}. */
    TOP_P(true),
    /** {@link MinP}. */
    MIN_P(true),
    /** {@link TypicalP}. */
    TYPICAL_P(true),
    /** {@link EpsilonCutoff}. */
    EPSILON_CUTOFF(true),
    /** {@link EtaCutoff}. */
    ETA_CUTOFF(true),
    /** {@link Xtc}. */
    XTC(true),
    /** {@link Renormalize}. */
    RENORMALIZE;

    private final boolean forDrawing;

    SamplerKind() {
        this(false);
    }

    SamplerKind(boolean forDrawing) {
        this.forDrawing = forDrawing;
    }

    /** Whether it shapes the distribution that a token is drawn from, and has no place where none is drawn. */
    public boolean isForDrawing() {
        return forDrawing;
    }

    /** The name in an order given as text: "top_k". */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The kind with this label; dashes are as good as underscores. */
    public static Optional<SamplerKind> of(String label) {
        String name = label.strip().replace('-', '_').toUpperCase(Locale.ROOT);
        for (SamplerKind kind : values()) {
            if (kind.name().equals(name)) {
                return Optional.of(kind);
            }
        }
        return Optional.empty();
    }
}
