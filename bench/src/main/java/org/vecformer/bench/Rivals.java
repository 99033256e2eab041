package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.vecformer.loader.ModelFiles;

/** Other libraries, as far as they are here. */
interface Rivals extends EncoderReport.Peers, TokenizerReport.Peers {

    /** Nobody. */
    Rivals NONE = new Rivals() {
        @Override
        public void open(ModelFiles model, int threads, List<? super SentenceEncoder> encoders) {
        }

        @Override
        public List<TextTokenizer> open(Path directory) {
            return List.of();
        }
    };

    @Override
    void open(ModelFiles model, int threads, List<? super SentenceEncoder> encoders) throws IOException;

    @Override
    List<TextTokenizer> open(Path directory) throws IOException;
}
