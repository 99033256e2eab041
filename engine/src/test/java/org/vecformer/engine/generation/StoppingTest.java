package org.vecformer.engine.generation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.sampler.SamplerKind;
import org.vecformer.engine.task.TextGenerator;

/** Where continuations end and why, what is told of them, and guidance. */
class StoppingTest extends ByteModelFixture {

    private static final GenerationOptions GREEDY = GenerationOptions.defaults().withMaxNewTokens(40);
    private static final GenerationOptions DRAWING = GREEDY.withStrategy(DecodingStrategy.random(5))
            .withSampling(s -> s.temperature(3));

    private GenerationResult generate(GenerationOptions options) {
        return generator.generate(PROMPT, options, TokenListener.NONE);
    }

    // ---- stop texts

    @Test
    void aStopTextEndsTheText() {
        int found = 0;
        for (int seed = 0; seed < 20; seed++) {
            GenerationOptions options = DRAWING.withSeed(seed);
            GenerationResult whole = generate(options);
            String text = whole.text();
            // Two characters that stand together somewhere in the middle, each a token or several.
            int at = text.offsetByCodePoints(0, text.codePointCount(0, text.length()) / 2);
            String stop = text.substring(at, text.offsetByCodePoints(at, 2));
            GenerationResult without = generate(options.withStopTexts("never there", stop));
            GenerationResult with = generate(options.withStopping(
                    options.stopping().withStopTexts(List.of(stop)).withIncludeStop(true)));
            assertThat(without.finishReason()).isEqualTo(FinishReason.STOP);
            assertThat(without.text()).isEqualTo(text.substring(0, text.indexOf(stop)));
            assertThat(with.text()).isEqualTo(without.text() + stop);
            assertThat(with.ids()).isEqualTo(without.ids())
                    .isEqualTo(Arrays.copyOf(whole.ids(), without.ids().length));
            assertThat(tokenizer.decode(with.ids(), true)).startsWith(with.text());
            found += with.ids().length < whole.ids().length ? 1 : 0;
        }
        assertThat(found).isGreaterThan(15);
    }

    @Test
    void whatIsToldIsTheText() {
        for (int seed = 0; seed < 20; seed++) {
            GenerationOptions options = DRAWING.withSeed(seed).withReturnSequences(3);
            String stop = generate(options).sequences().get(1).text().substring(4, 6);
            Map<Integer, StringBuilder> told = new TreeMap<>();
            Map<Integer, List<Integer>> ids = new TreeMap<>();
            List<Integer> finished = new ArrayList<>();
            GenerationResult result = generator.generate(PROMPT, options.withStopTexts(stop), new TokenListener() {
                @Override
                public void token(GeneratedToken token) {
                    told.computeIfAbsent(token.sequence(), _ -> new StringBuilder()).append(token.text());
                    ids.computeIfAbsent(token.sequence(), _ -> new ArrayList<>()).add(token.id());
                    assertThat(finished).doesNotContain(token.sequence());
                }

                @Override
                public void finished(TextEnd end) {
                    told.get(end.sequence()).append(end.text());
                    finished.add(end.sequence());
                }
            });
            assertThat(finished).containsExactlyInAnyOrder(0, 1, 2);
            for (int i = 0; i < 3; i++) {
                GeneratedSequence sequence = result.sequences().get(i);
                assertThat(told.get(i)).hasToString(sequence.text());
                assertThat(ids.get(i).stream().mapToInt(id -> id).toArray()).isEqualTo(sequence.ids());
                assertThat(sequence.text()).doesNotContain(stop);
            }
            assertThat(result.sequences().get(1).finishReason()).isEqualTo(FinishReason.STOP);
        }
    }

