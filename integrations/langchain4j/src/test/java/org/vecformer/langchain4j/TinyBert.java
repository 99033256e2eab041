package org.vecformer.langchain4j;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;

/** Writes a BERT of random weights, the same ones every time, as a user would have its files. */
final class TinyBert {

    static final int CONTEXT = 32;
    static final int HIDDEN = 16;

    private static final int INNER = 24;
    private static final List<String> VOCABULARY = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello",
            "world",
            "the", "sky", "grass", "is", "blue", "green", "first", "second", "paris", "capital", "of", "france", "a",
            "b",
            "##a", "##b", ".", "?");

    private final List<Declaration> tensors = new ArrayList<>();

    private TinyBert() {
    }

    /** @param labels of a sequence classifier; 0 for a model without a head */
    static Path write(Path directory, int labels) throws IOException {
        TinyBert bert = new TinyBert();
        bert.encoder();
        if (labels > 0) {
            bert.linear("classifier", HIDDEN, labels);
        }
        Files.createDirectories(directory);
        bert.save(directory.resolve("model.safetensors"));
        String names = switch (labels) {
            case 0 -> "";
            case 1 -> ", \"id2label\": {\"0\": \"relevant\"}";
            default -> ", \"id2label\": {\"0\": \"no\", \"1\": \"yes\"}";
        };
        Files.writeString(directory.resolve("config.json"), """
                {"model_type": "bert", "architectures": ["%s"], "vocab_size": %d, "max_position_embeddings": %d,
                 "hidden_size": %d, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": %d,
                 "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0%s}
                """.formatted(labels > 0 ? "BertForSequenceClassification" : "BertModel", VOCABULARY.size(), CONTEXT,
                HIDDEN, INNER, names));
        Files.write(directory.resolve("vocab.txt"), VOCABULARY);
        return directory;
    }

    private void encoder() {
        tensor("bert.embeddings.word_embeddings.weight", VOCABULARY.size(), HIDDEN);
        tensor("bert.embeddings.position_embeddings.weight", CONTEXT, HIDDEN);
        tensor("bert.embeddings.token_type_embeddings.weight", 2, HIDDEN);
        norm("bert.embeddings.LayerNorm");
        String layer = "bert.encoder.layer.0.";
        for (String name : List.of("query", "key", "value")) {
            linear(layer + "attention.self." + name, HIDDEN, HIDDEN);
        }
        linear(layer + "attention.output.dense", HIDDEN, HIDDEN);
        norm(layer + "attention.output.LayerNorm");
        linear(layer + "intermediate.dense", HIDDEN, INNER);
        linear(layer + "output.dense", INNER, HIDDEN);
        norm(layer + "output.LayerNorm");
        linear("bert.pooler.dense", HIDDEN, HIDDEN);
    }

    private void linear(String name, long inputs, long outputs) {
        tensor(name + ".weight", outputs, inputs);
        tensor(name + ".bias", outputs);
    }

    private void norm(String name) {
        tensor(name + ".weight", HIDDEN);
        tensor(name + ".bias", HIDDEN);
    }

    private void tensor(String name, long... shape) {
        tensors.add(Declaration.f32(name, shape));
    }

    private void save(Path file) throws IOException {
        Random random = new Random(17);
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            for (Declaration tensor : tensors) {
                float[] values = new float[(int) (tensor.byteSize() / Float.BYTES)];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) random.nextGaussian() * 0.5f;
                }
                writer.append(values);
            }
            writer.finish();
        }
    }
}
