package org.vecformer.engine.stress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.QueueFullException;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.generation.SchedulerOptions;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TextPiece;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.FillMask;
import org.vecformer.engine.task.FillMaskOptions;
import org.vecformer.engine.task.Scorer;
import org.vecformer.engine.task.ScoringOptions;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.ModelFiles;

/**
 * A thread of a server: asks for one thing after the other, in all ways that there are, is disturbed, and checks what it
 * gets.
 */
final class Visitor {

    /** A way to ask. */
    private interface Way {
        Outcome ask(Attempt attempt) throws Exception;
    }

    private record NamedWay(String name, int weight, Way way) {}

    private final House house;
    private final SplittableRandom random;
    private final ScheduledExecutorService disturber;
    private final Tally tally;
    private final List<NamedWay> ways = List.of(
            new NamedWay("Scheduler.generate", 6, this::scheduled),
            new NamedWay("Scheduler.submit", 6, this::submitted),
            new NamedWay("Scheduler.stream", 3, this::scheduledStream),
            new NamedWay("Scheduler.publish", 3, this::scheduledPublisher),
            new NamedWay("TextGenerator.generate", 4, this::written),
            new NamedWay("TextGenerator.stream", 3, this::streamed),
            new NamedWay("TextGenerator.publish", 3, this::published),
            new NamedWay("TextGenerator closed meanwhile", 2, this::closedMeanwhile),
            new NamedWay("Scorer", 3, this::scored),
            new NamedWay("EmbeddingBatcher.embed", 4, this::embedded),
            new NamedWay("EmbeddingBatcher.submit", 4, this::embeddedLater),
            new NamedWay("Embedder", 3, this::embeddedAlone),
            new NamedWay("FillMask", 3, this::filled),
            new NamedWay("a model of its own", 1, this::loaded),
            new NamedWay("a scheduler of its own", 1, this::scheduledAlone));
    /** Kept for several requests, as a server's thread might. */
    private TextGenerator kept;
    private House.Room keptFor;

    Visitor(House house, SplittableRandom random, ScheduledExecutorService disturber, Tally tally) {
        this.house = house;
        this.random = random;
        this.disturber = disturber;
        this.tally = tally;
    }

    /** One request. */
    void visit() {
        NamedWay way = draw();
        Ending ending = Ending.draw(random);
        Outcome outcome;
        try (Attempt attempt = ending.begin(random, disturber)) {
            outcome = ask(way.way, attempt);
        } catch (Throwable e) {
            throw new AssertionError(way.name + ", to be " + ending + ": " + e, e);
        }
        if (!ending.allows(outcome)) {
            throw new AssertionError(way.name + ", to be " + ending + ", was " + outcome);
        }
        tally.add(way.name, outcome);
    }

    private NamedWay draw() {
        int number = random.nextInt(ways.stream().mapToInt(NamedWay::weight).sum());
        for (NamedWay way : ways) {
            number -= way.weight;
            if (number < 0) {
                return way;
            }
        }
        throw new IllegalStateException("weights");
    }

    private static Outcome ask(Way way, Attempt attempt) throws Exception {
        boolean interrupting = attempt.ending() == Ending.INTERRUPTED;
        try {
            Outcome outcome = way.ask(attempt);
            // A result tells only that it was cut short; the thread tells why.
            return outcome == Outcome.CANCELLED && interrupting && Thread.currentThread().isInterrupted()
                    ? Outcome.INTERRUPTED
                    : outcome;
        } catch (DeadlineException _) {
            return Outcome.LATE;
        } catch (CancellationException e) {
            if (interrupting) {
                assertThat(Thread.currentThread().isInterrupted()).as("interrupt status after %s", e).isTrue();
                return Outcome.INTERRUPTED;
            }
            return Outcome.CANCELLED;
        } catch (QueueFullException _) {
            return Outcome.REFUSED;
        } catch (InterruptedException e) {
            return interruptedBy(attempt, e);
        } catch (IOException e) {
            return interruptedBy(attempt, e);
        }
    }

    private static Outcome interruptedBy(Attempt attempt, Exception e) throws Exception {
        if (attempt.ending() != Ending.INTERRUPTED) {
            throw e;
        }
        return Outcome.INTERRUPTED;
    }

    private House.Room room() {
        return house.rooms().get(random.nextInt(house.rooms().size()));
    }

