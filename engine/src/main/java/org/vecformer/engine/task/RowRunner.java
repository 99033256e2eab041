package org.vecformer.engine.task;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.tensor.KeyValueMemory;

/**
 * Runs many token sequences through a GPT-2 and has their logits read. Each step is filled with the next tokens of as
 * many sequences as have room in the batch and the cache; a sequence's numbers do not depend on its neighbours (see
 * {@link Session}). Jobs are taken from an iterator when there is room for them, so that their number is not bounded by
 * memory. Rows without a reader get no logits, which for GPT-2 are a third of the work.
 */
final class RowRunner implements AutoCloseable {

    private final Session session;
    private final int cachePages;
    private final LogitsRow[] scratch;

    /**
     * Tokens to run.
     *
     * @param number for the caller to know it by
     * @param ids    the array that they are in
     * @param from   index of the first one
     * @param wanted index of the first one whose logits, about the token behind it, are wanted
     * @param to     index after the last one
     */
    record Job(int number, int[] ids, int from, int wanted, int to) {

        /** How many rows of logits are wanted. */
        int rows() {
            return to - wanted;
        }
    }

    /** Reads a row of logits. Called on any of the engine's threads, each row once. */
    @FunctionalInterface
    interface Reader {
        /** @param index of the token in the job's ids whose successor the row is about */
        void read(Job job, int index, LogitsRow row);
    }

    /** A job that has begun. */
    private static final class Active {
        private final Job job;
        private final Sequence sequence;
        private final int pages;
        private int next;

        Active(Job job, Sequence sequence, int pages) {
            this.job = job;
            this.sequence = sequence;
            this.pages = pages;
            next = job.from;
        }

        /** Puts the tokens that come next into the batch: those without wanted logits, or those with them. */
        int add(Batch batch) {
            boolean wanted = next >= job.wanted;
            int to = Math.min(wanted ? job.to : job.wanted, next + batch.room());
            batch.add(sequence, job.ids, next, to, wanted ? Logits.ALL : Logits.NONE);
            int rows = wanted ? to - next : 0;
            next = to;
            return rows;
        }
    }

    RowRunner(Gpt model, SessionOptions options) {
        session = model.openSession(options);
        cachePages = Math.toIntExact(session.cachePositions() / KeyValueMemory.POSITIONS);
        scratch = IntStream.range(0, model.engine().threads()).mapToObj(_ -> new LogitsRow(model.outputs()))
                .toArray(LogitsRow[]::new);
    }

    /** The session, to make sequences that jobs go on from. */
    Session session() {
        return session;
    }

    int batchTokens() {
        return session.batch().capacity();
    }

    /**
     * Runs all jobs.
     *
     * @param call     may end it, before a step or between its layers
     * @param past     what every job goes on from; null for the beginning of a text
     * @param jobs     with at least one token each
     * @param reader   reads the logits that are wanted
     * @param finished told of each job whose rows have all been read, on this thread
     * @throws CancellationException if the call shall end
     */
    void run(Call call, Sequence past, Iterator<Job> jobs, Reader reader, Consumer<Job> finished) {
        int pastLength = past == null ? 0 : past.length();
        int freePages = cachePages - Math.ceilDiv(pastLength, KeyValueMemory.POSITIONS);
        List<Active> active = new ArrayList<>();
        List<Active> rowOwners = new ArrayList<>();
        int[] rowIndices = new int[batchTokens()];
        Batch batch = session.batch();
        Job waiting = null;
        try {
            while (true) {
                // Also behind the last step, and where there is none.
                call.check();
                batch.clear();
                rowOwners.clear();
                for (int i = 0; i < active.size() && batch.room() > 0; i++) {
                    add(active.get(i), batch, rowOwners, rowIndices);
                }
                while (batch.room() > 0 && (waiting != null || jobs.hasNext())) {
                    waiting = waiting == null ? jobs.next() : waiting;
                    int pages = Math.ceilDiv(pastLength + waiting.to - waiting.from, KeyValueMemory.POSITIONS)
                            - pastLength / KeyValueMemory.POSITIONS;
                    if (pages > freePages && !active.isEmpty()) {
                        break;
                    }
                    Active begun = new Active(waiting, past == null ? session.newSequence() : past.fork(), pages);
                    active.add(begun);
                    freePages -= pages;
                    waiting = null;
                    add(begun, batch, rowOwners, rowIndices);
                }
                if (active.isEmpty()) {
                    return;
                }
                step(call, batch);
                read(rowOwners, rowIndices, reader);
                freePages += end(active, finished);
            }
        } finally {
            active.forEach(one -> one.sequence.close());
            batch.clear();
        }
    }

    /** Appends tokens to a sequence; afterwards the only logits are those of the last one. */
    void feed(Call call, Sequence sequence, int[] ids) {
        Batch batch = session.batch();
        for (int i = 0; i < ids.length; i = sequence.length()) {
            batch.clear();
            int next = Math.min(ids.length, i + batch.room());
            batch.add(sequence, ids, i, next, next == ids.length ? Logits.LAST : Logits.NONE);
            step(call, batch);
        }
    }

    private void step(Call call, Batch batch) {
        if (call.getAsBoolean() || !session.step(batch, call)) {
            throw call.exception("");
        }
    }

    private static void add(Active one, Batch batch, List<Active> rowOwners, int[] rowIndices) {
        int rows = one.add(batch);
        for (int i = one.next - rows; i < one.next; i++) {
            rowIndices[rowOwners.size()] = i;
            rowOwners.add(one);
        }
    }

    private void read(List<Active> rowOwners, int[] rowIndices, Reader reader) {
        session.model().engine().compute().readers().run((from, to, worker) -> {
            LogitsRow row = scratch[worker];
            for (int i = from; i < to; i++) {
                session.logits(i, row.logits());
                row.read();
                reader.read(rowOwners.get(i).job, rowIndices[i], row);
            }
        }, rowOwners.size(), 1);
    }

    /** Ends what has run to its end, and returns how many pages that makes free. */
    private static int end(List<Active> active, Consumer<Job> finished) {
        int pages = 0;
        for (Iterator<Active> all = active.iterator(); all.hasNext();) {
            Active one = all.next();
            if (one.next == one.job.to) {
                one.sequence.close();
                all.remove();
                pages += one.pages;
                finished.accept(one.job);
            }
        }
        return pages;
    }

    @Override
    public void close() {
        session.close();
    }
}
