package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;

/** Several sequences of a prompt, which share its cache. */
class SamplingLoopTest extends ByteModelFixture {

    @Test
    void endedInTheirPromptTheyNeedNoMoreMemoryThanEver() {
        int[] prompt = new Random(1).ints(90, 1, 257).toArray();
        GenerationOptions options = GenerationOptions.defaults().withSeed(1).withReturnSequences(3);
        // No room for sequences that share less than the whole prompt.
        long positions = DecodingLoop.cachePositions(List.of(prompt), options, model.config().contextLength());
        List<TextEnd> ends = new ArrayList<>();
        try (Session session = model.openSession(new SessionOptions(positions, 8))) {
            int[] asked = {0};
            GenerationResult result = new DecodingLoop(session, tokenizer)
                    .run(List.of(prompt), options, 0, new TokenListener() {
                        @Override
                        public void token(GeneratedToken token) {
                            throw new AssertionError("the prompt has not been read");
                        }

                        @Override
                        public void finished(TextEnd end) {
                            ends.add(end);
                        }
                    }, () -> ++asked[0] > 10 ? FinishReason.CANCELLED : null).getFirst();
            assertThat(session.steps()).isPositive();
            assertThat(result.sequences()).hasSize(3).allSatisfy(sequence -> {
                assertThat(sequence.ids()).isEmpty();
                assertThat(sequence.finishReason()).isEqualTo(FinishReason.CANCELLED);
            });
        }
        assertThat(ends).containsExactly(new TextEnd(0, "", FinishReason.CANCELLED),
                new TextEnd(1, "", FinishReason.CANCELLED), new TextEnd(2, "", FinishReason.CANCELLED));
    }
}