    private TextJob job(House.Room room, boolean plain) {
        TextJob job;
        do {
            job = room.library().texts().get(random.nextInt(room.library().texts().size()));
        } while (plain && !job.plain());
        return job;
    }

    private Outcome scheduled(Attempt attempt) throws InterruptedException {
        House.Room room = room();
        TextJob job = job(room, true);
        Transcript transcript = new Transcript(job);
        attempt.cancelLater();
        GenerationResult result = room.scheduler().generate(job.prompt(), job.options(), transcript,
                attempt.cancellation());
        transcript.check(result);
        return job.check(result);
    }

    private Outcome submitted(Attempt attempt) throws Exception {
        House.Room room = room();
        TextJob job = job(room, true);
        CompletableFuture<GenerationResult> future = room.scheduler().submit(job.prompt(), job.options(),
                TokenListener.NONE, attempt.cancellation());
        attempt.cancelLater(() -> future.cancel(true));
        return job.check(get(future));
    }

    /** As {@link CompletableFuture#get}, with what the future failed with. */
    private static <T> T get(CompletableFuture<T> future) throws Exception {
        try {
            return future.get();
        } catch (InterruptedException e) {
            future.cancel(true);
            throw e;
        } catch (CancellationException | ExecutionException e) {
            // The JDK wraps the one as it does the other.
            switch (e.getCause()) {
                case Exception cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw e;
            }
        }
    }

    private Outcome written(Attempt attempt) {
        House.Room room = room();
        TextJob job = job(room, false);
        Transcript transcript = new Transcript(job);
        TextGenerator generator = generator(room);
        if (random.nextBoolean()) {
            attempt.cancelLater();
        } else {
            attempt.cancelLater(generator::cancel);
        }
        GenerationResult result = generator.generate(job.prompt(), job.options(), transcript, attempt.cancellation());
        if (job.plain()) {
            transcript.check(result);
        }
        return job.check(result);
    }

    private TextGenerator generator(House.Room room) {
        if (kept != null && (keptFor != room || random.nextInt(8) == 0)) {
            leave();
        }
        if (kept == null) {
            kept = TextGenerator.open(room.model(), room.library().tokenizer());
            keptFor = room;
        }
        return kept;
    }

    /** Closes what this thread holds. */
    void leave() {
        if (kept != null) {
            kept.close();
            kept = null;
        }
    }

    private Outcome streamed(Attempt attempt) {
        House.Room room = room();
        TextJob job = job(room, true);
        attempt.cancelLater();
        return read(job, generator(room).stream(job.prompt(), job.options(), attempt.cancellation()));
    }

    private Outcome scheduledStream(Attempt attempt) {
        House.Room room = room();
        TextJob job = job(room, true);
        attempt.cancelLater();
        return read(job, room.scheduler().stream(job.prompt(), job.options(), attempt.cancellation()));
    }

    /** Reads a stream to its end, or closes it before. */
    private Outcome read(TextJob job, Stream<TextPiece> stream) {
        try (stream) {
            Transcript transcript = new Transcript(job);
            int most = piecesWanted();
            Iterator<TextPiece> pieces = stream.iterator();
            for (int i = 0; i < most && pieces.hasNext(); i++) {
                transcript.add(pieces.next());
            }
            return transcript.outcome();
        }
    }

    private int piecesWanted() {
        return random.nextInt(3) == 0 ? random.nextInt(8) : Integer.MAX_VALUE;
    }

    private Outcome published(Attempt attempt) throws Exception {
        House.Room room = room();
        TextJob job = job(room, true);
        attempt.cancelLater();
        try (TextGenerator generator = TextGenerator.open(room.model(), room.library().tokenizer())) {
            return subscribe(job, generator.publish(job.prompt(), job.options(), attempt.cancellation()));
        }
    }

    private Outcome scheduledPublisher(Attempt attempt) throws Exception {
        House.Room room = room();
        TextJob job = job(room, true);
        attempt.cancelLater();
        return subscribe(job, room.scheduler().publish(job.prompt(), job.options(), attempt.cancellation()));
    }

    private Outcome subscribe(TextJob job, Flow.Publisher<TextPiece> publisher) throws Exception {
        Transcript transcript = new Transcript(job);
        Subscriber subscriber = new Subscriber(transcript, 1 + random.nextInt(5), piecesWanted());
        publisher.subscribe(subscriber);
        try {
            get(subscriber.end);
            return transcript.outcome();
        } finally {
            subscriber.leave();
        }
    }

