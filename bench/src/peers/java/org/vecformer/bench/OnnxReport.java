package org.vecformer.bench;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.vecformer.bench.SentenceEncoder.Arithmetic;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.ModelFiles;

/**
 * {@link EncoderReport} side by side with ONNX Runtime, in float32, on the same weights written as ONNX
 * ({@link OnnxBert}). For all-MiniLM-L6-v2 there are two more peers: the files that langchain4j publishes on Maven
 * Central, float32 as it was exported and int8.
 */
public final class OnnxReport {

    private OnnxReport() {
    }

    public static void main(String[] args) throws Exception {
        int status = EncoderReport.run("OnnxReport", args, OnnxReport::open, System.out, System.err);
        System.out.flush();
        System.exit(status);
    }

    static void open(ModelFiles model, int threads, List<? super SentenceEncoder> encoders)
            throws IOException {
        if (isMiniLm(BertConfig.read(model.config()))) {
            encoders.add(OnnxEncoder.load("f32", resource("/all-minilm-l6-v2.onnx"), Arithmetic.FLOAT32, threads));
            encoders.add(OnnxEncoder.load("int8", resource("/all-minilm-l6-v2-q.onnx"), Arithmetic.INTEGER, threads));
        }
        encoders.add(OnnxEncoder.load("f32 fused", OnnxBert.of(model), Arithmetic.FLOAT32, threads));
    }

    /** By its shape: whether the weights are the same, too, the vectors tell. */
    private static boolean isMiniLm(BertConfig config) {
        return config.layers() == 6 && config.hiddenSize() == 384 && config.innerSize() == 1536
                && config.vocabularySize() == 30522;
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream file = OnnxReport.class.getResourceAsStream(name)) {
            if (file == null) {
                throw new FileNotFoundException(name + " is not on the class path: add target/peers/*");
            }
            return file.readAllBytes();
        }
    }
}
