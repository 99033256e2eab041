package org.vecformer.engine.sampler;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * What is done with the logits before a token is chosen, told by the names that the ecosystem uses; a recipe of which
 * each sequence gets samplers of its own. Immutable and thread-safe; each method gives a changed copy.
 *
 * <pre>{@code
 * Sampling sampling = Sampling.none().temperature(0.8).topK(40).repetitionPenalty(1.1);
 * }</pre>
 */
public final class Sampling {
    private static final Sampling NONE = new Sampling(new EnumMap<>(SamplerKind.class), List.of(SamplerKind.values()));

    private final Map<SamplerKind, Function<SamplingContext, Sampler>> makers;
    private final List<SamplerKind> order;

    private Sampling(Map<SamplerKind, Function<SamplingContext, Sampler>> makers, List<SamplerKind> order) {
        this.makers = makers;
        this.order = order;
    }

    /** The logits as they are. */
    public static Sampling none() {
        return NONE;
    }

    /** See {@link Temperature}. */
    public Sampling temperature(double temperature) {
        return with(SamplerKind.TEMPERATURE, new Temperature(temperature));
    }

    /** See {@link TopK}. */
    public Sampling topK(int k) {
        return with(SamplerKind.TOP_K, context -> new TopK(k, context.minTokensToKeep()));
    }

    /** See {@link TopP}. */
    public Sampling topP(double p) {
        return with(SamplerKind.TOP_P, context -> new TopP(p, context.minTokensToKeep()));
    }

    /** With copies of this sampler in that place. */
    public Sampling with(SamplerKind kind, Sampler prototype) {
        return with(kind, _ -> prototype.copy());
    }

    private Sampling with(SamplerKind kind, Function<SamplingContext, Sampler> maker) {
        Map<SamplerKind, Function<SamplingContext, Sampler>> changed = new EnumMap<>(SamplerKind.class);
        changed.putAll(makers);
        changed.put(kind, maker);
        return new Sampling(changed, order);
    }

    /** Without what is in that place. */
    public Sampling without(SamplerKind kind) {
        Map<SamplerKind, Function<SamplingContext, Sampler>> changed = new EnumMap<>(SamplerKind.class);
        changed.putAll(makers);
        changed.remove(kind);
        return new Sampling(changed, order);
    }

    /** Whether something is in that place. */
    public boolean has(SamplerKind kind) {
        return makers.containsKey(kind);
    }

    /**
     * The samplers for one sequence, in order; the choice of a token is not among them.
     *
     * @param drawing whether a token will be drawn: otherwise those that shape the distribution are left out
     */
    public SamplerChain processors(SamplingContext context, boolean drawing) {
        List<Sampler> samplers = new ArrayList<>();
        for (SamplerKind kind : order) {
            Function<SamplingContext, Sampler> maker = makers.get(kind);
            if (maker != null && (drawing || !kind.isForDrawing())) {
                samplers.add(maker.apply(context));
            }
        }
        return new SamplerChain(samplers);
    }

    /** What draws a token at the end of a chain. */
    public Sampler draw(long seed) {
        return new Multinomial(seed);
    }
}
