package org.vecformer.engine.sampler;

import java.util.List;

/**
 * Samplers one after the other, in the order given; itself a sampler. The chain owns its samplers: what happens to it
 * happens to each.
 */
public final class SamplerChain implements Sampler {
    private final Sampler[] samplers;

    /** A chain of these, in this order. An empty chain does nothing. */
    public SamplerChain(List<? extends Sampler> samplers) {
        this.samplers = List.copyOf(samplers).toArray(Sampler[]::new);
    }

    /** A chain of these, in this order. */
    public static SamplerChain of(Sampler... samplers) {
        return new SamplerChain(List.of(samplers));
    }

    /** The samplers, in order. */
    public List<Sampler> samplers() {
        return List.of(samplers);
    }

    @Override
    public void apply(Candidates candidates) {
        for (Sampler sampler : samplers) {
            sampler.apply(candidates);
        }
    }

    @Override
    public LogitsNeeded needs(LogitsNeeded behind) {
        LogitsNeeded needed = behind;
        for (int i = samplers.length - 1; i >= 0; i--) {
            needed = samplers[i].needs(needed);
        }
        return needed;
    }

    @Override
    public void acceptPrompt(int[] ids) {
        for (Sampler sampler : samplers) {
            sampler.acceptPrompt(ids);
        }
    }

    @Override
    public void accept(int token) {
        for (Sampler sampler : samplers) {
            sampler.accept(token);
        }
    }

    /** Whether one of the samplers says so. */
    @Override
    public boolean isComplete() {
        for (Sampler sampler : samplers) {
            if (sampler.isComplete()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void reset() {
        for (Sampler sampler : samplers) {
            sampler.reset();
        }
    }

    @Override
    public SamplerChain copy() {
        Sampler[] copies = new Sampler[samplers.length];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = samplers[i].copy();
        }
        return new SamplerChain(List.of(copies));
    }
}
