package org.vecformer.bench;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * {@link TokenizerReport} side by side with Hugging Face's tokenizers library, in Rust, as DJL gives it to Java. The
 * folder must have a {@code tokenizer.json}.
 */
public final class HuggingFaceReport {

    /** The library, through its shortest call, which makes an encoding with tokens and offsets. */
    private record HuggingFace(HuggingFaceTokenizer tokenizer) implements TextTokenizer {

        static HuggingFace load(Path directory) throws IOException {
            Path file = directory.resolve("tokenizer.json");
            if (!Files.isRegularFile(file)) {
                throw new IOException(directory + " has no tokenizer.json, which Hugging Face's library reads");
            }
            // As long as the text is: the model's limit is not what is compared.
            return new HuggingFace(HuggingFaceTokenizer.newInstance(file,
                    Map.of("truncation", "false", "padding", "false")));
        }

        @Override
        public String name() {
            return "Hugging Face by DJL " + tokenizer.getVersion() + ", ids and offsets";
        }

        @Override
        public int count(String text) {
            return tokenizer.encode(text).getIds().length;
        }

        @Override
        public int[] ids(String text) {
            return Arrays.stream(tokenizer.encode(text).getIds()).mapToInt(Math::toIntExact).toArray();
        }

        @Override
        public void close() {
            tokenizer.close();
        }
    }

    private HuggingFaceReport() {
    }

    public static void main(String[] args) throws Exception {
        int status = TokenizerReport.run("HuggingFaceReport", args,
                directory -> List.of(HuggingFace.load(directory)), System.out, System.err);
        System.out.flush();
        System.exit(status);
    }
}
