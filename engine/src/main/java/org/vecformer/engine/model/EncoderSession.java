package org.vecformer.engine.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.engine.tensor.Tensor;
import org.vecformer.loader.BertConfig;

/**
 * Everything that changes while an encoder runs: scratch memory and the latest results. A session is used by one thread
 * at a time; several sessions run on one model at once.
 *
 * {@snippet file="org/vecformer/engine/snippets/ModelSnippets.java" region="encoder"}
 *
 * What a sequence gives does not depend on what else is in the batch, on padding, or on the threads: the same bits.
 * <p>
 * Results are those of the last {@link #run}, until its batch is changed: {@code sequence} is its index in the batch, {@code position} a token's
 * index in its ids, and a destination is at least as long as what is written. Heads are computed when they are first
 * asked for, for the whole batch.
 */
public final class EncoderSession implements AutoCloseable {

    private static final BooleanSupplier NEVER = () -> false;

    private final Bert model;
    private final EncoderBatch batch;
    private final int maxBatchTokens;
    final Ops ops;
    final KeyValueMemory keysAndValues;
    private Activations activations;
    private Tensor pooled;
    private Tensor vocabularyLogits;
    /** What the last run's heads have written. */
    private final List<Tensor> results = new ArrayList<>();
    private final Tensor[] headLogits = new Tensor[Head.values().length];
    private boolean ran;
    private Trace trace;
    private final SessionLife life;

    /** The states of a run: rows of hidden, 3 x hidden and inner size. */
    record Activations(Tensor x, Tensor y, Tensor qkv, Tensor attended, Tensor inner) {

        /** All of them, or none if one is refused. */
        static Activations of(Ops ops, int rows, BertConfig config) {
            int hidden = config.hiddenSize();
            List<Tensor> made = new ArrayList<>();
            try {
                for (int columns : new int[]{hidden, hidden, 3 * hidden, hidden, config.innerSize()}) {
                    made.add(ops.tensor(rows, columns));
                }
            } catch (RuntimeException | Error e) {
                made.forEach(Tensor::close);
                throw e;
            }
            return new Activations(made.get(0), made.get(1), made.get(2), made.get(3), made.get(4));
        }

        void close() {
            List.of(x, y, qkv, attended, inner).forEach(Tensor::close);
        }
    }

    EncoderSession(Bert model, EncoderOptions options) {
        this.model = model;
        BertConfig config = model.config();
        maxBatchTokens = options.maxBatchTokens();
        int rows = Math.max(maxBatchTokens, config.contextLength());
        ops = model.openOps();
        try {
            keysAndValues = ops.keyValues(Math.ceilDiv(rows, KeyValueMemory.POSITIONS), 1, config.heads(),
                    config.headSize(), WeightType.F32);
        } catch (RuntimeException | Error e) {
            ops.close();
            throw e;
        }
        batch = new EncoderBatch(this, rows);
        life = new SessionLife(model, ops::close);
    }

    int maxBatchTokens() {
        return maxBatchTokens;
    }

    int maxPages() {
        return keysAndValues.pages();
    }

    /** The model that this session runs. */
    public Bert model() {
        return model;
    }

    /** This session's batch, to be filled for {@link #run}. */
    public EncoderBatch batch() {
        return batch;
    }

    /** Sets who sees inside the next runs; null for nobody. Rows are the batch's ({@link EncoderBatch#row}). */
    public void trace(Trace trace) {
        this.trace = trace;
    }

    /** Runs the model on the batch. */
    public void run(EncoderBatch batch) {
        run(batch, NEVER);
    }

    /**
     * As {@link #run(EncoderBatch)}, unless it is stopped.
     *
     * @param stop asked between layers whether to stop, on this thread
     * @return false if it was stopped: there are no results
     * @throws ClosedException if the session or its model has been closed. Who closes either during a run lets it end
     */
    public boolean run(EncoderBatch batch, BooleanSupplier stop) {
        try (var _ = life.use()) {
            return compute(batch, stop);
        }
    }

    private boolean compute(EncoderBatch batch, BooleanSupplier stop) {
        if (batch != this.batch) {
            throw new IllegalArgumentException("the batch belongs to another session");
        }
        ran = false;
        int rows = batch.rows();
        if (activations == null || activations.x().rows() < rows) {
            if (activations != null) {
                activations.close();
                activations = null;
            }
            activations = Activations.of(ops, rows, model.config());
        }
        for (int s = 0; s < batch.sequences(); s++) {
            for (int page : batch.packed.pages[s]) {
                keysAndValues.commit(page);
            }
        }
        forgetResults();
        ran = model.forward(this, batch, activations, trace, stop);
        return ran;
    }

    private void forgetResults() {
        results.forEach(Tensor::close);
        results.clear();
        pooled = null;
        vocabularyLogits = null;
        Arrays.fill(headLogits, null);
    }

    /** Room for a head's results, until the next run. */
    private Tensor result(int rows, int columns) {
        Tensor tensor = ops.tensor(rows, columns);
        results.add(tensor);
        return tensor;
    }

    /**
     * Waits until the last run has been computed. Nobody has to who reads its results; on the CPU a run is computed when
     * it returns.
     */
    public void await() {
        try (var _ = life.use()) {
            ops.await();
        }
    }

