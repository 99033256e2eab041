package org.vecformer.engine.task;

import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderBatch;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;

/**
 * Runs many sequences in batches of a bounded number of tokens, the longest first, so that what a batch has no room
 * for is small. A sequence's numbers do not depend on its neighbours (see {@link EncoderSession}), so neither order nor
 * bound can be seen in the results.
 */
final class BatchRunner implements AutoCloseable {

    /** Rows of masked-LM logits in one run; a row is as long as the vocabulary, 120 kB for BERT's. */
    private static final int MAX_VOCABULARY_ROWS = 64;

    private static final int[] NOWHERE = {};

    private final EncoderSession session;

    /**
     * One sequence.
     *
     * @param owner        the input that it belongs to
     * @param vocabularyAt positions whose masked-LM logits are wanted
     */
    record Job(int owner, EncoderInput input, int[] vocabularyAt) {

        Job(int owner, EncoderInput input) {
            this(owner, input, NOWHERE);
        }
    }

    /** Reads the results of one sequence. */
    @FunctionalInterface
    interface Reader {
        /**
         * @param sequence the sequence's number in the session's batch
         * @param job      its index in the list of jobs
         */
        void read(EncoderSession session, int sequence, int job);
    }

    BatchRunner(Bert model, EncoderOptions options) {
        session = model.openSession(options);
    }

    /** The session, for a task that runs it itself. */
    EncoderSession session() {
        return session;
    }

    /**
     * Runs all jobs and has each result read, in an order of its own.
     *
     * @param call     may end it, before a batch or between the layers of one
     * @param owners   number of inputs: all owners are below it
     * @param progress told of inputs whose jobs are all done
     * @throws CancellationException if the call shall end
     */
    void run(Call call, List<Job> jobs, int owners, TaskProgress progress, Reader reader) {
        if (jobs.isEmpty()) {
            // Otherwise each step asks.
            call.check();
        }
        int[] left = new int[owners];
        for (Job job : jobs) {
            left[job.owner]++;
        }
        int done = (int) IntStream.of(left).filter(count -> count == 0).count();
        int[] order = IntStream.range(0, jobs.size()).boxed()
                .sorted(Comparator.comparingInt(job -> -jobs.get(job).input.length()))
                .mapToInt(Integer::intValue).toArray();
        EncoderBatch batch = session.batch();
        for (int first = 0; first < order.length;) {
            batch.clear();
            int next = first;
            int vocabularyRows = 0;
            while (next < order.length) {
                Job job = jobs.get(order[next]);
                if (next > first && (!batch.fits(job.input.length())
                        || vocabularyRows + job.vocabularyAt.length > MAX_VOCABULARY_ROWS)) {
                    break;
                }
                batch.add(job.input, job.vocabularyAt);
                vocabularyRows += job.vocabularyAt.length;
                next++;
            }
            if (call.getAsBoolean() || !session.run(batch, call)) {
                throw call.exception(" after " + done + " of " + owners + " inputs");
            }
            for (int i = first; i < next; i++) {
                reader.read(session, i - first, order[i]);
                if (--left[jobs.get(order[i]).owner] == 0) {
                    done++;
                }
            }
            progress.done(done, owners);
            first = next;
        }
        batch.clear();
    }

    @Override
    public void close() {
        session.close();
    }
}
