package org.vecformer.cli;

import java.io.IOException;
import picocli.CommandLine.Mixin;

/** What every command has that runs a BERT over one input or many. */
final class RunOptions {
    @Mixin
    BertModelOption model = new BertModelOption();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    OutputOptions output = new OutputOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    void check() {
        output.check();
    }

    /** Opens a task on a model. */
    interface Opener<I, R> {
        /** @throws CommandException if the model cannot do it */
        InputTask<I, R> open(LoadedBert loaded) throws IOException;
    }

    /**
     * Runs a command: opens the model and the task, and gives it the command's inputs.
     *
     * @param input the one that was given; null for the lines of standard input
     * @param lines what those lines are
     * @return the exit status
     */
    <I, R> int run(String command, Context context, I input, LineShape<I> lines, Opener<I, R> opener)
            throws IOException {
        return run(command, context, input, lines, input == null, opener);
    }

    /**
     * As {@link #run(String, Context, Object, LineShape, Opener)}.
     *
     * @param longWork whether there will be much to compute
     */
    <I, R> int run(String command, Context context, I input, LineShape<I> lines, boolean longWork,
            Opener<I, R> opener) throws IOException {
        ModelRequest request = new ModelRequest(command, model.model, compute, common, context, longWork);
        try (LoadedBert loaded = request.bert(); InputTask<I, R> task = opener.open(loaded)) {
            new TaskRun<>(command, output, common, context, task).all(input, lines, loaded);
        }
        return Cli.DONE;
    }

    /**
     * A {@code --max-length} as tasks take it: 0 if it was not given.
     *
     * @throws UsageException if it is less than 1
     */
    static int length(Integer maxLength) {
        Values.atLeast(1, "--max-length", maxLength);
        return maxLength == null ? 0 : maxLength;
    }
}
