package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Gpt2Config;

/**
 * A {@link RandomModel} in a temporary folder, which is deleted on {@link #close} or, failing that, when the
 * JVM ends.
 */
final class TemporaryModel implements AutoCloseable {

    private final Path directory;
    private final Thread hook = new Thread(this::deleteQuietly);

    private TemporaryModel(Path directory) {
        this.directory = directory;
    }

    /** Writes a model into a folder. */
    private interface Content {
        void write(Path folder) throws IOException;
    }

    static TemporaryModel create(Gpt2Config config) throws IOException {
        return create(folder -> RandomModel.write(folder, config, RandomModel.SEED));
    }

    static TemporaryModel create(BertConfig config) throws IOException {
        return create(folder -> RandomModel.write(folder, config, RandomModel.SEED));
    }

    private static TemporaryModel create(Content content) throws IOException {
        TemporaryModel model = new TemporaryModel(Files.createTempDirectory("vecformer-bench"));
        Runtime.getRuntime().addShutdownHook(model.hook);
        try {
            content.write(model.directory);
            return model;
        } catch (Throwable e) {
            model.close();
            throw e;
        }
    }

    Path directory() {
        return directory;
    }

    private void delete() throws IOException {
        if (Files.isDirectory(directory)) {
            // Interrupted in mid-write there is a file under another name too.
            try (var files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    Files.deleteIfExists(file);
                }
            }
            Files.deleteIfExists(directory);
        }
    }

    private void deleteQuietly() {
        try {
            delete();
        } catch (IOException e) {
            System.err.println("the random model in " + directory + " could not be deleted: " + e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException _) {
            // The JVM ends already: the hook does it.
            return;
        }
        delete();
    }
}
