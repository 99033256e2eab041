package org.vecformer.engine.dialog;

import java.util.List;
import org.vecformer.engine.model.Gpt;
import org.vecformer.tokenizer.Tokenizer;

/** A dialog as plain text, for a model that was not trained on dialogs. */
public final class TranscriptFormat implements DialogFormat {

    private final Gpt model;
    private final Tokenizer tokenizer;

    TranscriptFormat(Gpt model, Tokenizer tokenizer) {
        this.model = model;
        this.tokenizer = tokenizer;
    }

    @Override
    public DialogInput prompt(Dialog dialog, int room) {
        throw new UnsupportedOperationException("not yet, for " + model + tokenizer);
    }

    @Override
    public int[] reply(String reply, boolean end) {
        throw new UnsupportedOperationException("not yet");
    }

    @Override
    public List<Integer> endTokens() {
        throw new UnsupportedOperationException("not yet");
    }

    @Override
    public List<String> stopTexts() {
        throw new UnsupportedOperationException("not yet");
    }

    @Override
    public String description() {
        return "transcript";
    }
}
