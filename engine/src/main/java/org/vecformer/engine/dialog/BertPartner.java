package org.vecformer.engine.dialog;

import java.util.List;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Bert;
import org.vecformer.tokenizer.Tokenizer;

/** Answers with a Bert. */
public final class BertPartner implements ChatPartner {

    private final Bert model;
    private final Tokenizer tokenizer;

    private BertPartner(Bert model, Tokenizer tokenizer) {
        this.model = model;
        this.tokenizer = tokenizer;
    }

    public static BertPartner open(Bert model, Tokenizer tokenizer) {
        return new BertPartner(model, tokenizer);
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
