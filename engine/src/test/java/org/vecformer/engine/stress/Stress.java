package org.vecformer.engine.stress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Engine;
import org.vecformer.engine.MemoryUse;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.life.TinyModels;
import org.vecformer.engine.life.Waiting;

/** 64 visitors in one house, and what is left when they have gone. */
final class Stress implements AutoCloseable {

    private static final int THREADS = 64;
    private static final List<String> LETTERS = List.of("Hello", "\u00e9t\u00e9", "q", "zebra.", "no!", "\ud83d\ude00");
    private static final List<String> STORIES = List.of("Once", "upon", "a", "time", "there", "was", "little", "girl",
            "and", "the", "dog", "ran", "home.", "She", "said", "\"No!\"");
    private static final List<String> WORDS = List.of("the", "man", "is", "good", "in", "city", "Bob", "q", "zebra.",
            "no!", "a,b");

    private final long seed;
    private final House house;
    private final Tally tally = new Tally();
    private final ScheduledExecutorService disturber = Executors.newScheduledThreadPool(2,
            Thread.ofPlatform().daemon().name("disturber-", 0).factory());
    private long round;

    private Stress(long seed, House house) {
        this.seed = seed;
        this.house = house;
    }

    /**
     * Computes what is expected, alone, and opens the house.
     *
     * @param directory for small models
     * @param others    the files of other GPTs, trained on children's stories, beside those
     */
    static Stress prepare(Path directory, List<Path> others, long seed) throws IOException {
        TinyModels tiny = TinyModels.write(directory);
        List<Library> libraries = new ArrayList<>();
        Lexicon lexicon;
        // Plain Java kernels on one thread: the bits are the same on vectors and on many.
        try (Engine alone = TestBackends.openScalar()) {
            libraries.add(Library.read(alone, tiny.gpt(), LETTERS, 60, 30, seed));
            for (Path other : others) {
                libraries.add(Library.read(alone, other, STORIES, 100, 24, seed));
            }
            lexicon = Lexicon.read(alone, tiny.bert(), WORDS, seed);
        }
        return new Stress(seed, House.open(TestBackends.open(4), libraries, lexicon));
    }

    Tally tally() {
        return tally;
    }

    MemoryUse memory() {
        return house.engine().memory();
    }

    /** So many requests, shared among the threads. */
    void requests(long count, Duration patience) throws Exception {
        AtomicLong left = new AtomicLong(count);
        run(() -> left.getAndDecrement() > 0, patience);
    }

    /** Requests for so long. */
    void during(Duration duration, Duration patience) throws Exception {
        long start = System.nanoTime();
        run(() -> System.nanoTime() - start < duration.toNanos(), duration.plus(patience));
    }

    /**
     * All threads ask, half of them virtual ones, until it is enough or something went wrong.
     *
     * @param patience how long that may take before a thread is called stuck
     */
    private void run(BooleanSupplier more, Duration patience) throws Exception {
        round++;
        AtomicReference<Throwable> failure = new AtomicReference<>();
        SplittableRandom seeds = new SplittableRandom(seed + round);
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            SplittableRandom random = seeds.split();
            Thread.Builder builder = i % 2 == 0 ? Thread.ofPlatform().daemon() : Thread.ofVirtual();
            threads.add(builder.name("visitor-" + i).unstarted(() -> {
                Visitor visitor = new Visitor(house, random, disturber, tally);
                try {
                    while (failure.get() == null && more.getAsBoolean()) {
                        visitor.visit();
                    }
                } catch (Throwable e) {
                    failure.compareAndSet(null, e);
                } finally {
                    visitor.leave();
                }
            }));
        }
        threads.forEach(Thread::start);
        Waiting.join(threads, patience);
        // Who gives up a generation that is published does not wait for its thread; memory is given back behind that.
        Waiting.until("the generators' threads have ended", () -> Waiting.libraryThreads().stream()
                .noneMatch(thread -> thread.getName().equals("vecformer-generator")));
        if (failure.get() != null) {
            throw new AssertionError("with seed " + seed + ", after " + tally.summary(), failure.get());
        }
    }

    /** Ends the services, then the models, and asserts that all memory that the engine knows of is given back. */
    @Override
    public void close() {
        disturber.close();
        long weights = house.engine().memory().weights();
        house.closeServices();
        MemoryUse models = house.engine().memory();
        house.close();
        assertThat(models).isEqualTo(new MemoryUse(weights, 0, 0, models.limit()));
        assertThat(house.engine().memory().total()).isZero();
    }
}