    /** The last hidden state of a token: {@code hiddenSize} numbers, zeros if it is not attended to. */
    public void hidden(int sequence, int position, float[] destination) {
        try (var _ = life.use()) {
            copy(states(), row(sequence, position), destination);
        }
    }

    /**
     * The pooled state of a sequence: tanh(W h + b) of its first token's last state h, {@code hiddenSize} numbers.
     *
     * @throws IllegalStateException if the model has no pooler, or the first token is not attended to
     */
    public void pooled(int sequence, float[] destination) {
        try (var _ = life.use()) {
            Objects.checkIndex(sequence, batch.sequences());
            copy(pooledStates(), sequence, destination);
        }
    }

    /**
     * The masked-LM logits at a position that was named when the sequence was added.
     *
     * @throws IllegalArgumentException if it was not
     */
    public void vocabularyLogits(int sequence, int position, float[] destination) {
        try (var _ = life.use()) {
            model.require(Head.MASKED_LM);
            Tensor states = states();
            int row = row(sequence, position);
            if (row < 0 || batch.wantedAt[row] < 0) {
                throw new IllegalArgumentException("the logits at position " + position + " of sequence " + sequence
                        + " were not asked for when it was added to the batch");
            }
            if (vocabularyLogits == null) {
                Tensor wanted = result(batch.wantedCount, model.config().hiddenSize());
                Tensor transformed = result(batch.wantedCount, model.config().hiddenSize());
                ops.gatherRows(states, batch.wanted, batch.wantedCount, wanted);
                model.transform(ops, wanted, batch.wantedCount, transformed);
                vocabularyLogits = logits(Head.MASKED_LM, transformed, batch.wantedCount);
            }
            copy(vocabularyLogits, batch.wantedAt[row], destination);
        }
    }

    /**
     * The scores of a token: a logit for each label of a {@link Head#TOKEN_CLASSIFIER}, or the start and end logit of
     * {@link Head#QUESTION_ANSWERING}; zeros if it is not attended to.
     */
    public void tokenScores(int sequence, int position, float[] destination) {
        try (var _ = life.use()) {
            Head head = model.has(Head.QUESTION_ANSWERING) ? Head.QUESTION_ANSWERING : Head.TOKEN_CLASSIFIER;
            copy(headLogits(head), row(sequence, position), destination);
        }
    }

    /**
     * The scores of a sequence: a logit for each label of a {@link Head#SEQUENCE_CLASSIFIER}, or the one of {@link
     * Head#MULTIPLE_CHOICE}.
     */
    public void scores(int sequence, float[] destination) {
        try (var _ = life.use()) {
            Objects.checkIndex(sequence, batch.sequences());
            Head head = model.has(Head.MULTIPLE_CHOICE) ? Head.MULTIPLE_CHOICE : Head.SEQUENCE_CLASSIFIER;
            copy(headLogits(head), sequence, destination);
        }
    }

    /** The next-sentence logits of a pair: that the second text follows the first one, and that it does not. */
    public void nextSentence(int sequence, float[] destination) {
        try (var _ = life.use()) {
            Objects.checkIndex(sequence, batch.sequences());
            copy(headLogits(Head.NEXT_SENTENCE), sequence, destination);
        }
    }

    private Tensor headLogits(Head head) {
        model.require(head);
        Tensor states = states();
        if (headLogits[head.ordinal()] == null) {
            headLogits[head.ordinal()] = Bert.ofSequence(head)
                    ? logits(head, pooledStates(), batch.sequences())
                    : logits(head, states, batch.rows());
        }
        return headLogits[head.ordinal()];
    }

    private Tensor logits(Head head, Tensor states, int rows) {
        Tensor logits = result(rows, model.outputs(head));
        model.applyHead(ops, head, states, rows, logits);
        return logits;
    }

    private Tensor pooledStates() {
        Tensor states = states();
        if (!model.hasPooler()) {
            throw new IllegalStateException("the model has no pooler (tensor pooler.dense.weight)");
        }
        if (pooled == null) {
            int count = batch.sequences();
            int[] firstRows = new int[count];
            for (int s = 0; s < count; s++) {
                firstRows[s] = batch.row(s, 0);
                if (firstRows[s] < 0) {
                    throw new IllegalStateException(
                            "the first token of sequence " + s + " is not attended to: it has no pooled state");
                }
            }
            Tensor first = result(count, model.config().hiddenSize());
            pooled = result(count, model.config().hiddenSize());
            ops.gatherRows(states, firstRows, count, first);
            model.pool(ops, first, count, pooled);
        }
        return pooled;
    }

    /** The last hidden states. */
    private Tensor states() {
        if (!ran) {
            throw new IllegalStateException("there are no results: run a batch first");
        }
        return activations.x();
    }

    private int row(int sequence, int position) {
        Objects.checkIndex(sequence, batch.sequences());
        Objects.checkIndex(position, batch.length(sequence));
        return batch.row(sequence, position);
    }

    private void copy(Tensor from, int row, float[] destination) {
        if (row < 0) {
            Arrays.fill(destination, 0, from.columns(), 0);
        } else {
            ops.read(from, row, destination);
        }
    }

    /**
     * Frees the scratch memory, if something is computed on another thread, when that has ended. A second call does
     * nothing.
     */
    @Override
    public void close() {
        life.close();
    }
}
