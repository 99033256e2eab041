package org.vecformer.engine.snippets;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.Embedding;
import org.vecformer.engine.task.EmbeddingBatcher;
import org.vecformer.engine.task.LongTexts;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TinyBert;

/** What the javadoc of embeddings shows. */
class EmbeddingSnippetsTest {

    @TempDir
    private static Path directory;

    @BeforeAll
    static void write() throws IOException {
        TinyBert.open(directory, "BertModel", 0).close();
    }

    private static float[] oneText(Path directory) throws IOException {
        // @start region="embedder"
        try (Bert model = Bert.load(directory); Embedder embedder = Embedder.open(model)) {
            // As the model's files say; texts that are too long for it are split, which is not the default.
            EmbedderOptions options = EmbedderOptions.of(model).withLongTexts(LongTexts.SPLIT);
            return embedder.embed(TaskInput.of("A man is eating food."), options).vector();
        }
        // @end
    }

    @Test
    void aText() throws IOException {
        assertThat(oneText(directory)).isNotEmpty().doesNotContain(Float.NaN);
    }

    private static List<Embedding> manyTexts(Path directory) throws IOException {
        // @start region="batcher"
        // One batcher for all threads of a server, for as long as the server lives.
        try (Bert model = Bert.load(directory); EmbeddingBatcher batcher = EmbeddingBatcher.open(model)) {
            EmbedderOptions options = EmbedderOptions.of(model);
            // On any thread: have the vectors later,
            List<TaskInput> texts = List.of(TaskInput.of("Somebody has lunch."), TaskInput.of("It is raining."));
            CompletableFuture<List<Embedding>> later = batcher.submitAll(texts, options, new Cancellation());
            // or wait for one, but not forever.
            Cancellation deadline = Cancellation.after(Duration.ofSeconds(30));
            Embedding now = batcher.embed(TaskInput.of("A man is eating food."), options, deadline);
            return List.of(now, later.join().get(0), later.join().get(1));
        }
        // @end
    }

    @Test
    void textsOfManyThreads() throws IOException {
        assertThat(manyTexts(directory)).hasSize(3).allMatch(embedding -> embedding.windows() == 1);
    }
}
