package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where the files of one model are: its {@code config.json}, its weights, and the directory that tokenizer files lie
 * in. Immutable. An instance exists only if there is a config and there are weights; neither has been checked yet
 * beyond the index of sharded weights.
 */
public final class ModelFiles {
    private static final String CONFIG = "config.json";
    private static final String GENERATION_CONFIG = "generation_config.json";

    private final Path directory;
    private final WeightFiles weights;

    private ModelFiles(Path directory, WeightFiles weights) {
        this.directory = directory;
        this.weights = weights;
    }

    /**
     * The files in a directory, or the files beside a {@code .safetensors} or {@code .safetensors.index.json} file. In
     * a directory {@code model.safetensors} comes first, then {@code model.safetensors.index.json}, then the only
     * {@code *.safetensors} there is.
     *
     * @throws FormatException if there is no config, no weights, weights in another format only, or a faulty index
     * @throws IOException if a file cannot be read, or there is nothing at this path
     */
    public static ModelFiles of(Path path) throws IOException {
        Path directory = Files.isDirectory(path) ? path : path.toAbsolutePath().getParent();
        WeightFiles weights = WeightFiles.of(path);
        if (!Files.exists(directory.resolve(CONFIG))) {
            throw new FormatException(directory, "there is no " + CONFIG + ", expected it beside the weights");
        }
        return new ModelFiles(directory, weights);
    }

    /**
     * As {@link #resolve(String, Path, Map)} with this process's environment, the user's home, and the local models
     * folder that they give.
     *
     * @param model a directory, a file, or a name
     * @throws IOException if nothing is found; the message lists where it was looked for
     */
    public static ModelFiles resolve(String model) throws IOException {
        Map<String, String> environment = new HashMap<>(System.getenv());
        environment.putIfAbsent("HOME", System.getProperty("user.home"));
        return resolve(model, null, environment);
    }

    /**
     * Finds a model: a directory, a {@code .safetensors} file, or else a name. A name ({@code gpt2},
     * {@code org/name}, {@code org/name@revision}) is looked up in the local models folder (a directory of that name)
     * and then in the Hugging Face cache ({@code models--org--name/snapshots/...}; for a bare name also under the
     * organisations that its well-known models moved to, {@code openai-community} for {@code gpt2}).
     *
     * <p>The cache is where Hugging Face's own library has it: {@code HF_HUB_CACHE}, else {@code HF_HOME/hub}, else
     * {@code XDG_CACHE_HOME/huggingface/hub}, else {@code ~/.cache/huggingface/hub}.
     *
     * @param model a directory, a file, or a name
     * @param localModelsFolder the local models folder; null for {@code VECFORMER_MODELS}, else
     *            {@code ~/.vecformer/models}
     * @param environment environment variables; {@code HOME} or {@code USERPROFILE} is the home directory
     * @throws FormatException if a directory or file was named and is not a model, or a name was not found; the message
     *             lists where it was looked for
     * @throws IOException if a file cannot be read
     */
    public static ModelFiles resolve(String model, Path localModelsFolder, Map<String, String> environment)
            throws IOException {
        return new ModelSearch(localModelsFolder, environment).find(model);
    }

    /** The directory of the config; tokenizer files, if there are any, lie here too. */
    public Path directory() {
        return directory;
    }

    /** The model's {@code config.json}. */
    public Path config() {
        return directory.resolve(CONFIG);
    }

    /** The {@code generation_config.json}; it need not exist. */
    public Path generationConfig() {
        return directory.resolve(GENERATION_CONFIG);
    }

    /** The safetensors files: one, or the shards of the index. */
    public List<Path> weights() {
        return weights.files();
    }

    /** The index of the shards, if the weights are sharded. */
    public Optional<Path> index() {
        return weights.index().map(ShardIndex::path);
    }

    Optional<ShardIndex> shardIndex() {
        return weights.index();
    }

    @Override
    public String toString() {
        return directory.toString();
    }
}
