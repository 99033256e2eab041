package org.vecformer.engine.generation;

/**
 * The context of a continuation and, with guidance, the one behind the negative prompt, which gets the same new tokens.
 *
 * @param context  the prompt and what was written behind it
 * @param negative the negative prompt and the same behind it; null without guidance
 */
record GuidedContext(Context context, Context negative) implements AutoCloseable {

    void append(int id) {
        context.append(id);
        if (negative != null) {
            negative.append(id);
        }
    }

    /** A second one with the same past. */
    GuidedContext fork(Stepper stepper) {
        Context fork = stepper.fork(context);
        try {
            return new GuidedContext(fork, negative == null ? null : stepper.fork(negative));
        } catch (RuntimeException | Error e) {
            fork.close();
            throw e;
        }
    }

    @Override
    public void close() {
        context.close();
        if (negative != null) {
            negative.close();
        }
    }
}
