package org.vecformer.engine.task;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/** A random GPT-2 whose tokenizer knows the bytes and a few pieces of words. */
public record TinyGpt2(Engine engine, Gpt model, Tokenizer tokenizer) implements AutoCloseable {

    static final TestModels.Shape SHAPE = new TestModels.Shape(290, 70, 64, 2, 2, 128);

    public static TinyGpt2 open(Path directory) throws IOException {
        TestModels.write(directory, SHAPE, 11, DType.F32);
        writeTokenizer(directory);
        Engine engine = TestBackends.open(2);
        return new TinyGpt2(engine, Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults()),
                Tokenizer.load(directory));
    }

    /** The end token (0), the bytes (1 to 256), each letter behind a space, and a few other merges. */
    private static void writeTokenizer(Path directory) throws IOException {
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        vocabulary.put("<|endoftext|>", 0);
        // GPT-2's spelling of bytes: printable ones stand for themselves, the others for characters from 256 on.
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            vocabulary.put(Character.toString(printable ? b : next++), b + 1);
        }
        List<String> merges = new ArrayList<>(List.of("h e", "i n", "a n", "Ċ Ċ", "Ġ Ġ", "an d"));
        "abcdefghijklmnopqrstuvwxyz".chars().forEach(letter -> merges.add("Ġ " + (char) letter));
        merges.add("Ġt he");
        merges.forEach(merge -> vocabulary.put(merge.replace(" ", ""), vocabulary.size()));
        Files.writeString(directory.resolve("vocab.json"), new ObjectMapper().writeValueAsString(vocabulary));
        Files.writeString(directory.resolve("merges.txt"), "#version: 0.2\n" + String.join("\n", merges) + "\n");
        Files.writeString(directory.resolve("tokenizer_config.json"), """
                {"tokenizer_class": "GPT2Tokenizer", "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>",
                 "unk_token": "<|endoftext|>", "add_prefix_space": false}
                """);
    }

    @Override
    public void close() {
        model.close();
        engine.close();
    }
}
