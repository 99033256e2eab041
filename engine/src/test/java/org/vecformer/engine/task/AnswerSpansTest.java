package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The best spans, against all of them sorted. */
class AnswerSpansTest {

    @Test
    void theBestOfAllSpans() {
        SplittableRandom random = new SplittableRandom(4);
        for (int round = 0; round < 300; round++) {
            int length = 1 + random.nextInt(20);
            float[] starts = new float[length];
            float[] ends = new float[length];
            boolean[] allowed = new boolean[length];
            for (int i = 0; i < length; i++) {
                // Few values, so that there are ties.
                starts[i] = random.nextInt(4);
                ends[i] = random.nextInt(4) - 200f;
                allowed[i] = random.nextInt(4) > 0;
            }
            int none = random.nextBoolean() ? 0 : -1;
            int maxTokens = 1 + random.nextInt(6);
            int count = 1 + random.nextInt(10);
            List<AnswerSpans.Span> all = new ArrayList<>();
            double startSum = 0;
            double endSum = 0;
            for (int i = 0; i < length; i++) {
                if (allowed[i] || i == none) {
                    startSum += Math.exp(starts[i]);
                    endSum += Math.exp(ends[i] + 200);
                }
            }
            AnswerSpans spans = new AnswerSpans(starts, ends, allowed, none);
            for (int i = 0; i < length; i++) {
                for (int j = i; j < Math.min(length, i + maxTokens); j++) {
                    if (allowed[i] && allowed[j]) {
                        double score = Math.exp(starts[i]) / startSum * (Math.exp(ends[j] + 200) / endSum);
                        assertThat(spans.score(i, j)).isCloseTo(score, within(1e-12));
                        all.add(new AnswerSpans.Span(i, j, spans.score(i, j)));
                    }
                }
            }
            all.sort(Comparator.comparingDouble((AnswerSpans.Span s) -> -s.score()).thenComparingInt(s -> s.start())
                    .thenComparingInt(s -> s.end()));
            assertThat(spans.best(count, maxTokens)).isEqualTo(all.subList(0, Math.min(count, all.size())));
        }
    }
}
