package org.vecformer.engine.generation;

import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Greedy;
import org.vecformer.engine.sampler.Sampler;

/** Another sampler for so many accepted tokens, and then the most likely token. */
final class BurnIn implements Sampler {

    private final Sampler drawing;
    private final int steps;
    private final Greedy greedy = new Greedy();
    private int step;

    BurnIn(Sampler drawing, int steps) {
        this.drawing = drawing;
        this.steps = steps;
    }

    @Override
    public void apply(Candidates candidates) {
        (step < steps ? drawing : greedy).apply(candidates);
    }

    @Override
    public void accept(int token) {
        step++;
        drawing.accept(token);
    }

    @Override
    public void reset() {
        step = 0;
        drawing.reset();
    }

    @Override
    public BurnIn copy() {
        BurnIn copy = new BurnIn(drawing.copy(), steps);
        copy.step = step;
        return copy;
    }
}
