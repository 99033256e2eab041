package org.vecformer.engine.generation;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/** What tests of generation share: a small model whose tokens are bytes, and a generator for each test. */
abstract class ByteModelFixture {

    static final int[] PROMPT = {72, 101, 108, 108, 111, 33};

    @TempDir
    static Path directory;
    static Engine engine;
    static Gpt model;
    static Tokenizer tokenizer;
    TextGenerator generator;

    @BeforeAll
    static void load() throws IOException {
        TestModels.write(directory, TestModels.Shape.EVEN, 21, DType.F32);
        TestModels.writeByteTokenizer(directory);
        tokenizer = Tokenizer.load(directory);
        engine = TestBackends.open(2);
        model = Gpt.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
    }

    @AfterAll
    static void close() {
        model.close();
        engine.close();
    }

    @BeforeEach
    void open() {
        generator = TextGenerator.open(model, tokenizer);
    }

    @AfterEach
    void closeGenerator() {
        generator.close();
    }
}
