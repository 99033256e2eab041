package example;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.stream.Stream;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TextPiece;
import org.vecformer.engine.model.Gpt;

/**
 * Continues the request's body. The answer is a stream of server-sent events: each has a piece of text, and the last one,
 * named {@code end}, tells why it ended. {@code ?tokens=40} bounds the length, {@code ?seed=7} makes it repeatable, {@code
 * ?greedy} takes the likeliest token each time.
 */
final class Generate implements HttpHandler {
    private static final int MOST_TOKENS = 400;
    private static final Duration LONGEST = Duration.ofMinutes(1);

    private final Scheduler scheduler;
    /** What the model's own generation_config.json recommends. */
    private final GenerationOptions recommended;

    Generate(Gpt gpt, Scheduler scheduler) throws IOException {
        this.scheduler = scheduler;
        recommended = GenerationOptions.of(gpt);
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        GenerationOptions options = options(exchange.getRequestURI().getQuery());
        // Closing the stream ends the generation: so does a client that went away, as soon as a write fails.
        try (Stream<TextPiece> text = scheduler.stream(Server.body(exchange), options, Cancellation.after(LONGEST))) {
            Iterator<TextPiece> pieces = text.iterator();
            // The first piece, or the exception that there will be none, comes before the headers.
            TextPiece piece = pieces.next();
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
            exchange.sendResponseHeaders(200, 0);
            OutputStream out = exchange.getResponseBody();
            write(out, piece);
            while (pieces.hasNext()) {
                write(out, pieces.next());
            }
        }
    }

    private GenerationOptions options(String query) {
        Map<String, String> values = new HashMap<>();
        if (query != null) {
            for (String pair : query.split("&")) {
                String[] parts = pair.split("=", 2);
                values.put(parts[0], parts.length == 2 ? parts[1] : "");
            }
        }
        int tokens = Integer.parseInt(values.getOrDefault("tokens", "100"));
        if (tokens > MOST_TOKENS) {
            throw new IllegalArgumentException("tokens is " + tokens + "; expected at most " + MOST_TOKENS);
        }
        GenerationOptions options = recommended.withMaxNewTokens(tokens);
        if (values.containsKey("greedy")) {
            return options.withStrategy(DecodingStrategy.greedy());
        }
        return values.containsKey("seed")
                ? options.withStrategy(DecodingStrategy.random(Long.parseLong(values.get("seed"))))
                : options;
    }

    private static void write(OutputStream out, TextPiece piece) throws IOException {
        StringBuilder event = new StringBuilder();
        if (!piece.text().isEmpty()) {
            // A line feed would end the event's line; a client joins lines again.
            event.append("data: ").append(piece.text().replaceAll("\\R", "\ndata: ")).append("\n\n");
        }
        if (piece instanceof TextEnd end) {
            event.append("event: end\ndata: ").append(end.reason()).append("\n\n");
        }
        out.write(event.toString().getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
