package org.vecformer.engine.model;

import org.vecformer.engine.ClosedException;
import org.vecformer.engine.tensor.Lifetime;

/** The life of a session. While it is in use, neither it nor its model is freed. */
final class SessionLife {

    private final Lifetime session;
    private final Lifetime model;
    /** The same for all, as a step allocates nothing. */
    private final Use use = this::leave;

    /** Something is being computed or read; ends with {@link #close}. */
    interface Use extends AutoCloseable {
        @Override
        void close();
    }

    /** @param free frees the session's memory */
    SessionLife(Model model, Runnable free) {
        session = new Lifetime("session", free);
        this.model = model.lifetime();
    }

    /** @throws ClosedException if session or model is closed */
    Use use() {
        session.enter();
        try {
            model.enter();
        } catch (ClosedException e) {
            session.leave();
            throw e;
        }
        return use;
    }

    private void leave() {
        model.leave();
        session.leave();
    }

    /** @throws ClosedException if session or model is closed */
    void check() {
        session.check();
        model.check();
    }

    /** Closes the session. */
    void close() {
        session.close();
    }
}
