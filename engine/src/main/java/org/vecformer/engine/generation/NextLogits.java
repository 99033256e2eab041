package org.vecformer.engine.generation;

import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.LogitsNeeded;

/**
 * What is known of the logits behind a context's last token: as much as its samplers need, if the others would have to be
 * carried over from a device, and else all. Holds the buffers for that.
 */
final class NextLogits {

    /** So many more than the k largest are read, since logits that equal the k-th count as well. */
    private static final int SPARE = 8;
    /** More are not looked for: to find them takes longer than to read all. */
    private static final int MOST = 1000;

    private final int vocabularySize;
    private float[] all;
    private int[] ids = new int[1];
    private float[] values = new float[1];
    /** How many tokens are known, by id and value; 0 if all are. */
    private int count;
    /** Of all, if not all are known and a score is told. */
    private double logSumExp;

    NextLogits(int vocabularySize) {
        this.vocabularySize = vocabularySize;
    }

    /** Reads what is wanted of a row of the last step. */
    void read(Session session, int row, Wanted wanted) {
        boolean enough = switch (wanted.toChoose()) {
            case LogitsNeeded.ArgMax _ when wanted.isTold() -> session.logitsAreRemote()
                    && readScore(session, row, wanted.toTell());
            case LogitsNeeded.ArgMax _ -> readArgMax(session, row);
            // What is drawn may be told by all only: samplers can force a token that is not among the largest.
            case LogitsNeeded.Largest largest when !wanted.isTold() -> session.logitsAreRemote()
                    && readLargest(session, row, largest.k() + SPARE) && largest.areIn(values, count);
            default -> false;
        };
        if (!enough) {
            count = 0;
            session.logits(row, buffer());
        }
    }

    private boolean readArgMax(Session session, int row) {
        count = 1;
        ids[0] = session.argMax(row);
        // Who needs no more than this does not look at the logit.
        values[0] = 0;
        return true;
    }

    /** Reads what it takes to tell the most likely token's score; not where nothing can come, NaN before it. */
    private boolean readScore(Session session, int row, int top) {
        if (!readLargest(session, row, Math.max(top, 1)) || !(values[0] > Float.NEGATIVE_INFINITY)) {
            return false;
        }
        logSumExp = session.logSumExp(row);
        return true;
    }

    /** Reads the largest logits, if that is less than all: a token by id and value takes as much memory as two logits. */
    private boolean readLargest(Session session, int row, int most) {
        if (most > Math.min(vocabularySize / 2, MOST)) {
            return false;
        }
        if (ids.length < most) {
            ids = new int[most];
            values = new float[most];
        }
        count = session.topK(row, most, ids, values);
        return true;
    }

    private float[] buffer() {
        if (all == null) {
            all = new float[vocabularySize];
        }
        return all;
    }

    /** Starts a step of the samplers that said what they need. */
    void load(Candidates candidates) {
        if (count == 0) {
            candidates.load(all);
        } else {
            candidates.load(ids, values, count);
        }
    }

    /** Whether all logits are known, and so {@link #all()} can be asked. */
    boolean areAll() {
        return count == 0;
    }

    /** One logit for each token of the vocabulary; the buffer itself. */
    float[] all() {
        if (!areAll()) {
            throw new IllegalStateException("only " + count + " of the logits are known");
        }
        return all;
    }

    /** If not all are known and a score is told: the logarithm of the sum of e^x of all. */
    double logSumExp() {
        return logSumExp;
    }

    /** If not all are known: the id of one of the largest, in descending order, equal ones by id. */
    int id(int rank) {
        return ids[rank];
    }

    /** If not all are known: the logit of one of the largest. */
    float logit(int rank) {
        return values[rank];
    }
}
