package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.model.Trace;

/** What all tasks have in common: how a call of theirs is ended, refused, and what is left behind it. */
class TaskCallsTest {

    private static final EncoderOptions NARROW = EncoderOptions.defaults().withMaxBatchTokens(16);
    private static final List<String> TEXTS = List.of("the man is good", "the city is good.", "a zebra is in the city",
            "is the man in the city?");
    private static final List<TaskInput> INPUTS = TEXTS.stream().map(TaskInput::of).toList();
    private static final List<TaskInput> PAIRS = TEXTS.stream().map(text -> TaskInput.of("the man", text)).toList();
    private static final List<TaskInput> MASKED = TEXTS.stream().map(text -> TaskInput.of(text + " [MASK]")).toList();

    @TempDir
    private Path directory;

    /** A task with all that is asked of it here. */
    private interface Task {
        Object run(TaskProgress progress, Cancellation cancellation);

        void trace(Trace trace);

        void cancel();

        Engine engine();

        void close();

        void closeModel();
    }

    private interface Opening {
        Task open(Path directory) throws IOException;
    }

    /** A call of several batches. */
    private interface Work<T> {
        Object run(T task, TaskProgress progress, Cancellation cancellation);
    }

    private interface Maker<T> {
        T open(TinyBert bert) throws IOException;
    }

    private record BertTask<T extends EncoderTask>(TinyBert bert, T task, Work<T> work) implements Task {

        @Override
        public Object run(TaskProgress progress, Cancellation cancellation) {
            return work.run(task, progress, cancellation);
        }

        @Override
        public void trace(Trace trace) {
            task.runner.session().trace(trace);
        }

        @Override
        public void cancel() {
            task.cancel();
        }

        @Override
        public Engine engine() {
            return bert.engine();
        }

        @Override
        public void close() {
            task.close();
        }

        @Override
        public void closeModel() {
            bert.close();
        }
    }

    private record GptTask(TinyGpt2 gpt, Scorer scorer, Work<Scorer> work) implements Task {

        @Override
        public Object run(TaskProgress progress, Cancellation cancellation) {
            return work.run(scorer, progress, cancellation);
        }

        @Override
        public void trace(Trace trace) {
            scorer.runner.session().trace(trace);
        }

        @Override
        public void cancel() {
            scorer.cancel();
        }

        @Override
        public Engine engine() {
            return gpt.engine();
        }

        @Override
        public void close() {
            scorer.close();
        }

        @Override
        public void closeModel() {
            gpt.close();
        }
    }

    private static <T extends EncoderTask> Named<Opening> bert(String architecture, int labels, Maker<T> maker,
            String name, Work<T> work) {
        return Named.of(name, directory -> {
            TinyBert bert = TinyBert.open(directory, architecture, labels);
            return new BertTask<>(bert, maker.open(bert), work);
        });
    }

    private static Named<Opening> gpt(String name, Work<Scorer> work) {
        return Named.of(name, directory -> {
            TinyGpt2 gpt = TinyGpt2.open(directory);
            return new GptTask(gpt, Scorer.open(gpt.model(), gpt.tokenizer(),
                    SessionOptions.defaults().withCacheTokens(256).withMaxBatchTokens(16)), work);
        });
    }

    static List<Named<Opening>> tasks() {
        return List.of(
                TaskCallsTest.<Classifier>bert("BertForSequenceClassification", 3,
                        bert -> Classifier.open(bert.model(), bert.tokenizer(), NARROW), "Classifier",
                        (task, progress, cancellation) -> task.classifyAll(INPUTS, ClassifierOptions.defaults(),
                                progress, cancellation)),
                TaskCallsTest.<Reranker>bert("BertForSequenceClassification", 1,
                        bert -> Reranker.open(bert.model(), bert.tokenizer(), NARROW), "Reranker",
                        (task, progress, cancellation) -> task.rank("the man", TEXTS, RerankerOptions.defaults(),
                                progress, cancellation)),
                TaskCallsTest.<FillMask>bert("BertForMaskedLM", 0,
                        bert -> FillMask.open(bert.model(), bert.tokenizer(), NARROW), "FillMask",
                        (task, progress, cancellation) -> task.fillAll(MASKED, FillMaskOptions.defaults(), progress,
                                cancellation)),
                TaskCallsTest.<TokenClassifier>bert("BertForTokenClassification", 4,
                        bert -> TokenClassifier.open(bert.model(), bert.tokenizer(), NARROW), "TokenClassifier",
                        (task, progress, cancellation) -> task.tagAll(INPUTS, TokenClassifierOptions.defaults(),
                                progress, cancellation)),
                TaskCallsTest.<QuestionAnswerer>bert("BertForQuestionAnswering", 0,
                        bert -> QuestionAnswerer.open(bert.model(), bert.tokenizer(), NARROW), "QuestionAnswerer",
                        (task, progress, cancellation) -> task.answerAll(PAIRS, QuestionAnswererOptions.defaults(),
                                progress, cancellation)),
                TaskCallsTest.<MultipleChoice>bert("BertForMultipleChoice", 0,
                        bert -> MultipleChoice.open(bert.model(), bert.tokenizer(), NARROW), "MultipleChoice",
                        (task, progress, cancellation) -> task.chooseAll(List.of(PAIRS, PAIRS), progress,
                                cancellation)),
                TaskCallsTest.<NextSentence>bert("BertForNextSentencePrediction", 0,
                        bert -> NextSentence.open(bert.model(), bert.tokenizer(), NARROW), "NextSentence",
                        (task, progress, cancellation) -> task.scoreAll(PAIRS, progress, cancellation)),
                gpt("Scorer", (scorer, progress, cancellation) -> scorer.scoreAll(
                        List.of(new int[40], new int[30]), ScoringOptions.defaults(), progress, cancellation).stream()
                        .map(score -> Arrays.toString(score.logprobs())).toList()),
                gpt("Scorer.compare", (scorer, progress, cancellation) -> {
                    progress.done(0, 1);
                    return scorer.compare("the man is good in the city", TEXTS, cancellation);
                }));
    }

