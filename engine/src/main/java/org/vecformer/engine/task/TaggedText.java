package org.vecformer.engine.task;

import java.util.List;

/**
 * The entities of a text.
 *
 * @param entities  in the order of the text
 * @param truncated whether the text was longer than the model could take
 */
public record TaggedText(List<Entity> entities, boolean truncated) {

    public TaggedText {
        entities = List.copyOf(entities);
    }
}
