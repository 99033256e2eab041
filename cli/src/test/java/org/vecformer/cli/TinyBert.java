package org.vecformer.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;

/** Writes model directories of small BERTs with random weights, the same ones every time. */
final class TinyBert {
    static final int CONTEXT = 48;
    static final int WIDTH = 16;
    static final int LAYERS = 2;

    static final List<String> VOCABULARY = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d",
            "e", "##a", "##b", "##c", "##d", "##e", "bob", "is", "good", "man", "he", "has", "three", "kids", "two",
            "she", "the", "and", "says", ".", ",", "?", "!");

    private static final int HEADS = 2;
    private static final int INNER = 24;

    private final Random random = new Random(17);
    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final List<Declaration> declarations = new ArrayList<>();

    private TinyBert() {
    }

    /** A model of this class of Hugging Face's, {@code BertForMaskedLM} for example, and its tokenizer. */
    static Path write(Path directory, String architecture, String... labels) {
        try {
            Files.createDirectories(directory);
            TinyBert bert = new TinyBert();
            bert.encoder();
            bert.heads(architecture, labels.length);
            bert.save(directory.resolve("model.safetensors"));
            Files.writeString(directory.resolve("config.json"), config(architecture, labels));
            Files.writeString(directory.resolve("vocab.txt"), String.join("\n", VOCABULARY) + "\n");
            return directory;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String config(String architecture, String[] labels) {
        StringJoiner names = new StringJoiner(", ", "{", "}");
        for (int i = 0; i < labels.length; i++) {
            names.add("\"" + i + "\": \"" + labels[i] + "\"");
        }
        return """
                {"model_type": "bert", "architectures": ["%s"], "vocab_size": %d, "max_position_embeddings": %d,
                 "hidden_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d, "intermediate_size": %d,
                 "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0%s}
                """.formatted(architecture, VOCABULARY.size(), CONTEXT, WIDTH, LAYERS, HEADS, INNER,
                labels.length == 0 ? "" : ", \"id2label\": " + names);
    }

    private void encoder() {
        add("bert.embeddings.word_embeddings.weight", VOCABULARY.size(), WIDTH);
        add("bert.embeddings.position_embeddings.weight", CONTEXT, WIDTH);
        add("bert.embeddings.token_type_embeddings.weight", 2, WIDTH);
        norm("bert.embeddings.LayerNorm");
        for (int i = 0; i < LAYERS; i++) {
            String layer = "bert.encoder.layer." + i + ".";
            for (String name : List.of("query", "key", "value")) {
                linear(layer + "attention.self." + name, WIDTH, WIDTH);
            }
            linear(layer + "attention.output.dense", WIDTH, WIDTH);
            norm(layer + "attention.output.LayerNorm");
            linear(layer + "intermediate.dense", WIDTH, INNER);
            linear(layer + "output.dense", INNER, WIDTH);
            norm(layer + "output.LayerNorm");
        }
    }

    private void heads(String architecture, int labels) {
        boolean pretraining = architecture.equals("BertForPreTraining");
        if (!List.of("BertForMaskedLM", "BertForTokenClassification", "BertForQuestionAnswering")
                .contains(architecture)) {
            linear("bert.pooler.dense", WIDTH, WIDTH);
        }
        if (architecture.equals("BertForMaskedLM") || pretraining) {
            linear("cls.predictions.transform.dense", WIDTH, WIDTH);
            norm("cls.predictions.transform.LayerNorm");
            add("cls.predictions.bias", VOCABULARY.size());
        }
        if (architecture.equals("BertForNextSentencePrediction") || pretraining) {
            linear("cls.seq_relationship", WIDTH, 2);
        }
        if (architecture.equals("BertForQuestionAnswering")) {
            linear("qa_outputs", WIDTH, 2);
        }
        if (architecture.endsWith("Classification")) {
            linear("classifier", WIDTH, labels);
        }
        if (architecture.equals("BertForMultipleChoice")) {
            linear("classifier", WIDTH, 1);
        }
    }

    private void linear(String name, int inputs, int outputs) {
        add(name + ".weight", outputs, inputs);
        add(name + ".bias", outputs);
    }

    private void norm(String name) {
        add(name + ".weight", WIDTH);
        add(name + ".bias", WIDTH);
        float[] gain = values.get(name + ".weight");
        for (int i = 0; i < gain.length; i++) {
            gain[i] += 1;
        }
    }

    private void add(String name, int... shape) {
        int size = 1;
        long[] dimensions = new long[shape.length];
        for (int i = 0; i < shape.length; i++) {
            size *= shape[i];
            dimensions[i] = shape[i];
        }
        // Large embeddings make different inputs different outputs.
        float scale = name.contains("embeddings.weight") ? 1 : 0.4f;
        float[] data = new float[size];
        for (int i = 0; i < size; i++) {
            data[i] = (float) random.nextGaussian() * scale;
        }
        values.put(name, data);
        declarations.add(Declaration.f32(name, dimensions));
    }

    private void save(Path file) throws IOException {
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of())) {
            for (Declaration declaration : declarations) {
                writer.append(values.get(declaration.name()));
            }
            writer.finish();
        }
    }
}