    private void with(Opening opening, Consumer<Task> test) throws IOException {
        Task task = opening.open(directory);
        try {
            test.accept(task);
        } finally {
            task.close();
            task.closeModel();
        }
    }

    private static void assertWorks(Task task, Object expected) {
        assertThat(task.run(TaskProgress.NONE, new Cancellation())).usingRecursiveComparison().isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void endedBeforeItBegins(Opening opening) throws IOException {
        with(opening, task -> {
            Object expected = task.run(TaskProgress.NONE, new Cancellation());
            task.trace(new Trace() {
                @Override
                public void hidden(int layer, int row, float[] state) {
                    throw new AssertionError("nothing is to be computed");
                }
            });
            Cancellation cancelled = new Cancellation();
            cancelled.cancel();
            assertThatExceptionOfType(CancellationException.class)
                    .isThrownBy(() -> task.run(TaskProgress.NONE, cancelled)).isNotInstanceOf(DeadlineException.class);
            assertThatExceptionOfType(DeadlineException.class)
                    .isThrownBy(() -> task.run(TaskProgress.NONE, Cancellation.after(Duration.ZERO)));
            task.trace(null);
            assertWorks(task, expected);
        });
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void endedBetweenTwoLayers(Opening opening) throws IOException {
        with(opening, task -> {
            Object expected = task.run(TaskProgress.NONE, new Cancellation());
            for (boolean byTask : new boolean[]{false, true}) {
                Cancellation cancellation = new Cancellation();
                AtomicInteger last = new AtomicInteger(-1);
                task.trace(new Trace() {
                    @Override
                    public void hidden(int layer, int row, float[] state) {
                        last.accumulateAndGet(layer, Math::max);
                        if (layer == 0 && byTask) {
                            task.cancel();
                        } else if (layer == 0) {
                            cancellation.cancel();
                        }
                    }
                });
                assertThatExceptionOfType(CancellationException.class)
                        .isThrownBy(() -> task.run(TaskProgress.NONE, cancellation));
                assertThat(last).as("the last block of two").hasValue(0);
            }
            task.trace(null);
            assertWorks(task, expected);
        });
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void endedByAnInterruption(Opening opening) throws IOException {
        with(opening, task -> {
            Object expected = task.run(TaskProgress.NONE, new Cancellation());
            for (Thread.Builder threads : List.of(Thread.ofPlatform(), Thread.ofVirtual())) {
                FutureTask<Boolean> call = new FutureTask<>(() -> {
                    Thread.currentThread().interrupt();
                    assertThatExceptionOfType(CancellationException.class)
                            .isThrownBy(() -> task.run(TaskProgress.NONE, new Cancellation()));
                    return Thread.currentThread().isInterrupted();
                });
                threads.start(call);
                assertThat(call).succeedsWithin(Duration.ofMinutes(2)).isEqualTo(true);
            }
            assertWorks(task, expected);
        });
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void oneCallAtATime(Opening opening) throws IOException {
        with(opening, task -> {
            Object expected = task.run(TaskProgress.NONE, new Cancellation());
            AtomicInteger refused = new AtomicInteger();
            Trace trace = new Trace() {
                @Override
                public void hidden(int layer, int row, float[] state) {
                    assertThatIllegalStateException().isThrownBy(() -> task.run(TaskProgress.NONE, new Cancellation()))
                            .withMessageContaining("a call runs");
                    refused.incrementAndGet();
                }
            };
            task.trace(trace);
            assertWorks(task, expected);
            assertThat(refused).hasPositiveValue();
        });
    }

    @ParameterizedTest
    @MethodSource("tasks")
    void closedWhileItRuns(Opening opening) throws IOException {
        with(opening, task -> {
            long caches = task.engine().memory().caches();
            AtomicInteger last = new AtomicInteger(-1);
            task.trace(new Trace() {
                @Override
                public void hidden(int layer, int row, float[] state) {
                    last.accumulateAndGet(layer, Math::max);
                    if (layer == 0) {
                        task.close();
                        assertThat(task.engine().memory().caches()).as("while the call runs").isEqualTo(caches);
                    }
                }
            });
            assertThatExceptionOfType(ClosedException.class)
                    .isThrownBy(() -> task.run(TaskProgress.NONE, new Cancellation())).withMessageContaining("closed");
            assertThat(last).hasValue(0);
            assertThat(task.engine().memory().caches()).as("behind it").isLessThan(caches);
            task.close();
            task.cancel();
            assertThatThrownBy(() -> task.run(TaskProgress.NONE, new Cancellation()))
                    .isInstanceOf(ClosedException.class);
        });
    }
}
