package org.vecformer.engine.task;

import java.util.ArrayList;
import java.util.List;

/** The windows in which a long text is scored: see {@link ScoringOptions}. */
final class SlidingWindows {

    private SlidingWindows() {
    }

    /**
     * The jobs that score a text, without windows that have nothing to score.
     *
     * @param number  of the text
     * @param options resolved
     */
    static List<RowRunner.Job> of(int number, int[] ids, ScoringOptions options) {
        List<RowRunner.Job> jobs = new ArrayList<>();
        int scored = 0;
        for (int begin = 0; scored < ids.length; begin += options.stride()) {
            int end = (int) Math.min((long) begin + options.window(), ids.length);
            int first = Math.max(scored, begin + 1);
            if (first < end) {
                // The logits of a token are about the next one: that of the last one are about nothing in the window.
                jobs.add(new RowRunner.Job(number, ids, begin, first - 1, end - 1));
            }
            scored = end;
        }
        return jobs;
    }
}
