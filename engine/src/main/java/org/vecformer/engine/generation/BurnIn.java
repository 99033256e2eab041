package org.vecformer.engine.generation;

import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;

/** One sampler for so many accepted tokens, and then another. */
final class BurnIn implements Sampler {

    private final Sampler first;
    private final Sampler then;
    private final int steps;
    private int step;

    BurnIn(Sampler first, Sampler then, int steps) {
        this.first = first;
        this.then = then;
        this.steps = steps;
    }

    @Override
    public void acceptPrompt(int[] ids) {
        first.acceptPrompt(ids);
        then.acceptPrompt(ids);
    }

    @Override
    public void apply(Candidates candidates) {
        (step < steps ? first : then).apply(candidates);
    }

    @Override
    public void accept(int token) {
        step++;
        first.accept(token);
        then.accept(token);
    }

    @Override
    public void reset() {
        step = 0;
        first.reset();
        then.reset();
    }

    @Override
    public BurnIn copy() {
        BurnIn copy = new BurnIn(first.copy(), then.copy(), steps);
        copy.step = step;
        return copy;
    }
}
