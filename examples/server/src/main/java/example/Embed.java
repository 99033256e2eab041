package example;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.Embedding;
import org.vecformer.engine.task.EmbeddingBatcher;
import org.vecformer.engine.task.LongTexts;
import org.vecformer.engine.task.TaskInput;

/** Makes a vector of each line of the request's body: a JSON array of numbers, one on each line. */
final class Embed implements HttpHandler {
    private static final Duration LONGEST = Duration.ofSeconds(30);

    private final EmbeddingBatcher batcher;
    /** As the model's own files say: how to pool, whether to normalize. */
    private final EmbedderOptions options;

    Embed(Bert bert, EmbeddingBatcher batcher) throws IOException {
        this.batcher = batcher;
        options = EmbedderOptions.of(bert).withLongTexts(LongTexts.SPLIT);
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        List<TaskInput> inputs = Server.body(exchange).lines().map(TaskInput::of).toList();
        List<Embedding> embeddings = batcher.embedAll(inputs, options, Cancellation.after(LONGEST));
        exchange.getResponseHeaders().set("Content-Type", "application/jsonl");
        Server.send(exchange, 200, embeddings.stream().map(e -> Arrays.toString(e.vector()) + "\n")
                .collect(Collectors.joining()));
    }
}
