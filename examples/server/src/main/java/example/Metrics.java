package example;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.MemoryUse;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.generation.SchedulerLoad;
import org.vecformer.engine.task.EmbeddingBatcher;
import org.vecformer.engine.task.EmbeddingLoad;

/** What the server is doing, in the text format of Prometheus. */
record Metrics(Engine engine, Scheduler scheduler, EmbeddingBatcher batcher) implements HttpHandler {

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        SchedulerLoad texts = scheduler.load();
        MemoryUse memory = engine.memory();
        StringBuilder lines = new StringBuilder();
        add(lines, "texts_waiting", texts.queued());
        add(lines, "texts_running", texts.running());
        add(lines, "texts_ended_total", texts.ended());
        add(lines, "cache_positions_free", texts.positionsFree());
        add(lines, "steps_total", texts.steps());
        add(lines, "prompt_tokens_total", texts.promptTokens());
        add(lines, "generated_tokens_total", texts.generatedTokens());
        if (batcher != null) {
            EmbeddingLoad vectors = batcher.load();
            add(lines, "embeddings_waiting", vectors.queuedRequests());
            add(lines, "embedded_tokens_total", vectors.tokens());
        }
        add(lines, "memory_bytes", memory.total());
        add(lines, "memory_limit_bytes", memory.limit());
        Server.send(exchange, 200, lines.toString());
    }

    private static void add(StringBuilder lines, String name, long value) {
        lines.append("vecformer_").append(name).append(' ').append(value).append('\n');
    }
}
