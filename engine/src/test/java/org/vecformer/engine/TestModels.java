package org.vecformer.engine;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.vecformer.loader.DType;
import org.vecformer.loader.SafetensorsWriter;

/** Small GPT models with seeded random weights, written to disk as a user's would be. */
public final class TestModels {

    private TestModels() {
    }

    /** Sizes of a model; the odd ones find what even ones hide. */
    public record Shape(int vocabulary, int context, int hidden, int layers, int heads, int inner) {
        /** Nothing here is a multiple of a vector. */
        public static final Shape ODD = new Shape(101, 70, 30, 2, 3, 37);
        /** Heads of 64 as real models have, more positions than one cache page. */
        public static final Shape EVEN = new Shape(257, 96, 128, 2, 2, 512);
    }

    /** Writes config.json and model.safetensors. */
    public static Path write(Path directory, Shape shape, long seed, DType dtype) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), """
                {"model_type": "gpt2", "vocab_size": %d, "n_positions": %d, "n_embd": %d, "n_layer": %d, "n_head": %d,
                 "n_inner": %d, "eos_token_id": 0, "bos_token_id": 0}
                """.formatted(shape.vocabulary, shape.context, shape.hidden, shape.layers, shape.heads, shape.inner));
        writeWeights(directory, tensors(shape), seed, dtype);
        return directory;
    }

    /** How the tensors of an OpenAI GPT are named: as transformers does, or as pytorch-pretrained-bert and OpenAI did. */
    public enum Names {
        NEW, OLD
    }

    /**
     * Writes config.json and model.safetensors of an OpenAI GPT with double heads; the same weights under either names.
     *
     * @param shape its inner size counts for nothing: that is four times the hidden size
     */
    public static Path writeOpenAi(Path directory, Shape shape, long seed, DType dtype, Names names)
            throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), (names == Names.NEW ? """
                {"model_type": "openai-gpt", "afn": "gelu", "vocab_size": %d, "n_positions": %d, "n_embd": %d,
                 "n_layer": %d, "n_head": %d}
                """ : """
                {"afn": "gelu", "n_special": 5, "vocab_size": %d, "n_positions": %d, "n_ctx": %2$d, "n_embd": %d,
                 "n_layer": %d, "n_head": %d}
                """).formatted(names == Names.NEW ? shape.vocabulary : shape.vocabulary - 5, shape.context,
                shape.hidden, shape.layers, shape.heads));
        Map<String, long[]> tensors = new LinkedHashMap<>();
        tensors.put("tokens_embed.weight", new long[]{shape.vocabulary, shape.hidden});
        tensors.put("positions_embed.weight", new long[]{shape.context, shape.hidden});
        blocks(tensors, shape, 4 * shape.hidden);
        tensors.put("multiple_choice_head.summary.weight", new long[]{1, shape.hidden});
        tensors.put("multiple_choice_head.summary.bias", new long[]{1});
        Map<String, long[]> named = new LinkedHashMap<>();
        tensors.forEach((name, dimensions) -> named.put(names == Names.NEW ? name : old(name), dimensions));
        writeWeights(directory, named, seed, dtype);
        return directory;
    }

    private static String old(String name) {
        if (name.startsWith("multiple")) {
            return name.replace("summary", "linear");
        }
        if (name.startsWith("h.")) {
            String last = name.contains("ln_") ? ".g" : ".w";
            return "transformer." + name.replace(".weight", last).replace(".bias", ".b");
        }
        return "transformer." + name;
    }

    /**
     * Writes the files of a tokenizer that has the end token (0), each byte (1 to 256), so that most characters are
     * several tokens, and what these merges ("a b") make.
     */
    public static void writeByteTokenizer(Path directory, String... merges) throws IOException {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        vocabulary.put("<|endoftext|>", 0);
        // GPT-2's spelling of bytes: printable ones stand for themselves, the others for characters from 256 on.
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            vocabulary.put(Character.toString(printable ? b : next++), b + 1);
        }
        for (String merge : merges) {
            vocabulary.put(merge.replace(" ", ""), vocabulary.size());
        }
        Files.writeString(directory.resolve("vocab.json"), new ObjectMapper().writeValueAsString(vocabulary));
        Files.writeString(directory.resolve("merges.txt"), "#version: 0.2\n" + String.join("\n", merges) + "\n");
        Files.writeString(directory.resolve("tokenizer_config.json"), """
                {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
                 "unk_token": "<|endoftext|>", "add_prefix_space": false}
                """);
    }

    /** Writes model.safetensors with seeded random numbers, those of norms' gains about 1. */
    static void writeWeights(Path directory, Map<String, long[]> tensors, long seed, DType dtype) throws IOException {
        List<SafetensorsWriter.Declaration> declarations = new ArrayList<>();
        tensors.forEach((name, dimensions) -> {
            List<Long> list = new ArrayList<>();
            for (long dimension : dimensions) {
                list.add(dimension);
            }
            declarations.add(new SafetensorsWriter.Declaration(name, dtype, list));
        });
        RandomGenerator random = new java.util.Random(seed);
        try (SafetensorsWriter writer = SafetensorsWriter.create(directory.resolve("model.safetensors"), declarations,
                Map.of());
                Arena arena = Arena.ofConfined()) {
            for (Map.Entry<String, long[]> tensor : tensors.entrySet()) {
                long count = 1;
                for (long dimension : tensor.getValue()) {
                    count *= dimension;
                }
                MemorySegment data = arena.allocate(count * dtype.bits() / 8, 8);
                boolean norm = (tensor.getKey().contains("ln_") || tensor.getKey().contains("LayerNorm"))
                        && (tensor.getKey().endsWith("weight") || tensor.getKey().endsWith(".g"));
                for (long i = 0; i < count; i++) {
                    set(data, dtype, i, (float) (random.nextGaussian() * 0.2 + (norm ? 1 : 0)));
                }
                writer.append(data);
            }
            writer.finish();
        }
    }

    private static void set(MemorySegment data, DType dtype, long i, float value) {
        switch (dtype) {
            case F32 -> data.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
            case F64 -> data.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
            case F16 -> data.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(value));
            case BF16 -> data.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(value) >>> 16));
            default -> throw new IllegalArgumentException(dtype.toString());
        }
    }

    private static Map<String, long[]> tensors(Shape shape) {
        long hidden = shape.hidden;
        Map<String, long[]> tensors = new LinkedHashMap<>();
        tensors.put("wte.weight", new long[]{shape.vocabulary, hidden});
        tensors.put("wpe.weight", new long[]{shape.context, hidden});
        blocks(tensors, shape, shape.inner);
        norm(tensors, "ln_f", hidden);
        return tensors;
    }

    private static void blocks(Map<String, long[]> tensors, Shape shape, long inner) {
        long hidden = shape.hidden;
        for (int i = 0; i < shape.layers; i++) {
            String name = "h." + i + ".";
            norm(tensors, name + "ln_1", hidden);
            linear(tensors, name + "attn.c_attn", hidden, 3 * hidden);
            linear(tensors, name + "attn.c_proj", hidden, hidden);
            norm(tensors, name + "ln_2", hidden);
            linear(tensors, name + "mlp.c_fc", hidden, inner);
            linear(tensors, name + "mlp.c_proj", inner, hidden);
        }
    }

    static void norm(Map<String, long[]> tensors, String name, long hidden) {
        tensors.put(name + ".weight", new long[]{hidden});
        tensors.put(name + ".bias", new long[]{hidden});
    }

    private static void linear(Map<String, long[]> tensors, String name, long inputs, long outputs) {
        tensors.put(name + ".weight", new long[]{inputs, outputs});
        tensors.put(name + ".bias", new long[]{outputs});
    }
}
