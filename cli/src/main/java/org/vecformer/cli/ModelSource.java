package org.vecformer.cli;

import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Where a model's files come from: the place that {@code --model} names, or this jar itself. Close it when
 * the model is loaded.
 */
final class ModelSource implements AutoCloseable {
    static final String EMBEDDED_NAME = "storyteller";

    private static final String EMBEDDED = "org/vecformer/cli/" + EMBEDDED_NAME;

    private final String name;
    private final Path directory;
    private final FileSystem jar;
    private final ModelFiles files;

    private ModelSource(String name, Path directory, FileSystem jar, ModelFiles files) {
        this.name = name;
        this.directory = directory;
        this.jar = jar;
        this.files = files;
    }

    /** The model that {@code --model} names; the embedded one for null. */
    static ModelSource open(String model) throws IOException {
        if (model == null) {
            return embedded(true);
        }
        ModelFiles files = ModelFiles.resolve(model);
        return new ModelSource(model, files.directory(), null, files);
    }

    /** As {@link #open}, where only the tokenizer is wanted: a directory with nothing but tokenizer files will do. */
    static ModelSource openForTokenizer(String model) throws IOException {
        if (model == null) {
            return embedded(false);
        }
        Path directory = Path.of(model);
        if (Files.isDirectory(directory) && Tokenizer.isPresent(directory)) {
            return new ModelSource(model, directory, null, null);
        }
        return open(model);
    }

    /**
     * Found as a resource: of a class that came out of an archive of classes (class data sharing), the code source names the
     * place where the jar was when the archive was made.
     */
    private static ModelSource embedded(boolean weights) throws IOException {
        URL config = ModelSource.class.getResource(EMBEDDED_NAME + "/config.json");
        FileSystem jar = null;
        try {
            Path directory;
            if (config.openConnection() instanceof JarURLConnection inJar) {
                jar = FileSystems.newFileSystem(path(inJar.getJarFileURL()));
                directory = jar.getPath(EMBEDDED);
            } else {
                directory = path(config).getParent();
            }
            return new ModelSource(EMBEDDED_NAME, directory, jar, weights ? ModelFiles.of(directory) : null);
        } catch (Throwable e) {
            if (jar != null) {
                jar.close();
            }
            throw e;
        }
    }

    private static Path path(URL url) throws CommandException {
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new CommandException("cannot find the jar that holds the embedded model", e);
        }
    }

    /** As the user named it. */
    String name() {
        return name;
    }

    ModelFiles files() {
        return files;
    }

    /** The model's tokenizer; null if it has none and works with ids alone. */
    Tokenizer tokenizer() throws IOException {
        return Tokenizer.isPresent(directory) ? Tokenizer.load(directory) : null;
    }

    /**
     * The model's tokenizer.
     *
     * @throws CommandException if it has none
     */
    Tokenizer requiredTokenizer() throws IOException {
        Tokenizer tokenizer = tokenizer();
        if (tokenizer == null) {
            throw new CommandException(
                    "the model " + name + " has no tokenizer files (tokenizer.json, or vocab.json and merges.txt)");
        }
        return tokenizer;
    }

    @Override
    public void close() throws IOException {
        if (jar != null) {
            jar.close();
        }
    }
}
