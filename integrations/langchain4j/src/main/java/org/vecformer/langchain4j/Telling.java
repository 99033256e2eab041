package org.vecformer.langchain4j;

import dev.langchain4j.model.StreamingResponseHandler;
import java.util.concurrent.Flow;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TextPiece;

/** Tells a handler of LangChain4j what a generation tells: pieces of text, and then either the whole or what went wrong. */
final class Telling implements Flow.Subscriber<TextPiece> {

    private static final System.Logger LOGGER = System.getLogger(Telling.class.getName());

    private final StreamingResponseHandler<String> handler;
    private final int promptTokens;
    private final StringBuilder text = new StringBuilder();
    private int newTokens;
    private FinishReason reason;
    private Flow.Subscription subscription;

    Telling(StreamingResponseHandler<String> handler, int promptTokens) {
        this.handler = handler;
        this.promptTokens = promptTokens;
    }

    /** All that comes is wanted: the scheduler waits for nobody, and keeps what was not taken yet. */
    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        this.subscription = subscription;
        subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(TextPiece piece) {
        switch (piece) {
            case GeneratedToken _ -> newTokens++;
            case TextEnd end -> reason = end.reason();
        }
        if (piece.text().isEmpty()) {
            return;
        }
        text.append(piece.text());
        try {
            handler.onNext(piece.text());
        } catch (RuntimeException | Error e) {
            subscription.cancel();
            fail(e);
        }
    }

    @Override
    public void onComplete() {
        try {
            handler.onComplete(Generations.response(text.toString(), promptTokens, newTokens, reason));
        } catch (RuntimeException | Error e) {
            fail(e);
        }
    }

    @Override
    public void onError(Throwable failure) {
        fail(failure instanceof RuntimeException e ? Failures.named(e) : failure);
    }

    private void fail(Throwable failure) {
        try {
            handler.onError(failure);
        } catch (RuntimeException e) {
            LOGGER.log(System.Logger.Level.WARNING, "a handler has thrown what it was told of its error", e);
        }
    }
}
