package org.vecformer.cli;

import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.vecformer.engine.task.TaskProgress;

/**
 * Runs a task over the inputs of a command: over one, or over the lines of standard input. Lines that are there
 * already are read ahead and computed together, as many as fill some batches; nobody waits for a line that is not
 * there. Results come in the order of the lines.
 *
 * @param <I> an input
 * @param <R> its result
 */
final class TaskRun<I, R> {
    /** Batches' worth of lines that are read ahead: enough to find neighbours of the same length. */
    private static final int BATCHES_AHEAD = 8;
    private static final int BYTES_OF_A_TOKEN = 4;
    private static final int MOST_LINES_AHEAD = 1024;

    private final String command;
    private final OutputOptions output;
    private final boolean quiet;
    private final Context context;
    private final Streams streams;
    private final Interruption interruption;
    private final InputTask<I, R> task;
    private int written;

    TaskRun(String command, OutputOptions output, CommonOptions common, Context context, InputTask<I, R> task) {
        this.command = command;
        this.output = output;
        this.quiet = common.quiet;
        this.context = context;
        this.streams = context.streams();
        this.interruption = context.interruption();
        this.task = task;
    }

    /**
     * Runs a command's inputs and tells on standard error what was done.
     *
     * @param input the one that was given; null for the lines of standard input
     * @param lines what those lines are
     */
    void all(I input, LineShape<I> lines, LoadedModel loaded) throws IOException {
        long start = System.nanoTime();
        int inputs = input == null ? lines(lines) : one(input);
        if (!quiet) {
            streams.err().println("gpt2 " + command + ": " + task.summary(inputs, (System.nanoTime() - start) / 1e9)
                    + "; " + loaded.summary());
        }
    }

    /**
     * Runs one input and writes its result as the options say.
     *
     * @return how many inputs were run: 1
     */
    private int one(I input) throws IOException {
        try (ProgressBar bar = bar(); Interruption.Scope _ = interruption.during(task::cancel)) {
            R result = results(List.of(input), progress(bar)).getFirst();
            clear(bar);
            report("the input", result);
            if (output.json) {
                JsonResult.line(streams.out(), json -> task.write(json, input, result));
            } else {
                task.print(streams.out(), input, result);
                streams.out().flush();
            }
        }
        return 1;
    }

    /**
     * Runs the lines of standard input.
     *
     * @return how many results were written
     */
    private int lines(LineShape<I> shape) throws IOException {
        JsonLines<I> lines = new JsonLines<>(streams.in(), shape);
        try (ProgressBar bar = bar()) {
            while (!interruption.requested()) {
                Window<I> window = readAhead(lines);
                if (!window.inputs.isEmpty()) {
                    try (Interruption.Scope _ = interruption.during(task::cancel)) {
                        run(window, bar);
                    }
                }
                if (window.failure != null) {
                    throw window.failure;
                }
                if (window.last) {
                    break;
                }
            }
        }
        return written;
    }

    /**
     * Lines that are computed together.
     *
     * @param inputs what they are
     * @param numbers their numbers
     * @param failure what is wrong with the line behind them; null if nothing is
     * @param last whether there are no more
     */
    private record Window<I>(List<I> inputs, List<Integer> numbers, CommandException failure, boolean last) {}

    private Window<I> readAhead(JsonLines<I> lines) throws IOException {
        List<I> inputs = new ArrayList<>();
        List<Integer> numbers = new ArrayList<>();
        long enough = lines.bytes() + (long) task.batchTokens() * BATCHES_AHEAD * BYTES_OF_A_TOKEN;
        try {
            do {
                I input = lines.next();
                if (input == null) {
                    return new Window<>(inputs, numbers, null, true);
                }
                inputs.add(input);
                numbers.add(lines.line());
            } while (lines.bytes() < enough && inputs.size() < MOST_LINES_AHEAD && lines.ready());
            return new Window<>(inputs, numbers, null, false);
        } catch (CommandException e) {
            // What stands before the bad line is answered first.
            return new Window<>(inputs, numbers, e, true);
        }
    }

    private void run(Window<I> window, ProgressBar bar) throws IOException {
        int before = window.numbers.getFirst() - 1;
        TaskProgress progress = (done, total) -> {
            if (bar != null) {
                bar.show(before + (long) window.inputs.size() * done / total);
            }
            cancelIfRequested();
        };
        try {
            write(window, results(window.inputs, progress), bar);
        } catch (IllegalArgumentException | CommandException e) {
            if (window.inputs.size() > 1) {
                // One of them is to blame. Alone each gives the same numbers as with the others.
                for (int i = 0; i < window.inputs.size(); i++) {
                    run(new Window<>(window.inputs.subList(i, i + 1), window.numbers.subList(i, i + 1), null, false),
                            bar);
                }
                return;
            }
            throw JsonLines.bad(window.numbers.getFirst(), e);
        }
    }

    /** What a model cannot do with an input is the user's to know, as what an input cannot be is. */
    private List<R> results(List<I> inputs, TaskProgress progress) throws IOException {
        try {
            return task.run(inputs, progress);
        } catch (CancellationException e) {
            // An IllegalStateException by birth, but nobody's fault.
            throw e;
        } catch (IllegalStateException e) {
            throw new CommandException(e.getMessage(), e);
        }
    }

    private void write(Window<I> window, List<R> results, ProgressBar bar) throws IOException {
        clear(bar);
        for (int i = 0; i < results.size(); i++) {
            I input = window.inputs.get(i);
            R result = results.get(i);
            report("line " + window.numbers.get(i), result);
            JsonResult.line(streams.out(), json -> task.write(json, input, result));
            written++;
        }
    }

    private void report(String input, R result) {
        if (!quiet && task.truncated(result)) {
            streams.err().println("gpt2 " + command + ": " + input + " is too long; its end was cut off");
        }
    }

    private TaskProgress progress(ProgressBar bar) {
        return (done, total) -> {
            if (bar != null && total > 1) {
                bar.show(done, total);
            }
            cancelIfRequested();
        };
    }

    /** A cancellation that came before there was anything to cancel. */
    private void cancelIfRequested() {
        if (interruption.requested()) {
            task.cancel();
        }
    }

    private ProgressBar bar() {
        return quiet || !streams.terminal() ? null : new ProgressBar(streams.err(), command);
    }

    private static void clear(ProgressBar bar) {
        if (bar != null) {
            bar.clear();
        }
    }
}
