package org.vecformer.engine.task;

import java.util.List;

/**
 * What to tell about masks. Immutable; each {@code with} method gives a changed copy.
 *
 * @param topK      how many candidates for each mask
 * @param targets   only these tokens are candidates; empty for the whole vocabulary. See {@link FillMask#targets}
 * @param positions where masks are put by hand, counted in tokens from 0; empty for those that the text has itself
 */
public record FillMaskOptions(int topK, List<String> targets, List<Integer> positions) {

    private static final int DEFAULT_TOP_K = 5;

    public FillMaskOptions {
        if (topK < 1) {
            throw new IllegalArgumentException("topK is " + topK + "; expected 1 or more");
        }
        targets = List.copyOf(targets);
        positions = positions.stream().sorted().distinct().toList();
    }

    /** Five candidates of the whole vocabulary for each mask of the text. */
    public static FillMaskOptions defaults() {
        return new FillMaskOptions(DEFAULT_TOP_K, List.of(), List.of());
    }

    public FillMaskOptions withTopK(int topK) {
        return new FillMaskOptions(topK, targets, positions);
    }

    public FillMaskOptions withTargets(String... targets) {
        return new FillMaskOptions(topK, List.of(targets), positions);
    }

    public FillMaskOptions withPositions(Integer... positions) {
        return new FillMaskOptions(topK, targets, List.of(positions));
    }
}
