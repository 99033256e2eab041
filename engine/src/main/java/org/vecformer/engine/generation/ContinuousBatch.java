package org.vecformer.engine.generation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Candidates;

/**
 * The requests that a {@link Scheduler} has begun, joined into the steps of one session. In each step every text that is
 * being written gets a row; what is left of the step's rows, or of those that prompts may take meanwhile, goes to the
 * prompts that are being read, which take turns. What a request throws ends that request alone.
 * <p>
 * For the scheduler's thread; {@link #load} is for any.
 */
final class ContinuousBatch implements AutoCloseable {

    private final Session session;
    private final int promptTokens;
    private final Stepper stepper;
    private final Candidates candidates;
    private final NextLogits next;
    private final List<ScheduledRequest> running = new ArrayList<>();
    /** Those whose prompt is being read; the next turn is the first one's. */
    private final Queue<ScheduledRequest> reading = new ArrayDeque<>();
    /** The texts that get a token from this step, in the order of its rows of logits, and whose they are. */
    private final List<Track> rows = new ArrayList<>();
    private final List<ScheduledRequest> owners = new ArrayList<>();
    private final BooleanSupplier stop;
    private int sequences;
    // Written by the scheduler's thread only.
    private volatile int requests;
    private volatile long positions;
    private volatile long steps;
    private volatile long promptRows;
    private volatile long written;
    private volatile long ended;

    /**
     * @param session      which belongs to this from here on
     * @param promptTokens the most rows for prompts while texts are written
     * @param stop         asked in the course of a step whether to leave it, with nothing done
     */
    ContinuousBatch(Session session, int promptTokens, BooleanSupplier stop) {
        this.session = session;
        this.promptTokens = promptTokens;
        this.stop = () -> stop.getAsBoolean() || allAreDue();
        stepper = new Stepper(session);
        candidates = new Candidates(session.model().outputs());
        next = new NextLogits(session.model().outputs());
    }

    /**
     * Whether a request can be begun, sooner or later. From any thread.
     *
     * @throws CacheFullException       if the cache is too small
     * @throws IllegalArgumentException if a step is
     */
    void checkFits(long positions, int sequences) {
        if (positions > session.cachePositions()) {
            throw new CacheFullException("the generation may take " + positions
                    + " positions of the scheduler's key/value cache, which has " + session.cachePositions()
                    + ": open it with a larger one, or ask for fewer tokens or sequences");
        }
        if (sequences > session.batch().capacity()) {
            throw new IllegalArgumentException(sequences + " sequences were asked for, and a step of the scheduler has "
                    + session.batch().capacity() + " rows: open it with more, or ask for fewer sequences");
        }
    }

    /** Whether a request can be begun now. */
    boolean hasRoomFor(ScheduledRequest request) {
        return positions + request.positions() <= session.cachePositions()
                && sequences + request.sequences() <= session.batch().capacity();
    }

    boolean isEmpty() {
        return running.isEmpty();
    }

    /** Begins a request that there is {@linkplain #hasRoomFor room for}. */
    void begin(ScheduledRequest request) {
        running.add(request);
        requests = running.size();
        positions += request.positions();
        sequences += request.sequences();
        try {
            request.begin(stepper);
        } catch (Throwable e) {
            request.fail(e);
        }
        if (!request.isOver() && request.isReading()) {
            reading.add(request);
        }
        retire();
    }

    /** Ends what has to end although it is not finished. */
    void endDue() {
        for (int i = 0; i < running.size(); i++) {
            ScheduledRequest request = running.get(i);
            FinishReason reason = request.reasonToEnd();
            if (reason != null) {
                end(request, reason);
            }
        }
        retire();
    }

    /** Ends a request, which need not have been begun. */
    static void end(ScheduledRequest request, FinishReason reason) {
        try {
            request.end(reason);
        } catch (Throwable e) {
            request.fail(e);
        }
    }

    /** Ends all, without results. */
    void fail(Throwable failure) {
        running.forEach(request -> request.fail(failure));
        retire();
    }

    /** Takes all requests a step further. */
    void step() {
        Batch batch = session.batch();
        try {
            addTexts(batch);
            int texts = batch.rows();
            addPrompts(batch, texts == 0 ? batch.room() : Math.min(promptTokens, batch.room()));
            if (session.step(batch, stop)) {
                steps++;
                promptRows += batch.rows() - texts;
                choose();
                retire();
            }
        } finally {
            batch.clear();
            rows.clear();
            owners.clear();
        }
    }

    private void addTexts(Batch batch) {
        // By index, as iterators would be garbage in each step.
        for (int i = 0; i < running.size(); i++) {
            ScheduledRequest request = running.get(i);
            if (!request.isReading()) {
                for (int t = 0; t < request.texts().size(); t++) {
                    Track text = request.texts().get(t);
                    if (!text.isFinished()) {
                        add(batch, request, text, 1);
                    }
                }
            }
        }
    }

    /** Who gets rows goes to the end of the line. */
    private void addPrompts(Batch batch, int most) {
        int left = most;
        for (int i = reading.size(); i > 0 && left > 0; i--) {
            ScheduledRequest request = reading.remove();
            left -= add(batch, request, request.texts().getFirst(), left);
            reading.add(request);
        }
    }

    private int add(Batch batch, ScheduledRequest request, Track text, int most) {
        int unseen = text.context.unseen();
        int added = text.context.addTo(batch, most);
        if (added == unseen) {
            rows.add(text);
            owners.add(request);
        }
        return added;
    }

    private boolean allAreDue() {
        for (int i = 0; i < running.size(); i++) {
            if (running.get(i).reasonToEnd() == null) {
                return false;
            }
        }
        return true;
    }

    private void choose() {
        long tokens = 0;
        for (int row = 0; row < rows.size(); row++) {
            ScheduledRequest request = owners.get(row);
            if (request.isOver()) {
                // Another of its texts has failed.
                continue;
            }
            try {
                next.read(session, row, rows.get(row).wanted());
                if (request.isReading()) {
                    reading.remove(request);
                    tokens += request.sequences() - 1;
                }
                request.choose(rows.get(row), next, candidates);
                tokens++;
            } catch (Throwable e) {
                request.fail(e);
            }
        }
        written += tokens;
    }

    /** Lets go of those that have ended. */
    private void retire() {
        for (int i = running.size() - 1; i >= 0; i--) {
            ScheduledRequest request = running.get(i);
            if (!request.isOver() && request.isFinished()) {
                try {
                    request.complete();
                } catch (Throwable e) {
                    request.fail(e);
                }
            }
            if (request.isOver()) {
                running.remove(i);
                reading.remove(request);
                sequences -= request.sequences();
                positions -= request.positions();
                requests = running.size();
                ended++;
                request.leave();
            }
        }
    }

    SchedulerLoad load(int queued) {
        long used = positions;
        return new SchedulerLoad(queued, requests, used, session.cachePositions() - used, steps, promptRows, written,
                ended);
    }

    /** Frees the session. */
    @Override
    public void close() {
        session.close();
    }
}
