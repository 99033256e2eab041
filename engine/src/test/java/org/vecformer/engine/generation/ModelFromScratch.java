package org.vecformer.engine.generation;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;

/** A model that reads all tokens again, one text at a time, whenever it is asked. */
final class ModelFromScratch implements AutoCloseable {

    private final Session session;
    private final TokenTypes types;

    ModelFromScratch(Gpt model) {
        this(model, null);
    }

    /** @param types of the prompt and of what stands behind it; null for none */
    ModelFromScratch(Gpt model, TokenTypes types) {
        session = model.openSession(SessionOptions.defaults());
        this.types = types;
    }

    int vocabularySize() {
        return session.model().outputs();
    }

    int contextLength() {
        return session.model().config().contextLength();
    }

    /** Behind the last of these tokens. */
    float[] logits(int[] ids) {
        float[] logits = new float[session.model().outputs()];
        read(ids);
        session.logits(ids.length - 1, logits);
        return logits;
    }

    double[] logProbabilities(int[] ids) {
        float[] logits = logits(ids);
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        double[] logProbabilities = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            logProbabilities[i] = logits[i] - Math.log(sum);
        }
        return logProbabilities;
    }

    /** The last layer's of each of these tokens. */
    float[][] states(int[] ids) {
        float[][] states = new float[ids.length][session.model().config().hiddenSize()];
        read(ids);
        for (int i = 0; i < ids.length; i++) {
            session.hiddenState(i, states[i]);
        }
        return states;
    }

    private void read(int[] ids) {
        Batch batch = session.batch();
        batch.clear();
        try (Sequence sequence = session.newSequence()) {
            batch.add(sequence, ids, null, types == null ? null : types(ids.length), Logits.ALL);
            session.step(batch);
        }
    }

    private int[] types(int length) {
        return IntStream.range(0, length).map(i -> i < types.prompt().length ? types.prompt()[i] : types.generated())
                .toArray();
    }

    static int[] concat(int[] ids, int... more) {
        int[] all = Arrays.copyOf(ids, ids.length + more.length);
        System.arraycopy(more, 0, all, ids.length, more.length);
        return all;
    }

    @Override
    public void close() {
        session.close();
    }
}
