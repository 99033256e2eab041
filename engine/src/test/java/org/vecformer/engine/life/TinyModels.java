package org.vecformer.engine.life;

import java.io.IOException;
import java.nio.file.Path;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.TinyBert;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/** The files of a small GPT whose tokens are bytes, and of a small BERT. */
public record TinyModels(Path gpt, Path bert) {

    /** Writes them into a folder. */
    public static TinyModels write(Path directory) throws IOException {
        Path gpt = TestModels.write(directory.resolve("gpt"), TestModels.Shape.EVEN, 21, DType.F32);
        TestModels.writeByteTokenizer(gpt);
        Path bert = directory.resolve("bert");
        TinyBert.open(bert, "BertForMaskedLM", 0).close();
        return new TinyModels(gpt, bert);
    }

    public Gpt loadGpt(Engine engine) throws IOException {
        return Gpt.load(engine, ModelFiles.of(gpt), LoadOptions.defaults());
    }

    public Bert loadBert(Engine engine) throws IOException {
        return Bert.load(engine, ModelFiles.of(bert), LoadOptions.defaults());
    }

    public Tokenizer gptTokenizer() throws IOException {
        return Tokenizer.load(gpt);
    }

    public Tokenizer bertTokenizer() throws IOException {
        return Tokenizer.load(bert);
    }
}
