package org.vecformer.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.vecformer.loader.DType;

/** Small BERT models with seeded random weights, written to disk as a user's would be. */
public final class TestBerts {

    private TestBerts() {
    }

    /** Sizes of a model; the odd ones find what even ones hide. */
    public record Shape(int vocabulary, int context, int hidden, int layers, int heads, int inner) {
        /** Nothing here is a multiple of a vector. */
        public static final Shape ODD = new Shape(101, 70, 30, 2, 3, 37);
        /** Heads of 64 as real models have, sequences of several pages of keys. */
        public static final Shape EVEN = new Shape(257, 96, 128, 2, 2, 512);
    }

    /**
     * Writes config.json and model.safetensors.
     *
     * @param architecture such as BertForMaskedLM: the heads that it has, with a pooler unless it is that one
     * @param labels       of a classifier: LABEL_0 and so on
     */
    public static Path write(Path directory, Shape shape, String architecture, int labels, long seed, DType dtype)
            throws IOException {
        Files.createDirectories(directory);
        String names = IntStream.range(0, labels).mapToObj(i -> "\"" + i + "\": \"LABEL_" + i + "\"")
                .collect(Collectors.joining(", "));
        Files.writeString(directory.resolve("config.json"), """
                {"model_type": "bert", "architectures": ["%s"], "vocab_size": %d, "max_position_embeddings": %d,
                 "hidden_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d, "intermediate_size": %d,
                 "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0%s}
                """.formatted(architecture, shape.vocabulary, shape.context, shape.hidden, shape.layers, shape.heads,
                shape.inner, labels == 0 ? "" : ", \"id2label\": {" + names + "}"));
        TestModels.writeWeights(directory, tensors(shape, architecture, labels), seed, dtype);
        return directory;
    }

    private static Map<String, long[]> tensors(Shape shape, String architecture, int labels) {
        long hidden = shape.hidden;
        Map<String, long[]> tensors = new LinkedHashMap<>();
        tensors.put("bert.embeddings.word_embeddings.weight", new long[]{shape.vocabulary, hidden});
        tensors.put("bert.embeddings.position_embeddings.weight", new long[]{shape.context, hidden});
        tensors.put("bert.embeddings.token_type_embeddings.weight", new long[]{2, hidden});
        TestModels.norm(tensors, "bert.embeddings.LayerNorm", hidden);
        for (int i = 0; i < shape.layers; i++) {
            String name = "bert.encoder.layer." + i + ".";
            for (String part : List.of("query", "key", "value")) {
                linear(tensors, name + "attention.self." + part, hidden, hidden);
            }
            linear(tensors, name + "attention.output.dense", hidden, hidden);
            TestModels.norm(tensors, name + "attention.output.LayerNorm", hidden);
            linear(tensors, name + "intermediate.dense", hidden, shape.inner);
            linear(tensors, name + "output.dense", shape.inner, hidden);
            TestModels.norm(tensors, name + "output.LayerNorm", hidden);
        }
        if (!architecture.equals("BertForMaskedLM")) {
            linear(tensors, "bert.pooler.dense", hidden, hidden);
        }
        switch (architecture) {
            case "BertForMaskedLM", "BertForPreTraining" -> {
                linear(tensors, "cls.predictions.transform.dense", hidden, hidden);
                TestModels.norm(tensors, "cls.predictions.transform.LayerNorm", hidden);
                tensors.put("cls.predictions.bias", new long[]{shape.vocabulary});
                if (architecture.equals("BertForPreTraining")) {
                    linear(tensors, "cls.seq_relationship", hidden, 2);
                }
            }
            case "BertForNextSentencePrediction" -> linear(tensors, "cls.seq_relationship", hidden, 2);
            case "BertForSequenceClassification", "BertForTokenClassification" ->
                linear(tensors, "classifier", hidden, labels);
            case "BertForMultipleChoice" -> linear(tensors, "classifier", hidden, 1);
            case "BertForQuestionAnswering" -> linear(tensors, "qa_outputs", hidden, 2);
            default -> {
                // BertModel has no head.
            }
        }
        return tensors;
    }

    /** Linear layers keep outputs as rows. */
    private static void linear(Map<String, long[]> tensors, String name, long inputs, long outputs) {
        tensors.put(name + ".weight", new long[]{outputs, inputs});
        tensors.put(name + ".bias", new long[]{outputs});
    }
}
