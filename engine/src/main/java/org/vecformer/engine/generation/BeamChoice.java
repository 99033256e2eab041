package org.vecformer.engine.generation;

import org.vecformer.engine.sampler.SamplerChain;

/** A token that a beam may go on with. */
final class BeamChoice {

    final Beam beam;
    final int id;
    /** The hypothesis's with this token. */
    final float sum;
    /** What it is chosen by: the sum, with noise if it is drawn. */
    final float rank;
    private SamplerChain processors;
    private FinishReason reason;
    private Hypothesis hypothesis;

    BeamChoice(Beam beam, int id, float sum, float rank) {
        this.beam = beam;
        this.id = id;
        this.sum = sum;
        this.rank = rank;
    }

    /** How many tokens there are with this one. */
    int length() {
        return beam.hypothesis().length() + 1;
    }

    /** Why the continuation would end with this token; null if it would go on. */
    FinishReason reasonToEnd(Generation generation, int promptLength) {
        if (processors == null) {
            processors = beam.processors().copy();
            processors.accept(id);
            Context context = beam.context().context();
            context.append(id);
            TextStream text = null;
            if (generation.endsByText()) {
                text = generation.newTextStream();
                for (int written : context.idsFrom(promptLength)) {
                    text.accept(written);
                }
            }
            reason = generation.reasonToEnd(context, promptLength, text, processors);
            context.truncate(context.length() - 1);
        }
        return reason;
    }

    /** The samplers, which have accepted the token; to be asked after {@link #reasonToEnd}. */
    SamplerChain processors() {
        return processors;
    }

    /** @param logits of each beam */
    Hypothesis hypothesis(Generation generation, float[][] logits) {
        if (hypothesis == null) {
            hypothesis = new Hypothesis(beam.hypothesis(), id, sum, generation.score(logits[beam.row()], id),
                    length());
        }
        return hypothesis;
    }
}
