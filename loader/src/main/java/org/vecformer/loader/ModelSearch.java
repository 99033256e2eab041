package org.vecformer.loader;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Looks up a model by path or name. It remembers where it looked and why each place did not do, for the one message at
 * the end.
 */
final class ModelSearch {
    /** Bare names of the old days and the organisations that the Hub moved these models to. */
    private static final Map<String, String> MOVED = Map.ofEntries(
            Map.entry("gpt2", "openai-community"),
            Map.entry("gpt2-medium", "openai-community"),
            Map.entry("gpt2-large", "openai-community"),
            Map.entry("gpt2-xl", "openai-community"),
            Map.entry("openai-gpt", "openai-community"),
            Map.entry("distilgpt2", "distilbert"),
            Map.entry("distilbert-base-uncased", "distilbert"),
            Map.entry("distilbert-base-cased", "distilbert"),
            Map.entry("bert-base-uncased", "google-bert"),
            Map.entry("bert-base-cased", "google-bert"),
            Map.entry("bert-large-uncased", "google-bert"),
            Map.entry("bert-large-cased", "google-bert"),
            Map.entry("bert-base-multilingual-cased", "google-bert"));

    /** A ref holds a commit's hash; more than this is no ref. */
    private static final int MAX_REF_BYTES = 1000;

    private final Path localModels;
    private final Map<String, String> environment;
    private final List<String> looked = new ArrayList<>();

    /**
     * @param localModels the local models folder, or null for the usual one
     * @param environment environment variables
     */
    ModelSearch(Path localModels, Map<String, String> environment) {
        this.localModels = localModels;
        this.environment = environment;
    }

    ModelFiles find(String model) throws IOException {
        if (model.isEmpty()) {
            throw new FormatException("the model's name is empty, expected a directory, a file or a name");
        }
        Optional<Path> path = path(model);
        if (path.isPresent() && Files.exists(path.get())) {
            return ModelFiles.of(path.get());
        }
        looked.add(model + " (no such file or directory)");
        Name name = Name.of(model);
        if (name != null) {
            for (Path candidate : candidates(name)) {
                try {
                    return ModelFiles.of(candidate);
                } catch (FormatException e) {
                    // Perhaps only its tokenizer was downloaded here: another place may have all of it.
                    looked.add(e.getMessage());
                }
            }
        }
        throw new FormatException("model " + FormatException.quote(model) + " was not found; looked in: "
                + String.join("; ", looked));
    }

    /**
     * A name of the Hub.
     *
     * @param parts one or two parts, each safe as the name of a directory
     * @param revision a branch, tag or commit
     */
    private record Name(List<String> parts, String revision) {

        /** The name's parts; null if it cannot be a name. */
        static Name of(String model) {
            int at = model.indexOf('@');
            String revision = at < 0 ? "main" : model.substring(at + 1);
            List<String> parts = List.of((at < 0 ? model : model.substring(0, at)).split("/", -1));
            boolean safe = parts.size() <= 2 && parts.stream().allMatch(Name::isSafe)
                    && List.of(revision.split("/", -1)).stream().allMatch(Name::isSafe);
            return safe ? new Name(parts, revision) : null;
        }

        /** The letters that the Hub allows in names, which can never lead out of a directory. */
        static boolean isSafe(String part) {
            return part.matches("[0-9A-Za-z._-]{1,200}") && !part.equals(".") && !part.equals("..");
        }
    }

    /** The directories that exist and may hold the model, the first to be preferred; the others are noted. */
    private List<Path> candidates(Name name) throws IOException {
        List<Path> found = new ArrayList<>();
        Optional<Path> local = localModels();
        if (local.isEmpty()) {
            looked.add("the local models folder (neither VECFORMER_MODELS nor HOME is set)");
        } else {
            Path directory = local.get().resolve(String.join("/", name.parts));
            if (Files.isDirectory(directory)) {
                found.add(directory);
            } else {
                looked.add(directory + " (no such directory)");
            }
        }
        Optional<Path> hub = hubCache();
        if (hub.isEmpty()) {
            looked.add("the Hugging Face cache (none of HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME and HOME is set)");
            return found;
        }
        List<String> repositories = new ArrayList<>();
        if (name.parts.size() == 1 && MOVED.containsKey(name.parts.getFirst())) {
            repositories.add("models--" + MOVED.get(name.parts.getFirst()) + "--" + name.parts.getFirst());
        }
        repositories.add("models--" + String.join("--", name.parts));
        for (String repository : repositories) {
            snapshot(hub.get().resolve(repository), name.revision).ifPresent(found::add);
        }
        return found;
    }

    /** The snapshot of a revision in a repository of the Hugging Face cache. */
    private Optional<Path> snapshot(Path repository, String revision) throws IOException {
        if (!Files.isDirectory(repository)) {
            looked.add(repository + " (no such directory)");
            return Optional.empty();
        }
        Path ref = repository.resolve("refs").resolve(revision);
        String commit = revision;
        if (Files.isRegularFile(ref) && Files.size(ref) <= MAX_REF_BYTES) {
            commit = new String(Files.readAllBytes(ref), StandardCharsets.ISO_8859_1).strip();
            if (!Name.isSafe(commit)) {
                throw new FormatException(ref, "the file holds " + FormatException.quote(commit)
                        + ", expected a commit's hash");
            }
        }
        Path snapshot = repository.resolve("snapshots").resolve(commit);
        if (!Files.isDirectory(snapshot)) {
            looked.add(snapshot + " (no such directory)");
            return Optional.empty();
        }
        return Optional.of(snapshot);
    }

    private Optional<Path> localModels() {
        return Optional.ofNullable(localModels)
                .or(() -> variable("VECFORMER_MODELS"))
                .or(() -> home().map(home -> home.resolve(".vecformer").resolve("models")));
    }

    private Optional<Path> hubCache() {
        return variable("HF_HUB_CACHE")
                .or(() -> variable("HF_HOME").map(home -> home.resolve("hub")))
                .or(() -> variable("XDG_CACHE_HOME").map(cache -> cache.resolve("huggingface").resolve("hub")))
                .or(() -> home().map(home -> home.resolve(".cache").resolve("huggingface").resolve("hub")));
    }

    private Optional<Path> home() {
        return variable("HOME").or(() -> variable("USERPROFILE"));
    }

    /** A variable that names a folder; an empty one counts as not set. */
    private Optional<Path> variable(String name) {
        String value = environment.get(name);
        if (value == null || value.isBlank()) {
            return Optional.empty();
        }
        if (value.startsWith("~/") && !name.equals("HOME")) {
            return home().map(home -> home.resolve(value.substring(2)));
        }
        return path(value);
    }

    private static Optional<Path> path(String text) {
        try {
            return Optional.of(Path.of(text));
        } catch (InvalidPathException _) {
            return Optional.empty();
        }
    }
}
