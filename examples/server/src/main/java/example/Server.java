package example;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.Executors;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.MemoryLimitException;
import org.vecformer.engine.QueueFullException;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.task.EmbeddingBatcher;

/**
 * Serves a GPT and, if there is one, a sentence encoder: {@code server PORT GPT-FOLDER [BERT-FOLDER]}.
 *
 * <p>All that lives as long as the process is opened here, once, and shared by all requests: an engine, whose threads
 * compute for both models, the models, a scheduler for texts and a batcher for vectors. Each request has a virtual thread.
 */
public final class Server {

    private Server() {
    }

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(arguments[0]);
        try (Engine engine = Engine.create(EngineOptions.defaults());
                Gpt gpt = Gpt.load(engine, Path.of(arguments[1]));
                Bert bert = arguments.length > 2 ? Bert.load(engine, Path.of(arguments[2])) : null;
                var threads = Executors.newVirtualThreadPerTaskExecutor();
                Scheduler scheduler = Scheduler.open(gpt);
                EmbeddingBatcher batcher = bert == null ? null : EmbeddingBatcher.open(bert)) {
            HttpServer http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
            http.setExecutor(threads);
            http.createContext("/generate", answering("POST", new Generate(gpt, scheduler)));
            if (batcher != null) {
                http.createContext("/embed", answering("POST", new Embed(bert, batcher)));
            }
            http.createContext("/metrics", answering("GET", new Metrics(engine, scheduler, batcher)));
            http.createContext("/health", answering("GET", exchange -> send(exchange, 200, "ok\n")));
            http.start();
            System.out.println("http://localhost:" + http.getAddress().getPort() + " " + engine.description());
            awaitEnd(http);
        }
    }

    /** Ctrl-C and TERM let requests end for some seconds; what then still runs is ended by the scheduler's close. */
    private static void awaitEnd(HttpServer http) throws InterruptedException {
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            http.stop(5);
            main.interrupt();
            try {
                main.join();
            } catch (InterruptedException _) {
                // The process ends anyway.
            }
        }));
        try {
            Thread.sleep(Long.MAX_VALUE);
        } catch (InterruptedException _) {
            // The hook's: whatever main opened is closed now.
        }
    }

    private static HttpHandler answering(String method, HttpHandler handler) {
        return exchange -> {
            try (exchange) {
                answer(exchange, method, handler);
            }
        };
    }

    private static void answer(HttpExchange exchange, String method, HttpHandler handler) throws IOException {
        if (!exchange.getRequestMethod().equals(method)) {
            send(exchange, 405, "expected " + method + "\n");
            return;
        }
        try {
            handler.handle(exchange);
        } catch (RuntimeException e) {
            if (exchange.getResponseCode() >= 0) {
                // The answer has begun; it is cut off, so that the client notices.
                throw e;
            }
            int status = switch (e) {
                case IllegalArgumentException _ -> 400;
                case QueueFullException _, MemoryLimitException _, ClosedException _ -> 503;
                case DeadlineException _ -> 504;
                default -> 500;
            };
            send(exchange, status, e.getMessage() + "\n");
        }
    }

    static String body(HttpExchange exchange) throws IOException {
        return new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    }

    static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }
}
