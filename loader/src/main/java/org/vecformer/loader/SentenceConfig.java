package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How a sentence-transformers model makes one vector of a text: what {@code modules.json} lists (a transformer, a
 * pooling, dense layers, a normalization), and the files that its modules have. Immutable.
 *
 * @param poolings how the tokens' states become one vector; several are concatenated in the order of {@link Pooling}
 * @param dense layers behind the pooling, in their order
 * @param normalize whether vectors are scaled to length 1 in the end
 * @param maxLength most tokens of a text, special tokens included ({@code max_seq_length}); longer ones are truncated
 * @param lowerCase whether texts become lower case before they are tokenized ({@code do_lower_case})
 * @param prompts texts that are put before a text, by their names
 * @param defaultPrompt the name of the prompt that is used unless another one is asked for
 * @param includePrompt whether a prompt's tokens take part in the pooling
 */
public record SentenceConfig(List<Pooling> poolings, List<Dense> dense, boolean normalize, OptionalInt maxLength,
        boolean lowerCase, Map<String, String> prompts, Optional<String> defaultPrompt, boolean includePrompt) {

    private static final String MODULES = "modules.json";
    private static final int MAX_SIZE = 1 << 24;

    /** How the states of a text's tokens become one vector, in the order in which several are concatenated. */
    public enum Pooling {
        /** The state of the first token. */
        CLS("pooling_mode_cls_token", "cls"),
        /** The largest number of each dimension. */
        MAX("pooling_mode_max_tokens", "max"),
        /** The mean of the tokens. */
        MEAN("pooling_mode_mean_tokens", "mean"),
        /** The sum of the tokens divided by the square root of their number. */
        MEAN_SQRT_LEN("pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"),
        /** The mean of the tokens weighted 1, 2, 3, ... */
        WEIGHTED_MEAN("pooling_mode_weightedmean_tokens", "weightedmean"),
        /** The state of the last token. */
        LAST_TOKEN("pooling_mode_lasttoken", "lasttoken");

        private final String field;
        private final String name;

        Pooling(String field, String name) {
            this.field = field;
            this.name = name;
        }
    }

    /**
     * A linear layer with an activation, which has a safetensors file of its own.
     *
     * @param inputs width of its input
     * @param outputs width of its output
     * @param bias whether there is a tensor {@code linear.bias} beside {@code linear.weight}
     * @param activation its function; empty for none
     * @param weights its safetensors file
     */
    public record Dense(int inputs, int outputs, boolean bias, Optional<Activation> activation, Path weights) {}

    /** Copies the lists and the map. */
    public SentenceConfig {
        poolings = poolings.stream().sorted().distinct().toList();
        dense = List.copyOf(dense);
        prompts = Collections.unmodifiableMap(new LinkedHashMap<>(prompts));
    }

    /**
     * What sentence-transformers makes of a model that it knows nothing of: the mean of the tokens.
     */
    public static SentenceConfig defaults() {
        return new SentenceConfig(List.of(Pooling.MEAN), List.of(), false, OptionalInt.empty(), false, Map.of(),
                Optional.empty(), true);
    }

    /** Whether a model directory says how its sentence vectors are made. */
    public static boolean isPresent(Path directory) {
        return Files.exists(directory.resolve(MODULES));
    }

    /**
     * Reads {@code modules.json} of a model directory and what belongs to it; {@link #defaults()} if there is none.
     *
     * @throws FormatException if a file is not JSON, names a module that is not supported, or has a field of the wrong
     *             type or out of range; the message names it
     * @throws IOException if a file cannot be read
     */
    public static SentenceConfig read(Path directory) throws IOException {
        Path modules = directory.resolve(MODULES);
        if (!Files.exists(modules)) {
            return defaults();
        }
        Module last = null;
        ConfigFields pooling = null;
        List<Dense> dense = new ArrayList<>();
        boolean normalize = false;
        Path transformer = directory;
        for (ConfigFields fields : ConfigFields.readArray(modules)) {
            Module module = Module.of(fields);
            if (last == null ? module != Module.TRANSFORMER : !module.mayFollow(last)) {
                throw fields.error("the module " + module.description + " comes "
                        + (last == null ? "first" : "after " + last.description)
                        + ", expected a transformer, a pooling, and then perhaps dense layers and a normalization");
            }
            Path folder = folder(directory, fields);
            switch (module) {
                case TRANSFORMER -> transformer = folder;
                case POOLING -> pooling = ConfigFields.read(folder.resolve("config.json"));
                case DENSE -> dense.add(dense(folder));
                case NORMALIZE -> normalize = true;
            }
            last = module;
        }
        if (pooling == null) {
            throw new FormatException(modules, "there is no pooling module, expected one after the transformer");
        }
        return read(directory, transformer, pooling, dense, normalize);
    }

    private static SentenceConfig read(Path directory, Path transformer, ConfigFields pooling, List<Dense> dense,
            boolean normalize) throws IOException {
        OptionalInt maxLength = OptionalInt.empty();
        boolean lowerCase = false;
        Path sentence = transformer.resolve("sentence_bert_config.json");
        if (Files.exists(sentence)) {
            ConfigFields fields = ConfigFields.read(sentence);
            maxLength = fields.optionalInt(1, MAX_SIZE, "max_seq_length");
            lowerCase = fields.bool("do_lower_case").orElse(false);
        }
        Map<String, String> prompts = Map.of();
        Optional<String> defaultPrompt = Optional.empty();
        Path common = directory.resolve("config_sentence_transformers.json");
        if (Files.exists(common)) {
            ConfigFields fields = ConfigFields.read(common);
            prompts = fields.textMembers("prompts");
            defaultPrompt = fields.text("default_prompt_name");
            if (defaultPrompt.isPresent() && !prompts.containsKey(defaultPrompt.get())) {
                throw fields.error("field default_prompt_name is " + FormatException.quote(defaultPrompt.get())
                        + ", expected one of the names in field prompts: "
                        + FormatException.plain(String.join(", ", prompts.keySet())));
            }
        }
        return new SentenceConfig(poolings(pooling), dense, normalize, maxLength, lowerCase, prompts, defaultPrompt,
                pooling.bool("include_prompt").orElse(true));
    }

    /** The kinds of modules, in the order in which they may come. */
    private enum Module {
        TRANSFORMER("Transformer"), POOLING("Pooling"), DENSE("Dense"), NORMALIZE("Normalize");

        private final String description;

        Module(String description) {
            this.description = description;
        }

        /** A class name's last part tells the kind: the packages before it have changed between versions. */
        static Module of(ConfigFields fields) throws FormatException {
            String type = fields.text("type").orElse("");
            String name = type.substring(type.lastIndexOf('.') + 1);
            for (Module module : values()) {
                if (module.description.equals(name) && type.startsWith("sentence_transformers.")) {
                    return module;
                }
            }
            throw fields.error("the module type " + FormatException.quote(type)
                    + " is not supported, expected Transformer, Pooling, Dense or Normalize of sentence_transformers");
        }

        boolean mayFollow(Module last) {
            return this == DENSE ? last == POOLING || last == DENSE : ordinal() > last.ordinal();
        }
    }

    /** The folder of a module; never one outside the model's directory. */
    private static Path folder(Path directory, ConfigFields module) throws FormatException {
        String path = module.text("path").orElse("");
        if (path.contains("..") || path.startsWith("/") || path.contains("\\") || path.contains(":")
                || path.indexOf('\0') >= 0) {
            throw module.error("field path is " + FormatException.quote(path)
                    + ", expected the name of a folder in the model's directory");
        }
        return directory.resolve(path);
    }

    private static List<Pooling> poolings(ConfigFields fields) throws FormatException {
        List<Pooling> poolings = new ArrayList<>();
        // Newer files name the mode, older ones have a switch for each; both fall back on the mean.
        Optional<String> mode = fields.text("pooling_mode");
        for (Pooling pooling : Pooling.values()) {
            boolean named = mode.isPresent() && mode.get().equalsIgnoreCase(pooling.name);
            if (mode.isPresent() ? named : fields.bool(pooling.field).orElse(pooling == Pooling.MEAN)) {
                poolings.add(pooling);
            }
        }
        if (poolings.isEmpty()) {
            throw fields.error(mode.isPresent()
                    ? "field pooling_mode is " + FormatException.quote(mode.get())
                            + ", expected cls, max, mean, mean_sqrt_len_tokens, weightedmean or lasttoken"
                    : "no field pooling_mode_... is true, expected at least one");
        }
        return poolings;
    }

    private static Dense dense(Path folder) throws IOException {
        ConfigFields fields = ConfigFields.read(folder.resolve("config.json"));
        String function = fields.text("activation_function").orElse("torch.nn.modules.activation.Tanh");
        String name = function.substring(function.lastIndexOf('.') + 1);
        Optional<Activation> activation = switch (name) {
            case "Identity" -> Optional.empty();
            case "Tanh" -> Optional.of(Activation.TANH);
            case "ReLU" -> Optional.of(Activation.RELU);
            default -> throw fields.error("field activation_function is " + FormatException.quote(function)
                    + ", expected Tanh, ReLU or Identity of torch.nn");
        };
        Path weights = folder.resolve("model.safetensors");
        if (!Files.exists(weights)) {
            throw new FormatException(folder, "there is no model.safetensors, expected the weights of a dense layer"
                    + (Files.exists(folder.resolve("pytorch_model.bin"))
                            ? "; a pytorch_model.bin must be converted first"
                            : ""));
        }
        return new Dense(fields.requiredInt(1, MAX_SIZE, "in_features"),
                fields.requiredInt(1, MAX_SIZE, "out_features"), fields.bool("bias").orElse(true), activation, weights);
    }
}