    private Outcome closedMeanwhile(Attempt attempt) {
        House.Room room = room();
        TextJob job = job(room, false);
        try (TextGenerator generator = TextGenerator.open(room.model(), room.library().tokenizer())) {
            attempt.later(generator::close);
            return job.check(generator.generate(job.prompt(), job.options(), TokenListener.NONE,
                    attempt.cancellation()));
        } catch (ClosedException _) {
            return Outcome.CLOSED;
        }
    }

    private Outcome scored(Attempt attempt) {
        House.Room room = room();
        int number = random.nextInt(room.library().texts().size());
        attempt.cancelLater();
        try (Scorer scorer = Scorer.open(room.model(), room.library().tokenizer())) {
            double[] logprobs = scorer.score(room.library().texts().get(number).prompt(), ScoringOptions.defaults(),
                    attempt.cancellation()).logprobs();
            assertThat(logprobs).isEqualTo(room.library().scores().get(number));
            return Outcome.FINISHED;
        }
    }

    private Outcome embedded(Attempt attempt) {
        int number = random.nextInt(house.lexicon().inputs().size());
        attempt.cancelLater();
        float[] vector = house.batcher().embed(house.lexicon().inputs().get(number), EmbedderOptions.defaults(),
                attempt.cancellation()).vector();
        assertThat(vector).isEqualTo(house.lexicon().vectors().get(number));
        return Outcome.FINISHED;
    }

    private Outcome embeddedLater(Attempt attempt) throws Exception {
        int number = random.nextInt(house.lexicon().inputs().size());
        var future = house.batcher().submit(house.lexicon().inputs().get(number), EmbedderOptions.defaults(),
                attempt.cancellation());
        attempt.cancelLater(() -> future.cancel(true));
        assertThat(get(future).vector()).isEqualTo(house.lexicon().vectors().get(number));
        return Outcome.FINISHED;
    }

    private Outcome embeddedAlone(Attempt attempt) {
        int first = random.nextInt(house.lexicon().inputs().size());
        List<TaskInput> inputs = house.lexicon().inputs().subList(first,
                Math.min(first + 1 + random.nextInt(6), house.lexicon().inputs().size()));
        attempt.cancelLater();
        try (Embedder embedder = Embedder.open(house.bert(), house.lexicon().tokenizer())) {
            var embeddings = embedder.embedAll(inputs, EmbedderOptions.defaults(), TaskProgress.NONE,
                    attempt.cancellation());
            for (int i = 0; i < embeddings.size(); i++) {
                assertThat(embeddings.get(i).vector()).isEqualTo(house.lexicon().vectors().get(first + i));
            }
            return Outcome.FINISHED;
        }
    }

    private Outcome filled(Attempt attempt) {
        int number = random.nextInt(house.lexicon().inputs().size());
        try (FillMask fillMask = FillMask.open(house.bert(), house.lexicon().tokenizer())) {
            attempt.cancelLater(fillMask::cancel);
            assertThat(fillMask.fill(house.lexicon().inputs().get(number), FillMaskOptions.defaults(),
                    attempt.cancellation())).isEqualTo(house.lexicon().fills().get(number));
            return Outcome.FINISHED;
        }
    }

    private Outcome loaded(Attempt attempt) throws IOException {
        House.Room room = room();
        TextJob job = job(room, true);
        attempt.cancelLater();
        Gpt model = Gpt.load(house.engine(), ModelFiles.of(room.library().files()), LoadOptions.defaults());
        try (TextGenerator generator = TextGenerator.open(model, room.library().tokenizer())) {
            if (random.nextInt(4) == 0) {
                attempt.later(model::close);
            }
            return job.check(generator.generate(job.prompt(), job.options(), TokenListener.NONE,
                    attempt.cancellation()));
        } catch (ClosedException _) {
            return Outcome.CLOSED;
        } finally {
            model.close();
        }
    }

