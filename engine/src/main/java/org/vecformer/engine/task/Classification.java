package org.vecformer.engine.task;

import java.util.List;

/**
 * What a text was classified as.
 *
 * @param labels    by descending score, equal ones in the model's order
 * @param truncated whether the text was longer than the model could take
 */
public record Classification(List<LabelScore> labels, boolean truncated) {

    public Classification {
        labels = List.copyOf(labels);
    }
}
