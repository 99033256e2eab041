package org.vecformer.engine.dialog;

import java.util.List;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.tokenizer.Tokenizer;

/** Answers with a Gpt. */
public final class GptPartner implements ChatPartner {

    private final Gpt model;
    private final Tokenizer tokenizer;

    private GptPartner(Gpt model, Tokenizer tokenizer) {
        this.model = model;
        this.tokenizer = tokenizer;
    }

    public static GptPartner open(Gpt model, Tokenizer tokenizer) {
        return new GptPartner(model, tokenizer);
    }

    @Override
    public GenerationResult reply(Dialog dialog, ReplyOptions options, TokenListener listener) {
        throw new UnsupportedOperationException("not yet, for " + model + tokenizer);
    }

    @Override
    public List<RankedReply> rank(Dialog dialog, List<String> candidates, int historyTurns) {
        throw new UnsupportedOperationException("not yet");
    }

    @Override
    public String description() {
        return "";
    }

    @Override
    public void cancel() {
        // Nothing runs yet.
    }

    @Override
    public void close() {
        // Nothing is open yet.
    }
}
