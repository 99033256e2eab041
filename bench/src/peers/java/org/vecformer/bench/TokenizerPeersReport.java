package org.vecformer.bench;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.vecformer.tokenizer.Tokenizer;

/**
 * {@link TokenizerReport} side by side with the libraries that have the same vocabulary: Hugging Face's tokenizers, in
 * Rust, as DJL gives them to Java, for a folder with a {@code tokenizer.json}; and jtokkit, in Java, for GPT-2's.
 */
public final class TokenizerPeersReport {

    /** The ids of GPT-2's vocabulary, which jtokkit calls r50k_base. */
    private static final int GPT2_IDS = 50257;

    /** The library, through its shortest call, which makes an encoding with tokens and offsets. */
    private record HuggingFace(HuggingFaceTokenizer tokenizer) implements TextTokenizer {

        static HuggingFace load(Path file) throws IOException {
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

    /** The library, through its shortest call that gives ids. */
    private record Jtokkit(Encoding encoding) implements TextTokenizer {

        static Jtokkit gpt2() {
            return new Jtokkit(Encodings.newLazyEncodingRegistry().getEncoding(EncodingType.R50K_BASE));
        }

        @Override
        public String name() {
            return "jtokkit, ids";
        }

        @Override
        public int count(String text) {
            return encoding.encodeOrdinary(text).size();
        }

        @Override
        public int[] ids(String text) {
            return encoding.encodeOrdinary(text).toArray();
        }
    }

    private TokenizerPeersReport() {
    }

    public static void main(String[] args) throws Exception {
        int status = TokenizerReport.run("TokenizerPeersReport", args, TokenizerPeersReport::open, System.out,
                System.err);
        System.out.flush();
        System.exit(status);
    }

    /**
     * The peers for the files of a folder.
     *
     * @throws IOException if there are none
     */
    static List<TextTokenizer> open(Path directory) throws IOException {
        List<TextTokenizer> peers = new ArrayList<>();
        Tokenizer tokenizer = Tokenizer.load(directory);
        if (tokenizer.continuingPrefix().isEmpty() && tokenizer.vocabularySize() == GPT2_IDS) {
            peers.add(Jtokkit.gpt2());
        }
        Path file = directory.resolve("tokenizer.json");
        if (Files.isRegularFile(file)) {
            peers.add(HuggingFace.load(file));
        }
        if (peers.isEmpty()) {
            throw new IOException(directory + " has neither a tokenizer.json, which Hugging Face's library reads, nor "
                    + "GPT-2's vocabulary of " + GPT2_IDS + " ids, which jtokkit has");
        }
        return peers;
    }
}
