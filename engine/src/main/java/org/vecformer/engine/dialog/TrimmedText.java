package org.vecformer.engine.dialog;

import java.util.List;
import org.vecformer.engine.generation.GeneratedSequence;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;

/** Tells a listener of a text without the white space before and behind it. */
final class TrimmedText implements TokenListener {

    private final TokenListener listener;
    private final StringBuilder text = new StringBuilder();
    /** White space that is told when something follows it. */
    private final StringBuilder held = new StringBuilder();

    TrimmedText(TokenListener listener) {
        this.listener = listener;
    }

    @Override
    public void token(GeneratedToken token) {
        listener.token(new GeneratedToken(token.sequence(), token.id(), next(token.text()), token.score()));
    }

    @Override
    public void finished(TextEnd end) {
        listener.finished(new TextEnd(end.sequence(), next(end.text()), end.reason()));
    }

    private String next(String piece) {
        held.append(text.isEmpty() ? piece.stripLeading() : piece);
        String told = held.toString().stripTrailing();
        held.delete(0, told.length());
        text.append(told);
        return told;
    }

    /** The result of the generation that was listened to, with the text that was told. */
    GenerationResult of(GenerationResult result) {
        GeneratedSequence written = result.sequences().getFirst();
        return new GenerationResult(result.promptIds(), List.of(new GeneratedSequence(written.ids(), text.toString(),
                written.finishReason(), written.score(), written.logprobs())), result.timing());
    }
}
