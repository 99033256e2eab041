package org.vecformer.loader.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Checkpoints as Google and OpenAI name them, of models that are small. */
final class TinyCheckpoints {
    static final int VOCABULARY = 11;
    static final int HIDDEN = 64;
    static final int INNER = 96;
    static final int POSITIONS = 16;
    static final String WORDS = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nman\n##s\nwent\nhome\n.\n";

    private TinyCheckpoints() {
    }

    /** The variables of a BERT of two layers with all that pretraining leaves; what was put in, by name. */
    static Map<String, float[]> bert(BundleFiles files, String scope) {
        Map<String, float[]> values = new LinkedHashMap<>();
        String embeddings = scope + "bert/embeddings/";
        add(values, files, embeddings + "word_embeddings", VOCABULARY, HIDDEN);
        add(values, files, embeddings + "position_embeddings", POSITIONS, HIDDEN);
        add(values, files, embeddings + "token_type_embeddings", 2, HIDDEN);
        norm(values, files, embeddings + "LayerNorm");
        for (int i = 0; i < 2; i++) {
            String layer = scope + "bert/encoder/layer_" + i + "/";
            for (String part : new String[]{"query", "key", "value"}) {
                dense(values, files, layer + "attention/self/" + part, HIDDEN, HIDDEN);
            }
            dense(values, files, layer + "attention/output/dense", HIDDEN, HIDDEN);
            norm(values, files, layer + "attention/output/LayerNorm");
            dense(values, files, layer + "intermediate/dense", HIDDEN, INNER);
            dense(values, files, layer + "output/dense", INNER, HIDDEN);
            norm(values, files, layer + "output/LayerNorm");
        }
        dense(values, files, scope + "bert/pooler/dense", HIDDEN, HIDDEN);
        return values;
    }

    static void words(Map<String, float[]> values, BundleFiles files, String scope) {
        add(values, files, scope + "cls/predictions/output_bias", VOCABULARY);
        dense(values, files, scope + "cls/predictions/transform/dense", HIDDEN, HIDDEN);
        norm(values, files, scope + "cls/predictions/transform/LayerNorm");
    }

    static void add(Map<String, float[]> values, BundleFiles files, String name, int... shape) {
        values.put(name, files.add(name, shape));
    }

    private static void dense(Map<String, float[]> values, BundleFiles files, String name, int inputs, int outputs) {
        add(values, files, name + "/kernel", inputs, outputs);
        add(values, files, name + "/bias", outputs);
    }

    private static void norm(Map<String, float[]> values, BundleFiles files, String name) {
        add(values, files, name + "/gamma", HIDDEN);
        add(values, files, name + "/beta", HIDDEN);
    }

    /** A directory as Google's zip files hold it. */
    static Map<String, float[]> google(Path directory) throws IOException {
        BundleFiles files = new BundleFiles();
        Map<String, float[]> values = bert(files, "");
        words(values, files, "");
        add(values, files, "cls/seq_relationship/output_weights", 2, HIDDEN);
        add(values, files, "cls/seq_relationship/output_bias", 2);
        files.write(directory, "bert_model.ckpt");
        Files.writeString(directory.resolve("bert_model.ckpt.meta"), "a graph that nobody reads");
        Files.writeString(directory.resolve("vocab.txt"), WORDS);
        Files.writeString(directory.resolve("bert_config.json"), """
                {"attention_probs_dropout_prob": 0.1, "hidden_act": "gelu_new", "hidden_dropout_prob": 0.1,
                 "hidden_size": 64, "initializer_range": 0.02, "intermediate_size": 96,
                 "max_position_embeddings": 16, "num_attention_heads": 4, "num_hidden_layers": 2,
                 "type_vocab_size": 2, "vocab_size": 11}""");
        return values;
    }

    /** A SavedModel: variables and assets. */
    static Map<String, float[]> savedModel(Path directory) throws IOException {
        BundleFiles files = new BundleFiles();
        Map<String, float[]> values = bert(files, "module/");
        words(values, files, "module/");
        files.write(directory.resolve("variables"), "variables");
        Files.createDirectories(directory.resolve("assets"));
        Files.writeString(directory.resolve("assets/vocab.txt"), WORDS);
        Files.writeString(directory.resolve("saved_model.pb"), "a graph that nobody reads");
        return values;
    }

    /** A directory as OpenAI published GPT-2. */
    static Map<String, float[]> gpt2(Path directory) throws IOException {
        BundleFiles files = new BundleFiles();
        Map<String, float[]> values = new LinkedHashMap<>();
        add(values, files, "model/wte", VOCABULARY, HIDDEN);
        add(values, files, "model/wpe", POSITIONS, HIDDEN);
        pair(values, files, "model/ln_f", "g", HIDDEN, HIDDEN);
        for (int i = 0; i < 2; i++) {
            String block = "model/h" + i + "/";
            pair(values, files, block + "ln_1", "g", HIDDEN, HIDDEN);
            pair(values, files, block + "attn/c_attn", "w", 3 * HIDDEN, 1, HIDDEN, 3 * HIDDEN);
            pair(values, files, block + "attn/c_proj", "w", HIDDEN, 1, HIDDEN, HIDDEN);
            pair(values, files, block + "ln_2", "g", HIDDEN, HIDDEN);
            pair(values, files, block + "mlp/c_fc", "w", 4 * HIDDEN, 1, HIDDEN, 4 * HIDDEN);
            pair(values, files, block + "mlp/c_proj", "w", HIDDEN, 1, 4 * HIDDEN, HIDDEN);
        }
        files.write(directory, "model.ckpt");
        Files.writeString(directory.resolve("checkpoint"), "model_checkpoint_path: \"model.ckpt\"\n");
        Files.writeString(directory.resolve("hparams.json"),
                "{\"n_vocab\": 11, \"n_ctx\": 16, \"n_embd\": 64, \"n_head\": 2, \"n_layer\": 2}");
        Files.writeString(directory.resolve("encoder.json"), "{\"a\": 0, \"b\": 1, \"<|endoftext|>\": 10}");
        Files.writeString(directory.resolve("vocab.bpe"), "#version: 0.2\na b\n");
        return values;
    }

    private static void pair(Map<String, float[]> values, BundleFiles files, String name, String weight, int bias,
            int... shape) {
        add(values, files, name + "/" + weight, shape);
        add(values, files, name + "/b", bias);
    }
}
