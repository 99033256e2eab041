package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.vecformer.engine.task.TaskProgress;

/**
 * What a command does with each of its inputs, and how it shows what came of it. {@link TaskRun} feeds it.
 *
 * @param <I> an input
 * @param <R> its result
 */
interface InputTask<I, R> extends AutoCloseable {

    /**
     * The results of some inputs, in their order.
     *
     * @throws IllegalArgumentException if an input cannot be
     * @throws CommandException if an input cannot be
     * @throws java.util.concurrent.CancellationException after {@link #cancel}
     */
    List<R> run(List<I> inputs, TaskProgress progress) throws IOException;

    /** Stops what is under way; called by another thread. */
    void cancel();

    /** About how many tokens are computed together; 0 if inputs are computed one by one. */
    int batchTokens();

    /** What was done, for standard error. */
    default String summary(int inputs, double seconds) {
        return String.format(Locale.ROOT, "%d %s in %.2f s", inputs, inputs == 1 ? "input" : "inputs", seconds)
                + (batchTokens() == 0 ? "" : ", in batches of up to " + batchTokens() + " tokens");
    }

    /** Whether the input was too long, so that its end was left out of this result. */
    default boolean truncated(R result) {
        return false;
    }

    /** One result as a JSON value. */
    void write(JsonGenerator json, I input, R result) throws IOException;

    /** One result for people. */
    void print(StandardOutput out, I input, R result) throws IOException;

    @Override
    void close();
}
