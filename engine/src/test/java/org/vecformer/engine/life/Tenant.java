package org.vecformer.engine.life;

import java.io.IOException;
import java.nio.file.Path;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/** Somebody's program, loaded by a class loader of its own: uses the library and closes what it opened. */
public final class Tenant {

    private Tenant() {
    }

    /** Tells what it wrote, and of what size the vectors are. */
    public static String use(Path gpt, Path bert) throws IOException {
        try (Engine engine = Engine.create(EngineOptions.defaults().withThreads(3));
                Gpt writer = Gpt.load(engine, ModelFiles.of(gpt), LoadOptions.defaults());
                Bert reader = Bert.load(engine, ModelFiles.of(bert), LoadOptions.defaults());
                TextGenerator generator = TextGenerator.open(writer, Tokenizer.load(gpt));
                Embedder embedder = Embedder.open(reader, Tokenizer.load(bert))) {
            GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(8)
                    .withStrategy(DecodingStrategy.random(7));
            return generator.generate("Hello", options, TokenListener.NONE).text() + ", vectors of "
                    + embedder.embed(TaskInput.of("the man is good"), EmbedderOptions.defaults()).vector().length
                    + " numbers";
        }
    }
}
