package org.vecformer.engine.task;

import org.vecformer.engine.ClosedException;
import org.vecformer.engine.call.Calls;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * What all tasks on an encoder have: a model that others may use too, a session of their own, and a way to stop.
 */
abstract class EncoderTask implements AutoCloseable {

    final Bert model;
    final Tokenizer tokenizer;
    final InputEncoder encoder;
    final BatchRunner runner;
    /** Each call that computes is one of these. */
    final Calls calls;

    EncoderTask(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        this.model = model;
        this.tokenizer = tokenizer;
        encoder = new InputEncoder(model, tokenizer);
        runner = new BatchRunner(model, options);
        calls = new Calls(getClass().getSimpleName(), runner::close);
    }

    /** The model, after checking that it has the head that a task needs. */
    static Bert require(Bert model, Bert.Head head) {
        if (!model.has(head)) {
            throw new IllegalArgumentException("the model does not have " + head + "; it has "
                    + (model.heads().isEmpty()
                            ? "no head"
                            : String.join(" and ", model.heads().stream().map(Object::toString).toList())));
        }
        return model;
    }

    /** A label's name, or what Hugging Face calls an output without one. */
    final String label(int index) {
        return index < model.config().labels().size() ? model.config().labels().get(index) : "LABEL_" + index;
    }

    /**
     * Ends the call that runs, if any: it throws a {@link java.util.concurrent.CancellationException}. From any thread.
     */
    public void cancel() {
        calls.cancel();
    }

    /**
     * Frees the session; the model stays open. A call that runs on another thread ends with a {@link ClosedException}, and
     * the session is freed behind it.
     */
    @Override
    public void close() {
        calls.close();
    }
}
