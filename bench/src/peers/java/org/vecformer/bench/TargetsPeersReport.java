package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.vecformer.loader.ModelFiles;

/** {@link TargetsReport} beside ONNX Runtime, Hugging Face's tokenizers and jtokkit. */
public final class TargetsPeersReport {

    private static final Rivals RIVALS = new Rivals() {
        @Override
        public void open(ModelFiles model, int threads, List<? super SentenceEncoder> encoders) throws IOException {
            OnnxReport.open(model, threads, encoders);
        }

        @Override
        public List<TextTokenizer> open(Path directory) throws IOException {
            return TokenizerPeersReport.open(directory);
        }
    };

    private TargetsPeersReport() {
    }

    public static void main(String[] args) throws Exception {
        int status = TargetsReport.run("TargetsPeersReport", args, RIVALS, System.out, System.err);
        System.out.flush();
        System.exit(status);
    }
}
