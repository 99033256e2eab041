package org.vecformer.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;

/**
 * A GPT-2 or BERT with random float32 weights: as fast as a trained one of its shape, and nothing has to be downloaded.
 * The same seed gives the same bytes.
 */
public final class RandomModel {

    /** The seed of the benchmarks' models. */
    public static final long SEED = 124;

    /** Weights are uniform with the standard deviation that GPT-2 and BERT are initialized with, 0.02. */
    private static final float HALF_WIDTH = (float) (0.02 * Math.sqrt(3));
    private static final int CHUNK = 1 << 14;

    private RandomModel() {
    }

    /** The shape of GPT-2 124M. */
    public static Gpt2Config gpt2Small() {
        return Gpt2Config.ofSizes(50257, 1024, 768, 12, 12);
    }

    /** The shape of BERT-base, 110M. */
    public static BertConfig bertBase() {
        return BertConfig.ofSizes(30522, 512, 768, 12, 12);
    }

    /** The shape of all-MiniLM-L6-v2, 23M. */
    public static BertConfig miniLm() {
        return BertConfig.ofSizes(30522, 512, 384, 6, 12);
    }

    /**
     * Writes {@code config.json} and {@code model.safetensors}, with the tensors of a published GPT-2.
     *
     * @param directory is created if it is not there
     * @param config    the sizes; everything else is as {@link Gpt2Config#ofSizes} has it
     */
    public static void write(Path directory, Gpt2Config config, long seed) throws IOException {
        write(directory, json(config), tensors(config), seed);
    }

    /**
     * Writes {@code config.json} and {@code model.safetensors}, with the tensors of a published BERT without a head.
     *
     * @param directory is created if it is not there
     * @param config    the sizes; everything else is as {@link BertConfig#ofSizes} has it
     */
    public static void write(Path directory, BertConfig config, long seed) throws IOException {
        write(directory, json(config), tensors(config), seed);
    }

