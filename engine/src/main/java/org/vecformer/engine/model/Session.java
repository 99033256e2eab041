package org.vecformer.engine.model;

import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.CacheFullException;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.MemoryLimitException;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.cache.CachedSequence;
import org.vecformer.engine.cache.KeyValueCache;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.Tensor;

/**
 * Everything that changes while a model runs: the key/value cache with its sequences, scratch memory, the latest
 * logits. A session is used by one thread at a time; several sessions run on one model at once.
 *
 * {@snippet file="org/vecformer/engine/snippets/ModelSnippets.java" region="session"}
 *
 * What a sequence's rows give does not depend on what else is in the batch, on how its tokens were split into steps, or
 * on the threads: the same bits.
 */
public final class Session implements AutoCloseable {

    private static final BooleanSupplier NEVER = () -> false;

    private final Gpt model;
    private final Batch batch;
    final KeyValueCache cache;
    final Ops ops;
    final Activations activations;
    private Tensor lastStates;
    private Tensor logits;
    private int logitsRows;
    /** Of each row; counts when it is known. */
    private int[] argMax = new int[1];
    private boolean argMaxKnown;
    /** Of the multiple choice head, a number for each row; made when it is first asked for. */
    private Tensor choices;
    private boolean choicesKnown;
    private final float[] choice = new float[1];
    private Trace trace;
    private long steps;
    private final SessionLife life;

    /** The hidden states of a step: rows of hidden, 3 x hidden and inner size. */
    record Activations(Tensor x, Tensor y, Tensor normed, Tensor qkv, Tensor attended, Tensor inner) {}

    Session(Gpt model, SessionOptions options) {
        this.model = model;
        var config = model.config();
        int hidden = config.hiddenSize();
        int rows = options.maxBatchTokens();
        long positions = options.cacheTokens() == 0 ? config.contextLength() : options.cacheTokens();
        ops = model.openOps();
        try {
            int pages = Math.toIntExact(Math.ceilDiv(positions, KeyValueMemory.POSITIONS));
            cache = new KeyValueCache(ops.keyValues(pages, config.layers(), config.heads(), config.headSize(),
                    options.cacheType()), config.contextLength());
            activations = new Activations(ops.tensor(rows, hidden), ops.tensor(rows, hidden),
                    ops.tensor(rows, hidden), ops.tensor(rows, 3 * hidden), ops.tensor(rows, hidden),
                    ops.tensor(rows, config.innerSize()));
            ensureLogits(1);
        } catch (RuntimeException | Error e) {
            ops.close();
            throw e;
        }
        batch = new Batch(this, rows);
        life = new SessionLife(model, ops::close);
    }

    private void ensureLogits(int rows) {
        if (logits != null && logits.rows() >= rows) {
            return;
        }
        if (logits != null) {
            logits.close();
            lastStates.close();
            logits = null;
        }
        // The second may be refused: then there is neither, and the next step begins anew.
        Tensor states = ops.tensor(rows, model.config().hiddenSize());
        try {
            logits = ops.tensor(rows, model.outputs());
        } catch (RuntimeException | Error e) {
            states.close();
            throw e;
        }
        lastStates = states;
    }

    /** The model that this session runs. */
    public Gpt model() {
        return model;
    }

    /** An empty sequence in this session's cache. */
    public Sequence newSequence() {
        life.check();
        return cache.newSequence();
    }

    /**
     * Takes the memory for a sequence to grow to {@code length} positions now, instead of page by page as it grows.
     *
     * @throws CacheFullException when the cache has no room for that; the sequence has not changed
     */
    public void reserve(Sequence sequence, int length) {
        life.check();
        cache.reserve(own(sequence), length);
    }

    /**
     * Takes the memory for so many rows of logits now, instead of in the first step that asks for as many. Logits of the
     * last step cannot be read any more.
     *
     * @throws MemoryLimitException if the engine's limit has no room for them
     */
    public void reserveLogits(int rows) {
        try (var _ = life.use()) {
            logitsRows = 0;
            ensureLogits(rows);
        }
    }

    /** Bytes of the key/value cache when all of it is in use. */
    public long cacheBytes() {
        return cache.byteSize();
    }