    @Test
    void stopTextsNeedATokenizer() {
        try (TextGenerator ids = TextGenerator.open(model, null)) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> ids.generate(PROMPT, GREEDY.withStopTexts("."), TokenListener.NONE))
                    .withMessageContaining("tokenizer");
        }
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withStopTexts("")).withMessageContaining("empty");
    }

    // ---- other reasons

    @Test
    void theCallersConditionEndsIt() {
        GenerationResult whole = generate(DRAWING);
        List<String> texts = new ArrayList<>();
        GenerationResult result = generate(
                DRAWING.withStopping(DRAWING.stopping().withCondition((ids, text) -> {
                    assertThat(ids).isEqualTo(Arrays.copyOf(whole.ids(), texts.size() + 1));
                    texts.add(text.toString());
                    return ids.length == 9;
                })));
        assertThat(result.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(result.ids()).isEqualTo(Arrays.copyOf(whole.ids(), 9));
        assertThat(whole.text()).startsWith(texts.get(8));
        assertThat(result.text()).startsWith(texts.get(8));
    }

    @Test
    void aCompleteTextEndsIt() {
        GenerationResult whole = generate(DRAWING);
        Sampler three = new Sampler() {
            private int accepted;

            @Override
            public void apply(Candidates candidates) {
            }

            @Override
            public void accept(int token) {
                accepted++;
            }

            @Override
            public boolean isComplete() {
                return accepted == 3;
            }

            @Override
            public Sampler copy() {
                return this;
            }
        };
        GenerationResult result = generate(DRAWING.withSampling(s -> s.with(SamplerKind.CONSTRAINT, three)));
        assertThat(result.finishReason()).isEqualTo(FinishReason.STOP);
        assertThat(result.ids()).isEqualTo(Arrays.copyOf(whole.ids(), 3));
    }

    @Test
    void theTimeEndsIt() {
        GenerationOptions options = DRAWING.withReturnSequences(2);
        GenerationResult none = generate(options.withStopping(options.stopping().withMaxTime(Duration.ofNanos(1))));
        assertThat(none.sequences()).extracting(GeneratedSequence::finishReason)
                .containsExactly(FinishReason.TIME, FinishReason.TIME);
        assertThat(none.ids()).isEmpty();
        // The time passes while the caller looks at the third token.
        GenerationResult some = generator.generate(PROMPT,
                GREEDY.withStopping(GREEDY.stopping().withMaxTime(Duration.ofSeconds(2))), new TokenListener() {
                    private int heard;

                    @Override
                    public void token(GeneratedToken token) {
                        if (++heard == 3) {
                            sleep(2100);
                        }
                    }
                });
        assertThat(some.finishReason()).isEqualTo(FinishReason.TIME);
        assertThat(some.ids()).hasSizeLessThanOrEqualTo(3);
        GenerationResult all = generate(GREEDY.withStopping(GREEDY.stopping()
                .withMaxTime(Duration.ofSeconds(Long.MAX_VALUE))));
        assertThat(all.finishReason()).isEqualTo(FinishReason.LENGTH);
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void eachSequenceHasItsOwnReason() {
        GenerationOptions options = DRAWING.withReturnSequences(2);
        int end = generate(options).ids()[11];
        GenerationResult result = generate(options.withEndTokens(end));
        assertThat(result.finishReason()).isEqualTo(FinishReason.EOS);
        assertThat(result.ids()).hasSizeLessThanOrEqualTo(12).endsWith(end);
        GeneratedSequence second = result.sequences().get(1);
        assertThat(second.finishReason())
                .isEqualTo(
                        Arrays.stream(second.ids()).anyMatch(id -> id == end) ? FinishReason.EOS : FinishReason.LENGTH);
    }

    @Test
    void impossibleBoundsAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withMaxNewTokens(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withMaxLength(0));
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.stopping().withMaxTime(Duration.ZERO));
        assertThatIllegalArgumentException().isThrownBy(() -> GREEDY.withReturnSequences(0));
        assertThatIllegalArgumentException().isThrownBy(() -> generate(GREEDY.withReturnSequences(2)))
                .withMessageContaining("greedy search has one result");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> generate(GREEDY.withStrategy(new DecodingStrategy.BeamSearch(2))
                        .withReturnSequences(3)))
                .withMessageContaining("3 sequences").withMessageContaining("2 beams");
        assertThat(new GenerationOptions(DecodingStrategy.greedy(), DRAWING.sampling(), Stopping.whenFull(), 1,
                Optional.empty(), Optional.empty(), OptionalInt.empty(), false, true, Optional.empty(),
                Optional.empty()).withMaxNewTokens(3))
                .extracting(options -> generate(options).ids().length).isEqualTo(3);
    }

    // ---- log-probabilities

    @Test
    void logprobsAreTheModels() {
        GenerationResult plain = generate(DRAWING);
        GenerationResult result = generate(DRAWING.withLogprobs(3));
        assertThat(result.ids()).isEqualTo(plain.ids());
        assertThat(plain.sequences().get(0).logprobs()).isEmpty();
        List<TokenScore> scores = result.sequences().get(0).logprobs();
        assertThat(scores).hasSameSizeAs(result.ids());
        int[] ids = Arrays.copyOf(PROMPT, PROMPT.length + scores.size());
        System.arraycopy(result.ids(), 0, ids, PROMPT.length, scores.size());
        for (int i = 0; i < scores.size(); i++) {
            double[] expected = logprobs(Arrays.copyOf(ids, PROMPT.length + i));
            TokenScore score = scores.get(i);
            assertThat(score.id()).isEqualTo(result.ids()[i]);
            assertThat(score.logprob()).isCloseTo(expected[score.id()], within(1e-5));
            List<Integer> order = new ArrayList<>();
            for (int id = 0; id < expected.length; id++) {
                order.add(id);
            }
            order.sort((a, b) -> Double.compare(expected[b], expected[a]));
            assertThat(score.top()).extracting(TokenLogprob::id).isEqualTo(order.subList(0, 3));
            score.top().forEach(top -> assertThat(top.logprob()).isCloseTo(expected[top.id()], within(1e-5)));
        }
        assertThat(generate(DRAWING.withLogprobs(0)).sequences().get(0).logprobs())
                .allSatisfy(score -> assertThat(score.top()).isEmpty()).hasSameSizeAs(scores);
        assertThatIllegalArgumentException().isThrownBy(() -> DRAWING.withLogprobs(-1));
    }

    private static double[] logprobs(int[] ids) {
        float[] logits = new float[model.outputs()];
        try (Session session = model.openSession(SessionOptions.defaults());
                Sequence sequence = session.newSequence()) {
            session.feed(sequence, ids, 0, ids.length);
            session.logits(0, logits);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        double[] logprobs = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            logprobs[i] = logits[i] - Math.log(sum);
        }
        return logprobs;
    }

    // ---- guidance

    @Test
    void guidanceMovesAwayFromTheNegativePrompt() {
        assertThat(generate(GREEDY.withGuidance(new Guidance(1))).ids()).isEqualTo(generate(GREEDY).ids());
        for (int[] negative : List.of(new int[0], new int[]{9, 8, 7}, new int[]{200})) {
            int[] got = generate(GREEDY.withMaxNewTokens(12).withGuidance(new Guidance(2.5, negative))).ids();
            int[] ids = PROMPT.clone();
            int[] away = negative.length > 0 ? negative : new int[]{PROMPT[PROMPT.length - 1]};
            for (int i = 0; i < got.length; i++) {
                double[] with = logprobs(ids);
                double[] without = logprobs(away);
                int best = 0;
                for (int id = 0; id < with.length; id++) {
                    if (guided(with, without, id) > guided(with, without, best)) {
                        best = id;
                    }
                }
                assertThat(got[i]).as("token %d", i).isEqualTo(best);
                ids = append(ids, best);
                away = append(away, best);
            }
        }
    }

    private static double guided(double[] with, double[] without, int id) {
        return without[id] + 2.5 * (with[id] - without[id]);
    }

    private static int[] append(int[] ids, int id) {
        int[] longer = Arrays.copyOf(ids, ids.length + 1);
        longer[ids.length] = id;
        return longer;
    }

    @Test
    void aNegativePromptThatDoesNotFitIsRefused() {
        int[] negative = new int[TestModels.Shape.EVEN.context() - 39];
        assertThatExceptionOfType(PromptTooLongException.class)
                .isThrownBy(() -> generate(GREEDY.withGuidance(new Guidance(2, negative))))
                .withMessageContaining("negative prompt has 57 tokens").withMessageContaining("leaves 56");
        assertThat(generate(GREEDY.withGuidance(new Guidance(2, Arrays.copyOf(negative, 56)))).ids()).hasSize(40);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> generate(GREEDY.withGuidance(new Guidance(2, new int[]{1, 999}))))
                .withMessageContaining("999");
        assertThat(generate(GREEDY).ids()).as("nothing was lost").hasSize(40);
        assertThatIllegalArgumentException().isThrownBy(() -> new Guidance(Double.NaN));
    }

    // ---- memory

    @Test
    void theCacheGrowsWithWhatIsAskedForUnlessItIsBounded() {
        GenerationOptions many = DRAWING.withReturnSequences(6);
        List<int[]> expected = generate(many).sequences().stream().map(GeneratedSequence::ids).toList();
        assertThat(expected).hasSize(6).allSatisfy(ids -> assertThat(ids).hasSize(40));
        long needed = DecodingLoop.cachePositions(List.of(PROMPT), many, model.config().contextLength());
        try (TextGenerator enough = TextGenerator.open(model, null, SessionOptions.defaults().withCacheTokens(needed));
                TextGenerator little = TextGenerator.open(model, null,
                        SessionOptions.defaults().withCacheTokens(needed - 32))) {
            assertThat(enough.generate(PROMPT, many, TokenListener.NONE).sequences())
                    .extracting(GeneratedSequence::ids).containsExactlyElementsOf(expected);
            assertThatExceptionOfType(CacheFullException.class)
                    .isThrownBy(() -> little.generate(PROMPT, many, _ -> {
                        throw new AssertionError("it is known before the first token");
                    })).withMessageContaining(Long.toString(needed));
            assertThat(little.generate(PROMPT, GREEDY, TokenListener.NONE).ids()).hasSize(40);
        }
    }
}
