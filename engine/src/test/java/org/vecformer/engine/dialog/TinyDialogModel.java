package org.vecformer.engine.dialog;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Path;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/** One of the tiny models that chat (engine/src/test/resources/dialog). */
public record TinyDialogModel(Engine engine, Gpt model, Tokenizer tokenizer) implements AutoCloseable {

    public static TinyDialogModel open(String name) throws IOException {
        Engine engine = TestBackends.open(2);
        try {
            return new TinyDialogModel(engine, Gpt.load(engine, ModelFiles.of(file(name)), LoadOptions.defaults()),
                    tokenizer(name));
        } catch (Throwable e) {
            engine.close();
            throw e;
        }
    }

    static Tokenizer tokenizer(String name) throws IOException {
        return Tokenizer.load(file(name));
    }

    static Path file(String name) {
        try {
            return Path.of(TinyDialogModel.class.getResource("/dialog/" + name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        model.close();
        engine.close();
    }
}