    /** Positions that all sequences together may hold. */
    public long cachePositions() {
        return cache.positions();
    }

    /** This session's batch, to be filled for {@link #step}. */
    public Batch batch() {
        return batch;
    }

    /** Sets who sees inside the next steps; null for nobody. */
    public void trace(Trace trace) {
        this.trace = trace;
    }

    /**
     * Runs the model on the batch: the sequences grow by their tokens, and the logits that were asked for can be read.
     *
     * @throws CacheFullException when the cache has no room for the batch; no sequence has changed
     */
    public void step(Batch batch) {
        step(batch, NEVER);
    }

    /**
     * As {@link #step(Batch)}, unless it is stopped.
     *
     * @param stop asked between layers whether to stop, on this thread
     * @return false if it was stopped: no sequence has grown, and there are no logits
     * @throws CacheFullException when the cache has no room for the batch; no sequence has changed
     * @throws ClosedException    if the session or its model has been closed. Who closes either during a step lets it
     *                            end
     */
    public boolean step(Batch batch, BooleanSupplier stop) {
        try (var _ = life.use()) {
            return run(batch, stop);
        }
    }

    private boolean run(Batch batch, BooleanSupplier stop) {
        if (batch != this.batch) {
            throw new IllegalArgumentException("the batch belongs to another session");
        }
        int sequences = batch.packed.sequences;
        for (int s = 0; s < sequences; s++) {
            if (batch.sequences[s].length() != batch.packed.past[s]) {
                throw new IllegalStateException("a sequence of " + batch.sequences[s].length() + " positions had "
                        + batch.packed.past[s] + " when it was put into the batch: it has changed since; "
                        + "clear the batch and fill it again");
            }
        }
        cache.reserve(batch.sequences, batch.packed.starts, sequences);
        ensureLogits(batch.wantedCount);
        argMaxKnown = false;
        choicesKnown = false;
        logitsRows = 0;
        if (!model.forward(this, batch, trace, stop, lastStates)) {
            return false;
        }
        model.logits(ops, lastStates, batch.wantedCount, logits);
        steps++;
        logitsRows = batch.wantedCount;
        for (int s = 0; s < sequences; s++) {
            batch.sequences[s].advance(batch.packed.starts[s + 1] - batch.packed.starts[s]);
        }
        return true;
    }

    /**
     * Appends tokens to one sequence, in as many steps as the batch size calls for, and leaves the logits of the last
     * one to be read. Clears the batch.
     */
    public void feed(Sequence sequence, int[] tokens, int from, int to) {
        for (int i = from; i < to;) {
            batch.clear();
            int next = Math.min(to, i + batch.room());
            batch.add(sequence, tokens, i, next, next == to ? Logits.LAST : Logits.NONE);
            step(batch);
            i = next;
        }
    }

    /**
     * Waits until the last step has been computed. Nobody has to who reads its results; on the CPU a step is computed
     * when it returns.
     */
    public void await() {
        try (var _ = life.use()) {
            ops.await();
        }
    }

    /** How many steps have been run. */
    public long steps() {
        return steps;
    }

    /** Rows of logits that the last step computed, in the order in which they were asked for. */
    public int logitsRows() {
        return logitsRows;
    }

    /**
     * Copies a row of logits: one unnormalized log-probability for each token of the vocabulary (for each label of a
     * classifier).
     *
     * @param destination at least as long as {@link Gpt#outputs()}
     */
    public void logits(int row, float[] destination) {
        try (var _ = life.use()) {
            Objects.checkIndex(row, logitsRows);
            ops.read(logits, row, destination);
        }
    }

    /**
     * Whether the logits lie in a device's memory, so that each row that is copied has to be carried over: then
     * {@link #argMax}, {@link #topK} and {@link #logSumExp}, which bring back a few numbers, are much cheaper than
     * {@link #logits}.
     */
    public boolean logitsAreRemote() {
        return ops.isRemote();
    }

    /**
     * The id of the largest logit of a row, of equal ones the lowest: what greedy search chooses. NaN counts as negative
     * infinity; 0 if no logit is above that. The first call after a step asks for all rows at once.
     *
     * @param row as for {@link #logits}
     */
    public int argMax(int row) {
        try (var _ = life.use()) {
            Objects.checkIndex(row, logitsRows);
            if (!argMaxKnown) {
                if (argMax.length < logitsRows) {
                    argMax = new int[logitsRows];
                }
                ops.argMax(logits, logitsRows, argMax);
                argMaxKnown = true;
            }
            return argMax[row];
        }
    }