    private static void write(Path directory, String config, List<Declaration> tensors, long seed)
            throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), config, StandardCharsets.UTF_8);
        SplittableRandom random = new SplittableRandom(seed);
        float[] chunk = new float[CHUNK];
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve("model.safetensors"), tensors,
                Map.of("format", "pt"))) {
            for (Declaration tensor : tensors) {
                // A layer norm's gain is around one.
                float centre = tensor.name().matches(".*(ln_\\w|LayerNorm)\\.weight") ? 1 : 0;
                for (long left = tensor.byteSize() / Float.BYTES; left > 0; left -= CHUNK) {
                    int count = (int) Math.min(left, CHUNK);
                    for (int i = 0; i < count; i++) {
                        // 24 random bits, as nextFloat has them, from a method that is specified bit by bit.
                        chunk[i] = centre + ((random.nextInt() >> 8) * 0x1p-23f) * HALF_WIDTH;
                    }
                    writer.append(chunk, 0, count);
                }
            }
            writer.finish();
        }
    }

    private static String json(Gpt2Config config) throws IOException {
        var text = new java.io.StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeStringField("model_type", "gpt2");
            json.writeNumberField("vocab_size", config.vocabularySize());
            json.writeNumberField("n_positions", config.contextLength());
            json.writeNumberField("n_embd", config.hiddenSize());
            json.writeNumberField("n_layer", config.layers());
            json.writeNumberField("n_head", config.heads());
            json.writeStringField("activation_function", "gelu_new");
            json.writeNumberField("layer_norm_epsilon", config.layerNormEpsilon());
            json.writeEndObject();
        }
        return text.toString();
    }

    private static List<Declaration> tensors(Gpt2Config config) {
        long hidden = config.hiddenSize();
        long inner = config.innerSize();
        List<Declaration> tensors = new ArrayList<>();
        tensors.add(Declaration.f32("wte.weight", config.vocabularySize(), hidden));
        tensors.add(Declaration.f32("wpe.weight", config.contextLength(), hidden));
        for (int i = 0; i < config.layers(); i++) {
            String block = "h." + i + ".";
            norm(tensors, block + "ln_1", hidden);
            linear(tensors, block + "attn.c_attn", hidden, 3 * hidden);
            linear(tensors, block + "attn.c_proj", hidden, hidden);
            norm(tensors, block + "ln_2", hidden);
            linear(tensors, block + "mlp.c_fc", hidden, inner);
            linear(tensors, block + "mlp.c_proj", inner, hidden);
        }
        norm(tensors, "ln_f", hidden);
        return tensors;
    }

    private static String json(BertConfig config) throws IOException {
        var text = new java.io.StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text).useDefaultPrettyPrinter()) {
            json.writeStartObject();
            json.writeStringField("model_type", "bert");
            json.writeNumberField("vocab_size", config.vocabularySize());
            json.writeNumberField("max_position_embeddings", config.contextLength());
            json.writeNumberField("hidden_size", config.hiddenSize());
            json.writeNumberField("num_hidden_layers", config.layers());
            json.writeNumberField("num_attention_heads", config.heads());
            json.writeNumberField("intermediate_size", config.innerSize());
            json.writeNumberField("type_vocab_size", config.typeVocabularySize());
            json.writeStringField("hidden_act", "gelu");
            json.writeNumberField("layer_norm_eps", config.layerNormEpsilon());
            json.writeNumberField("pad_token_id", 0);
            json.writeEndObject();
        }
        return text.toString();
    }

    private static List<Declaration> tensors(BertConfig config) {
        long hidden = config.hiddenSize();
        long inner = config.innerSize();
        List<Declaration> tensors = new ArrayList<>();
        tensors.add(Declaration.f32("embeddings.word_embeddings.weight", config.vocabularySize(), hidden));
        tensors.add(Declaration.f32("embeddings.position_embeddings.weight", config.contextLength(), hidden));
        tensors.add(Declaration.f32("embeddings.token_type_embeddings.weight", config.typeVocabularySize(), hidden));
        norm(tensors, "embeddings.LayerNorm", hidden);
        for (int i = 0; i < config.layers(); i++) {
            String block = "encoder.layer." + i + ".";
            for (String name : List.of("self.query", "self.key", "self.value", "output.dense")) {
                dense(tensors, block + "attention." + name, hidden, hidden);
            }
            norm(tensors, block + "attention.output.LayerNorm", hidden);
            dense(tensors, block + "intermediate.dense", hidden, inner);
            dense(tensors, block + "output.dense", inner, hidden);
            norm(tensors, block + "output.LayerNorm", hidden);
        }
        dense(tensors, "pooler.dense", hidden, hidden);
        return tensors;
    }

    /** A layer of BERT: a row for each output. GPT-2's have a row for each input. */
    private static void dense(List<Declaration> tensors, String name, long inputs, long outputs) {
        tensors.add(Declaration.f32(name + ".weight", outputs, inputs));
        tensors.add(Declaration.f32(name + ".bias", outputs));
    }

    private static void norm(List<Declaration> tensors, String name, long size) {
        tensors.add(Declaration.f32(name + ".weight", size));
        tensors.add(Declaration.f32(name + ".bias", size));
    }

    private static void linear(List<Declaration> tensors, String name, long inputs, long outputs) {
        tensors.add(Declaration.f32(name + ".weight", inputs, outputs));
        tensors.add(Declaration.f32(name + ".bias", outputs));
    }

    /**
     * Writes a random model to be used by several runs: of GPT-2's 124M shape (500 MB), or of BERT-base's (440 MB).
     *
     * @param args the directory, and before it {@code gpt2} (which may be left out) or {@code bert-base}
     */
    public static void main(String[] args) throws IOException {
        String kind = args.length == 2 ? args[0] : "gpt2";
        if (args.length == 1 || args.length == 2 && kind.equals("gpt2")) {
            write(Path.of(args[args.length - 1]), gpt2Small(), SEED);
        } else if (args.length == 2 && kind.equals("bert-base")) {
            write(Path.of(args[1]), bertBase(), SEED);
        } else {
            System.err.println(
                    "usage: java -cp benchmarks.jar org.vecformer.bench.RandomModel [gpt2|bert-base] DIRECTORY");
            System.exit(2);
        }
    }
}
