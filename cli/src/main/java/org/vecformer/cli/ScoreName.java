package org.vecformer.cli;

import java.util.Locale;
import org.vecformer.engine.task.ScoreFunction;

/** What makes scores of a classifier's numbers, as the command line spells it. */
enum ScoreName {
    auto, softmax, sigmoid, none;

    ScoreFunction score() {
        return ScoreFunction.valueOf(name().toUpperCase(Locale.ROOT));
    }
}