    /**
     * Finds the largest logits of a row: in descending order, equal ones by ascending id, NaN last.
     *
     * @param row    as for {@link #logits}
     * @param k      how many to find; few of all, or it takes long
     * @param ids    receives the ids; not shorter than the smaller of k and {@link Gpt#outputs()}
     * @param values receives the logits, in the same way
     * @return how many there are: the smaller of k and {@link Gpt#outputs()}
     * @throws IllegalArgumentException if k is not positive
     */
    public int topK(int row, int k, int[] ids, float[] values) {
        try (var _ = life.use()) {
            Objects.checkIndex(row, logitsRows);
            if (k < 1) {
                throw new IllegalArgumentException("k is " + k + "; it must be positive");
            }
            int count = Math.min(k, model.outputs());
            Objects.checkFromIndexSize(0, count, Math.min(ids.length, values.length));
            return ops.topK(logits, row, count, ids, values);
        }
    }

    /**
     * The logarithm of the sum of e^logit of a row: a logit minus this is its natural log-probability. Negative infinity
     * if no logit is above that.
     *
     * @param row as for {@link #logits}
     */
    public double logSumExp(int row) {
        try (var _ = life.use()) {
            Objects.checkIndex(row, logitsRows);
            return ops.logSumExp(logits, row);
        }
    }

    /**
     * Copies the final hidden state, after the last layer norm, of a row whose logits were computed.
     *
     * @param row         as for {@link #logits}
     * @param destination at least as long as the hidden size
     */
    public void hiddenState(int row, float[] destination) {
        try (var _ = life.use()) {
            Objects.checkIndex(row, logitsRows);
            ops.read(lastStates, row, destination);
        }
    }

    /**
     * The logit of the multiple choice head at a row: how well the text up to there goes on, compared with other texts.
     * Of several texts the softmax over theirs gives the probabilities (Hugging Face's {@code mc_logits}). The first call
     * after a step computes all rows at once.
     *
     * @param row as for {@link #logits}
     * @throws IllegalStateException if the model has no such head
     */
    public float choice(int row) {
        try (var _ = life.use()) {
            Objects.checkIndex(row, logitsRows);
            if (!model.hasChoiceHead()) {
                throw new IllegalStateException("the model has no multiple choice head");
            }
            if (!choicesKnown) {
                if (choices == null || choices.rows() < logitsRows) {
                    if (choices != null) {
                        choices.close();
                    }
                    choices = ops.tensor(logits.rows(), 1);
                }
                model.choices(ops, lastStates, logitsRows, choices);
                choicesKnown = true;
            }
            ops.read(choices, row, choice);
            return choice[0];
        }
    }

    /** The sequence, after checking that it is one of this session's and open. */
    CachedSequence own(Sequence sequence) {
        if (!(sequence instanceof CachedSequence own)) {
            throw new IllegalArgumentException("the sequence was not made by a session");
        }
        cache.checkOwns(own);
        return own;
    }

    void check(CachedSequence sequence, int count) {
        life.check();
        if (sequence.length() + count > model.config().contextLength()) {
            throw new IllegalArgumentException("a sequence of " + (sequence.length() + count)
                    + " tokens; the model's context length is " + model.config().contextLength());
        }
    }

    void checkToken(int id) {
        if (id < 0 || id >= model.config().vocabularySize()) {
            throw new IllegalArgumentException("token id " + id + "; the model's vocabulary has ids 0 to "
                    + (model.config().vocabularySize() - 1));
        }
    }

    void checkPosition(int position) {
        if (position < 0 || position >= model.config().contextLength()) {
            throw new IllegalArgumentException("position id " + position + "; the model has positions 0 to "
                    + (model.config().contextLength() - 1));
        }
    }

    /**
     * Frees the cache and the scratch memory, if a step runs on another thread, when that has ended. A second call does
     * nothing.
     */
    @Override
    public void close() {
        life.close();
    }
}
