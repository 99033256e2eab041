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
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;

/**
 * A GPT-2 with random float32 weights: as fast as a trained one of its shape, and nothing has to be downloaded. The
 * same seed gives the same bytes.
 */
public final class RandomModel {

    /** The seed of the benchmarks' models. */
    public static final long SEED = 124;

    /** Weights are uniform with the standard deviation that GPT-2 is initialized with, 0.02. */
    private static final float HALF_WIDTH = (float) (0.02 * Math.sqrt(3));
    private static final int CHUNK = 1 << 14;

    private RandomModel() {
    }

    /** The shape of GPT-2 124M. */
    public static Gpt2Config gpt2Small() {
        return Gpt2Config.ofSizes(50257, 1024, 768, 12, 12);
    }

    /**
     * Writes {@code config.json} and {@code model.safetensors}, with the tensors of a published GPT-2.
     *
     * @param directory is created if it is not there
     * @param config    the sizes; everything else is as {@link Gpt2Config#ofSizes} has it
     */
    public static void write(Path directory, Gpt2Config config, long seed) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), json(config), StandardCharsets.UTF_8);
        List<Declaration> tensors = tensors(config);
        SplittableRandom random = new SplittableRandom(seed);
        float[] chunk = new float[CHUNK];
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve("model.safetensors"), tensors,
                Map.of("format", "pt"))) {
            for (Declaration tensor : tensors) {
                // A layer norm's gain is around one.
                float centre = tensor.name().matches(".*ln_\\w\\.weight") ? 1 : 0;
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

    private static void norm(List<Declaration> tensors, String name, long size) {
        tensors.add(Declaration.f32(name + ".weight", size));
        tensors.add(Declaration.f32(name + ".bias", size));
    }

    private static void linear(List<Declaration> tensors, String name, long inputs, long outputs) {
        tensors.add(Declaration.f32(name + ".weight", inputs, outputs));
        tensors.add(Declaration.f32(name + ".bias", outputs));
    }

    /**
     * Writes a random model of the 124M shape (500 MB) to be used by several runs.
     *
     * @param args the directory
     */
    public static void main(String[] args) throws IOException {
        if (args.length != 1) {
            System.err.println("usage: java -cp benchmarks.jar org.vecformer.bench.RandomModel DIRECTORY");
            System.exit(2);
        }
        write(Path.of(args[0]), gpt2Small(), SEED);
    }
}
