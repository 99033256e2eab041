package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.QueueFullException;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;

/** Who comes into which run, and who does not, without a thread that computes. */
@Timeout(60)
class EmbeddingQueueTest {

    private static final int BUDGET = 64;

    @TempDir
    private static Path directory;
    private static TinyBert bert;
    private EncoderSession session;
    private final EmbeddingQueue queue = new EmbeddingQueue(200);

    @BeforeAll
    static void load() throws IOException {
        bert = TinyBert.open(directory, "BertModel", 0);
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    @BeforeEach
    void open() {
        session = bert.model().openSession(new EncoderOptions(BUDGET));
    }

    @AfterEach
    void closeSession() {
        session.close();
    }

    private static TaskInput input(int length) {
        return TaskInput.of(EncoderInput.of(IntStream.range(0, length).map(i -> 10).toArray()));
    }

    private static EmbeddingRequest<List<Embedding>> request(Cancellation cancellation, TaskInput... inputs) {
        EmbeddingRecipe recipe = new EmbeddingRecipe(bert.model(),
                new InputEncoder(bert.model(), bert.tokenizer()), EmbedderOptions.defaults());
        return new EmbeddingRequest<>(recipe.inputs(List.of(inputs), () -> {
        }), Function.identity(), cancellation,
                Runnable::run);
    }

    private EmbeddingRequest<List<Embedding>> add(TaskInput... inputs) {
        EmbeddingRequest<List<Embedding>> request = request(new Cancellation(), inputs);
        queue.add(request);
        return request;
    }

    /** Lengths of the sequences of the next run. */
    private List<Integer> next() {
        return queue.fill(session.batch()).stream().map(part -> part.sequence().length()).toList();
    }

    @Test
    void aRunHasWhatFitsInItsTurn() {
        add(input(30));
        add(input(20));
        add(input(40));
        add(input(5));
        assertThat(queue.tokens()).isEqualTo(95);
        // The 5 would fit into the first run, but nobody is overtaken.
        assertThat(next()).containsExactly(30, 20);
        assertThat(queue.tokens()).isEqualTo(45);
        assertThat(next()).containsExactly(40, 5);
        assertThat(next()).isEmpty();
        assertThat(queue.tokens()).isZero();
    }

    @Test
    void aSequenceLongerThanARunIsRunAlone() {
        add(input(TinyBert.CONTEXT));
        add(input(3));
        assertThat(next()).containsExactly(TinyBert.CONTEXT);
        assertThat(next()).containsExactly(3);
    }

    @Test
    void aLongListTakesTurnsWithOthers() {
        add(input(21), input(22), input(23), input(24), input(25));
        add(input(11), input(12));
        add(input(6));
        List<List<Integer>> runs = new ArrayList<>();
        for (List<Integer> run = next(); !run.isEmpty(); run = next()) {
            runs.add(run);
        }
        assertThat(runs).containsExactly(List.of(21, 11, 6), List.of(22, 12, 23), List.of(24, 25));
    }

    @Test
    void whatIsReadEndsTheRequestWithItsLastPart() {
        EmbeddingRequest<List<Embedding>> list = add(input(40), input(30));
        EmbeddingRequest<List<Embedding>> single = add(input(7));
        List<EmbeddingRequest.Part> parts = queue.fill(session.batch());
        session.run(session.batch());
        for (int i = 0; i < parts.size(); i++) {
            parts.get(i).request().read(parts.get(i), session, i);
        }
        assertThat(single.future().resultNow()).extracting(Embedding::tokens).containsExactly(7);
        assertThat(list.future()).isNotDone();
        parts = queue.fill(session.batch());
        session.run(session.batch());
        parts.getFirst().request().read(parts.getFirst(), session, 0);
        assertThat(list.future().resultNow()).extracting(Embedding::tokens).containsExactly(40, 30);
    }

    @Test
    void theBoundIsOfTokens() {
        add(input(60));
        add(input(60), input(60));
        assertThatExceptionOfType(QueueFullException.class).isThrownBy(() -> add(input(21)))
                .withMessageContaining("180 tokens wait").withMessageContaining("21 more").withMessageContaining("200");
        add(input(20));
        assertThat(queue.size()).isEqualTo(3);
        assertThat(queue.tokens()).isEqualTo(200);
        assertThat(next()).containsExactly(60);
        add(input(60));
        assertThatIllegalArgumentException().isThrownBy(() -> add(input(70), input(70), input(61)))
                .withMessageContaining("201").withMessageContaining("at most 200");
    }

    @Test
    void whoIsCancelledOrLateLeavesTheQueue() {
        Cancellation cancellation = new Cancellation();
        EmbeddingRequest<?> cancelled = request(cancellation, input(60), input(60));
        queue.add(cancelled);
        EmbeddingRequest<?> late = request(Cancellation.after(Duration.ZERO), input(30));
        queue.add(late);
        EmbeddingRequest<?> byFuture = add(input(35));
        EmbeddingRequest<?> stays = add(input(9));
        cancellation.cancel();
        byFuture.future().cancel(true);
        // Room is made for who comes, if somebody is due.
        EmbeddingRequest<?> more = add(input(70));
        assertThat(queue.tokens()).isEqualTo(79);
        assertThat(queue.size()).isEqualTo(2);
        assertThat(cancelled.failure()).isExactlyInstanceOf(CancellationException.class);
        assertThat(late.failure()).isExactlyInstanceOf(DeadlineException.class);
        assertThat(List.of(cancelled, late, byFuture)).allMatch(request -> request.future().isDone());
        assertThat(List.of(stays, more)).noneMatch(request -> request.future().isDone());
        assertThat(next()).containsExactly(9);
    }

    @Test
    void whatTheModelCannotTakeFailsAloneWithAllThatIsLeftOfIt() {
        EmbeddingRequest<?> before = add(input(8));
        EmbeddingRequest<?> bad = add(TaskInput.of(EncoderInput.of(2, TinyBert.VOCABULARY, 3)), input(50));
        EmbeddingRequest<?> after = add(input(9));
        assertThat(next()).containsExactly(8, 9);
        assertThat(bad.failure()).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("token id " + TinyBert.VOCABULARY);
        assertThat(queue.tokens()).isZero();
        assertThat(List.of(before, after)).noneMatch(request -> request.future().isDone());
    }

    @Test
    void closedItFailsAllThatWaitAndAllThatCome() {
        EmbeddingRequest<?> waiting = add(input(8));
        queue.close();
        assertThat(waiting.failure()).isInstanceOf(ClosedException.class);
        assertThat(queue.awaitWork()).isFalse();
        assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> add(input(8)));
        assertThat(queue.tokens()).isZero();
    }
}
