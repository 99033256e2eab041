package org.vecformer.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models by directory, file and name, in made-up folder trees. */
class ModelFilesTest {
    @TempDir
    Path root;

    private Path home;
    private final Map<String, String> environment = new HashMap<>();

    @BeforeEach
    void goHome() throws IOException {
        home = Files.createDirectories(root.resolve("home"));
        environment.put("HOME", home.toString());
    }

    private static Path model(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), "{}");
        SafetensorsFiles.write(directory.resolve("model.safetensors"), "a", 1);
        return directory;
    }

    /** A repository of the Hugging Face cache with one snapshot. */
    private static Path cached(Path hub, String repository, String commit, String ref) throws IOException {
        Path folder = hub.resolve(repository);
        Files.createDirectories(folder.resolve("refs").resolve(ref).getParent());
        Files.writeString(folder.resolve("refs").resolve(ref), commit);
        return model(folder.resolve("snapshots").resolve(commit));
    }

    private Path resolve(String name) throws IOException {
        return ModelFiles.resolve(name, null, environment).directory();
    }

    private void assertNotFound(String name, Object... places) {
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> resolve(name)).satisfies(e -> {
            for (Object place : places) {
                assertThat(e.getMessage()).contains(place.toString());
            }
        });
    }

    @Test
    void takesADirectoryAFileOrAnIndex() throws IOException {
        Path directory = model(root.resolve("m"));
        ModelFiles files = ModelFiles.resolve(directory.toString(), null, environment);
        assertThat(files.directory()).isEqualTo(directory);
        assertThat(files.config()).isEqualTo(directory.resolve("config.json"));
        assertThat(files.generationConfig()).isEqualTo(directory.resolve("generation_config.json"));
        assertThat(files.weights()).containsExactly(directory.resolve("model.safetensors"));
        assertThat(files.index()).isEmpty();

        Path other = SafetensorsFiles.write(directory.resolve("other.safetensors"), "b", 1);
        assertThat(ModelFiles.resolve(other.toString(), null, environment).weights()).containsExactly(other);
        assertThat(ModelFiles.of(directory).weights()).containsExactly(directory.resolve("model.safetensors"));

        Files.move(directory.resolve("model.safetensors"), directory.resolve("one.safetensors"));
        Path index = Files.writeString(directory.resolve("model.safetensors.index.json"),
                "{\"weight_map\":{\"a\":\"one.safetensors\",\"b\":\"other.safetensors\"}}");
        for (Path path : new Path[]{directory, index}) {
            assertThat(ModelFiles.of(path).weights()).containsExactly(directory.resolve("one.safetensors"), other);
            assertThat(ModelFiles.of(path).index()).contains(index);
        }
    }

    @Test
    void saysWhatIsMissingInADirectoryThatWasNamed() throws IOException {
        Path directory = Files.createDirectories(root.resolve("m"));
        assertNotFound(directory.toString(), directory + ": there are no weights");
        Files.createFile(directory.resolve("pytorch_model.bin"));
        assertNotFound(directory.toString(), "pytorch_model.bin", "convert them to safetensors");
        SafetensorsFiles.write(directory.resolve("model.safetensors"), "a", 1);
        assertNotFound(directory.toString(), directory + ": there is no config.json");
        assertNotFound(directory.resolve("pytorch_model.bin").toString(), "does not end in .safetensors");
        assertNotFound("", "name is empty");
    }

    @Test
    void looksInTheLocalModelsFolderFirst() throws IOException {
        Path usual = model(home.resolve(".vecformer/models/gpt2"));
        cached(home.resolve(".cache/huggingface/hub"), "models--gpt2", "abc", "main");
        assertThat(resolve("gpt2")).isEqualTo(usual);
        Path named = model(root.resolve("models/org/gpt2"));
        environment.put("VECFORMER_MODELS", root.resolve("models").toString());
        assertThat(resolve("org/gpt2")).isEqualTo(named);
        Path given = model(root.resolve("given/gpt2"));
        assertThat(ModelFiles.resolve("gpt2", root.resolve("given"), environment).directory()).isEqualTo(given);
    }

    @ParameterizedTest
    @CsvSource({"HF_HUB_CACHE,''", "HF_HOME,hub", "XDG_CACHE_HOME,huggingface/hub", "HOME,.cache/huggingface/hub",
        "USERPROFILE,.cache/huggingface/hub"})
    void findsTheCacheWhereHuggingFaceHasIt(String variable, String below) throws IOException {
        Path base = Files.createDirectories(root.resolve("base"));
        environment.clear();
        environment.put(variable, base.toString());
        Path snapshot = cached(base.resolve(below), "models--org--name", "0123abc", "main");
        assertThat(resolve("org/name")).isEqualTo(snapshot);
        assertNotFound("org/other", base.resolve(below).resolve("models--org--other") + " (no such directory)");
    }

    @Test
    void theMoreSpecialVariableWins() throws IOException {
        Path special = cached(root.resolve("a"), "models--x", "1", "main");
        cached(home.resolve(".cache/huggingface/hub"), "models--x", "2", "main");
        environment.put("HF_HOME", root.resolve("none").toString());
        environment.put("HF_HUB_CACHE", root.resolve("a").toString());
        assertThat(resolve("x")).isEqualTo(special);
        environment.put("HF_HUB_CACHE", "");
        environment.put("HF_HOME", "~/.cache/huggingface");
        assertThat(resolve("x")).endsWith(Path.of("snapshots/2"));
    }

    @Test
    void theOldBareNamesAreFoundUnderTheirOrganisations() throws IOException {
        Path hub = home.resolve(".cache/huggingface/hub");
        Path bare = cached(hub, "models--gpt2", "1", "main");
        assertThat(resolve("gpt2")).isEqualTo(bare);
        Path moved = cached(hub, "models--openai-community--gpt2", "2", "main");
        assertThat(resolve("gpt2")).isEqualTo(moved);
        assertThat(resolve("openai-community/gpt2")).isEqualTo(moved);
        Path distil = cached(hub, "models--distilbert--distilgpt2", "3", "main");
        assertThat(resolve("distilgpt2")).isEqualTo(distil);
    }

    @Test
    void aPlaceThatHasOnlyATokenizerIsPassedOver() throws IOException {
        Path hub = home.resolve(".cache/huggingface/hub");
        Path partial = cached(hub, "models--openai-community--gpt2", "1", "main");
        Files.delete(partial.resolve("model.safetensors"));
        assertNotFound("gpt2", partial + ": there are no weights",
                hub.resolve("models--gpt2") + " (no such directory)");
        Path whole = cached(hub, "models--gpt2", "2", "main");
        assertThat(resolve("gpt2")).isEqualTo(whole);
    }

    @Test
    void aRevisionMayBeNamed() throws IOException {
        Path hub = home.resolve(".cache/huggingface/hub");
        Path main = cached(hub, "models--org--name", "aaa", "main");
        Path request = cached(hub, "models--org--name", "bbb", "refs/pr/1");
        assertThat(resolve("org/name")).isEqualTo(main);
        assertThat(resolve("org/name@refs/pr/1")).isEqualTo(request);
        assertThat(resolve("org/name@bbb")).isEqualTo(request);
        assertNotFound("org/name@ccc", hub.resolve("models--org--name/snapshots/ccc") + " (no such directory)");
    }

    @Test
    void oneMessageListsWhereItLooked() {
        assertNotFound("gpt2", "model \"gpt2\" was not found; looked in: gpt2 (no such file or directory)",
                home.resolve(".vecformer/models/gpt2") + " (no such directory)",
                home.resolve(".cache/huggingface/hub/models--openai-community--gpt2") + " (no such directory)",
                home.resolve(".cache/huggingface/hub/models--gpt2") + " (no such directory)");
        environment.clear();
        assertNotFound("gpt2", "neither VECFORMER_MODELS nor HOME is set", "none of HF_HUB_CACHE");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../home", "a/b/c", "x@../y", "a/..", "a\nb", "a b", "x@", "@y", "a\\b"})
    void aNameNeverLeadsOutOfTheFolders(String name) throws IOException {
        model(root.resolve("home"));
        environment.put("VECFORMER_MODELS", Files.createDirectories(root.resolve("models")).toString());
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> resolve(name))
                .withMessageContaining("was not found");
    }

    @Test
    void aRefThatLeadsOutOfTheCacheIsRefused() throws IOException {
        Path hub = home.resolve(".cache/huggingface/hub");
        cached(hub, "models--x", "abc", "main");
        Path ref = Files.writeString(hub.resolve("models--x/refs/main"), "../../../..");
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> resolve("x"))
                .withMessage(ref + ": the file holds \"../../../..\", expected a commit's hash");
    }

    @Test
    void theCachesLinksAreFollowed() throws IOException {
        Path hub = home.resolve(".cache/huggingface/hub");
        Path snapshot = cached(hub, "models--x", "abc", "main");
        Path blob = Files.createDirectories(hub.resolve("models--x/blobs")).resolve("123");
        Files.move(snapshot.resolve("model.safetensors"), blob);
        Files.createSymbolicLink(snapshot.resolve("model.safetensors"), Path.of("../../blobs/123"));
        try (Checkpoint checkpoint = Checkpoint.open(ModelFiles.resolve("x", null, environment))) {
            assertThat(checkpoint.names()).containsExactly("a");
        }
        Files.delete(blob);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> Safetensors.open(snapshot.resolve("model.safetensors")))
                .withMessageContaining("link to a file that is not there");
    }
}
