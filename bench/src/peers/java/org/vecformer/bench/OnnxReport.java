package org.vecformer.bench;

import java.util.ArrayList;
import java.util.List;
import org.vecformer.bench.SentenceEncoder.Arithmetic;

/**
 * {@link EncoderReport} side by side with ONNX Runtime, on the all-MiniLM-L6-v2 that langchain4j publishes on Maven
 * Central in float32 and in int8. {@code --model} names the same model's folder with {@code model.safetensors}.
 */
public final class OnnxReport implements EncoderReport.Peers {

    private OnnxReport() {
    }

    public static void main(String[] args) throws Exception {
        int status = EncoderReport.run(args, new OnnxReport(), System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    @Override
    public String program() {
        return "OnnxReport";
    }

    @Override
    public boolean any() {
        return true;
    }

    @Override
    public List<SentenceEncoder> open(int threads) {
        List<SentenceEncoder> encoders = new ArrayList<>();
        encoders.add(OnnxEncoder.load("/all-minilm-l6-v2.onnx", Arithmetic.FLOAT32, threads));
        encoders.add(OnnxEncoder.load("/all-minilm-l6-v2-q.onnx", Arithmetic.INTEGER, threads));
        return encoders;
    }
}
