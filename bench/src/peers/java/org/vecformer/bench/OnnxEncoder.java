package org.vecformer.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import ai.onnxruntime.OrtSession.SessionOptions.ExecutionMode;
import ai.onnxruntime.OrtSession.SessionOptions.OptLevel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A BERT in ONNX Runtime, in the way of its Java library that costs least: all optimizations, inputs and outputs in
 * direct buffers that are made once for a batch, so that nothing is copied or allocated while it is timed. Shorter
 * sequences are padded to the longest, which is the only way to give them in one batch.
 */
final class OnnxEncoder implements SentenceEncoder {

    private final String name;
    private final Arithmetic arithmetic;
    private final OrtEnvironment environment;
    private final OrtSession session;

    private OnnxEncoder(String name, Arithmetic arithmetic, OrtEnvironment environment, OrtSession session) {
        this.name = name;
        this.arithmetic = arithmetic;
        this.environment = environment;
        this.session = session;
    }

    /**
     * @param kind  what its name says of it
     * @param bytes an ONNX file
     */
    static OnnxEncoder load(String kind, byte[] bytes, Arithmetic arithmetic, int threads) throws IOException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (SessionOptions options = new SessionOptions()) {
            options.setExecutionMode(ExecutionMode.SEQUENTIAL);
            options.setOptimizationLevel(OptLevel.ALL_OPT);
            // The caller's included, as ours.
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            return new OnnxEncoder("ONNX Runtime " + environment.getVersion() + " " + kind, arithmetic, environment,
                    environment.createSession(bytes, options));
        } catch (OrtException e) {
            throw new IOException("ONNX Runtime does not load its " + kind + " model: " + e.getMessage(), e);
        }
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public Arithmetic arithmetic() {
        return arithmetic;
    }

    @Override
    public Prepared prepare(List<int[]> sequences) {
        try {
            return new Batch(sequences);
        } catch (OrtException e) {
            throw new IllegalStateException(name + " refuses a batch: " + e.getMessage(), e);
        }
    }

    /** Inputs and outputs of one batch. */
    private final class Batch implements Prepared {

        private static final String IDS = "input_ids";
        private static final String MASK = "attention_mask";
        private static final String TYPES = "token_type_ids";
        private static final String STATES = "last_hidden_state";

        private final List<int[]> sequences;
        private final Map<String, OnnxTensor> inputs = new HashMap<>();
        private final Map<String, OnnxTensor> outputs = new HashMap<>();
        private final int length;
        private final FloatBuffer states;
        private final float[] state;
        private final float[][] vectors;

        Batch(List<int[]> sequences) throws OrtException {
            this.sequences = sequences;
            length = sequences.stream().mapToInt(ids -> ids.length).max().orElseThrow();
            LongBuffer ids = longs();
            LongBuffer mask = longs();
            for (int s = 0; s < sequences.size(); s++) {
                int[] sequence = sequences.get(s);
                for (int i = 0; i < sequence.length; i++) {
                    ids.put(s * length + i, sequence[i]);
                    mask.put(s * length + i, 1);
                }
            }
            long[] shape = {sequences.size(), length};
            inputs.put(IDS, OnnxTensor.createTensor(environment, ids, shape));
            inputs.put(MASK, OnnxTensor.createTensor(environment, mask, shape));
            inputs.put(TYPES, OnnxTensor.createTensor(environment, longs(), shape));
            long[] outputShape;
            try (OrtSession.Result result = session.run(inputs)) {
                outputShape = ((OnnxTensor) result.get(STATES).orElseThrow(
                        () -> new IllegalStateException("the ONNX file has no output " + STATES))).getInfo().getShape();
            }
            int hidden = (int) outputShape[2];
            states = direct(Float.BYTES, hidden).asFloatBuffer();
            outputs.put(STATES, OnnxTensor.createTensor(environment, states, outputShape));
            state = new float[hidden];
            vectors = new float[sequences.size()][hidden];
        }

        private LongBuffer longs() {
            return direct(Long.BYTES, 1).asLongBuffer();
        }

        private ByteBuffer direct(int bytes, int columns) {
            return ByteBuffer.allocateDirect(sequences.size() * length * columns * bytes)
                    .order(ByteOrder.nativeOrder());
        }

        @Override
        public float[][] encode() {
            // The outputs are ours: closing the result leaves them.
            try (OrtSession.Result _ = session.run(inputs, outputs)) {
                for (int s = 0; s < vectors.length; s++) {
                    MeanVector.clear(vectors[s]);
                    int tokens = sequences.get(s).length;
                    for (int i = 0; i < tokens; i++) {
                        states.get((s * length + i) * state.length, state);
                        MeanVector.add(vectors[s], state);
                    }
                    MeanVector.finish(vectors[s]);
                }
                return vectors;
            } catch (OrtException e) {
                throw new IllegalStateException(name + " failed: " + e.getMessage(), e);
            }
        }

        @Override
        public void close() {
            inputs.values().forEach(OnnxTensor::close);
            outputs.values().forEach(OnnxTensor::close);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(name + " does not close: " + e.getMessage(), e);
        }
    }
}
