package org.vecformer.engine.generation;

import java.util.ArrayList;
import java.util.List;

/** Steps of continuations, with guidance if there is any. */
final class GuidedStepper {

    private final Generation generation;
    private final Stepper stepper;
    private final List<Context> contexts = new ArrayList<>();

    GuidedStepper(Generation generation, Stepper stepper) {
        this.generation = generation;
        this.stepper = stepper;
    }

    /**
     * Computes what is missing in these, all as one batch.
     *
     * @return false if it was interrupted on the way: then there are no new logits
     */
    boolean advance(List<GuidedContext> guided) {
        contexts.clear();
        // By index, as an iterator would be garbage in each step.
        for (int i = 0; i < guided.size(); i++) {
            contexts.add(guided.get(i).context());
            if (guided.get(i).negative() != null) {
                contexts.add(guided.get(i).negative());
            }
        }
        return stepper.advance(contexts, generation.options().useCache(), false, generation.interruption());
    }

    /**
     * What is known of the logits behind one of the last step's, guided if there is guidance; to be called once for each.
     *
     * @param index in the list of the last step
     */
    NextLogits next(int index) {
        if (generation.options().guidance().isPresent()) {
            logits(index);
            return stepper.next(2 * index);
        }
        return stepper.next(index);
    }

    /**
     * The logits behind one of the last step's, guided if there is guidance; to be called once for each.
     *
     * @param index in the list of the last step
     */
    float[] logits(int index) {
        if (generation.options().guidance().isEmpty()) {
            return stepper.logits(index);
        }
        float[] logits = stepper.logits(2 * index);
        generation.options().guidance().get().apply(logits, stepper.logits(2 * index + 1));
        return logits;
    }
}
