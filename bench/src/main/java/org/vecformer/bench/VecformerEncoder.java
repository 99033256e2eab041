package org.vecformer.bench;

import java.io.IOException;
import java.util.List;
import org.vecformer.engine.Engine;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderBatch;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.ModelFiles;

/** Our own encoder: sequences packed end to end, without padding. */
final class VecformerEncoder implements SentenceEncoder {

    private final String name;
    private final WeightType weights;
    private final Bert model;

    private VecformerEncoder(String name, WeightType weights, Bert model) {
        this.name = name;
        this.weights = weights;
        this.model = model;
    }

    static VecformerEncoder load(Engine engine, ModelFiles files, WeightType weights) throws IOException {
        return new VecformerEncoder("vecformer " + Arguments.spelt(weights), weights,
                Bert.load(engine, files, LoadOptions.defaults().withWeights(weights)));
    }

    BertConfig config() {
        return model.config();
    }

    long parameters() {
        return model.parameters();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Arithmetic arithmetic() {
        return weights == WeightType.F32 ? Arithmetic.FLOAT32 : Arithmetic.ROUNDED_WEIGHTS;
    }

    @Override
    public Prepared prepare(List<int[]> sequences) {
        int tokens = sequences.stream().mapToInt(ids -> ids.length).sum();
        // A sequence takes room in steps.
        int room = tokens + KeyValuePages.POSITIONS * sequences.size();
        EncoderSession session = model.openSession(EncoderOptions.defaults().withMaxBatchTokens(room));
        List<EncoderInput> inputs = sequences.stream().map(EncoderInput::of).toList();
        float[] state = new float[model.config().hiddenSize()];
        float[][] vectors = new float[inputs.size()][state.length];
        return new Prepared() {

            @Override
            public float[][] encode() {
                EncoderBatch batch = session.batch();
                batch.clear();
                for (EncoderInput input : inputs) {
                    batch.add(input);
                }
                session.run(batch);
                for (int s = 0; s < vectors.length; s++) {
                    MeanVector.clear(vectors[s]);
                    for (int i = 0; i < inputs.get(s).length(); i++) {
                        session.hidden(s, i, state);
                        MeanVector.add(vectors[s], state);
                    }
                    MeanVector.finish(vectors[s]);
                }
                return vectors;
            }

            @Override
            public void close() {
                session.close();
            }
        };
    }

    @Override
    public void close() {
        model.close();
    }
}