    /** All requests of a scheduler that is closed end, and rightly. */
    private Outcome scheduledAlone(Attempt attempt) throws Exception {
        House.Room room = room();
        Scheduler scheduler = Scheduler.open(room.model(), room.library().tokenizer(),
                SchedulerOptions.defaults().withCacheTokens(3L * room.model().config().contextLength()));
        try {
            attempt.cancelLater();
            if (random.nextBoolean()) {
                disturber.execute(scheduler::close);
            }
            List<TextJob> jobs = new ArrayList<>();
            List<CompletableFuture<GenerationResult>> futures = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                jobs.add(job(room, true));
                futures.add(scheduler.submit(jobs.getLast().prompt(), jobs.getLast().options(), TokenListener.NONE,
                        attempt.cancellation()));
            }
            Outcome last = Outcome.FINISHED;
            for (int i = 0; i < jobs.size(); i++) {
                last = jobs.get(i).check(get(futures.get(i)));
            }
            return last;
        } catch (ClosedException _) {
            return Outcome.CLOSED;
        } finally {
            scheduler.close();
        }
    }

    /** What a listener, a stream or a subscriber is told: it must be what the result says. */
    private static final class Transcript implements TokenListener {
        private final TextJob job;
        private final List<StringBuilder> texts = new ArrayList<>();
        private final List<int[]> ids = new ArrayList<>();
        private final FinishReason[] reasons;

        Transcript(TextJob job) {
            this.job = job;
            reasons = new FinishReason[job.alone().size()];
            for (int i = 0; i < reasons.length; i++) {
                texts.add(new StringBuilder());
                ids.add(new int[0]);
            }
        }

        @Override
        public void token(GeneratedToken token) {
            add(token);
        }

        @Override
        public void finished(TextEnd end) {
            add(end);
        }

        void add(TextPiece piece) {
            texts.get(piece.sequence()).append(piece.text());
            assertThat(reasons[piece.sequence()]).as("end before %s", piece).isNull();
            switch (piece) {
                case GeneratedToken token -> {
                    int[] before = ids.get(piece.sequence());
                    int[] after = Arrays.copyOf(before, before.length + 1);
                    after[before.length] = token.id();
                    ids.set(piece.sequence(), after);
                }
                case TextEnd end -> reasons[piece.sequence()] = end.reason();
            }
        }

        /** A listener's, beside the result. */
        void check(GenerationResult result) {
            for (int i = 0; i < result.sequences().size(); i++) {
                assertThat(reasons[i]).isEqualTo(result.sequences().get(i).finishReason());
                assertThat(texts.get(i)).hasToString(result.sequences().get(i).text());
                assertThat(ids.get(i)).isEqualTo(result.sequences().get(i).ids());
            }
        }

        /** A stream's that has ended, or was closed. */
        Outcome outcome() {
            Outcome outcome = Outcome.FINISHED;
            for (int i = 0; i < reasons.length; i++) {
                if (reasons[i] == null) {
                    job.checkBeginning(i, ids.get(i), texts.get(i).toString());
                    return Outcome.CLOSED;
                }
                job.check(i, ids.get(i), texts.get(i).toString(), reasons[i]);
                outcome = switch (reasons[i]) {
                    case CANCELLED -> Outcome.CANCELLED;
                    case TIME -> Outcome.LATE;
                    default -> outcome;
                };
            }
            return outcome;
        }
    }

    /** Asks for a few pieces at a time, and cancels after so many. */
    private static final class Subscriber implements Flow.Subscriber<TextPiece> {
        private final Transcript transcript;
        private final int atOnce;
        private final int most;
        private final CompletableFuture<Void> end = new CompletableFuture<>();
        private volatile Flow.Subscription subscription;
        private int received;

        Subscriber(Transcript transcript, int atOnce, int most) {
            this.transcript = transcript;
            this.atOnce = atOnce;
            this.most = most;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            this.subscription = subscription;
            subscription.request(atOnce);
        }

        void leave() {
            if (subscription != null) {
                subscription.cancel();
            }
        }

        @Override
        public void onNext(TextPiece piece) {
            try {
                transcript.add(piece);
            } catch (AssertionError e) {
                end.completeExceptionally(e);
            }
            if (++received >= most) {
                subscription.cancel();
                end.complete(null);
            } else if (received % atOnce == 0) {
                subscription.request(atOnce);
            }
        }

        @Override
        public void onError(Throwable e) {
            end.completeExceptionally(e);
        }

        @Override
        public void onComplete() {
            end.complete(null);
        }
    }
}
