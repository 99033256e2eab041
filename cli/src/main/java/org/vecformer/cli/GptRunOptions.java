package org.vecformer.cli;

import java.io.IOException;
import picocli.CommandLine.Mixin;

/** What every command has that asks a GPT about one input or many. */
final class GptRunOptions {
    @Mixin
    ModelOption model = new ModelOption();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    OutputOptions output = new OutputOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    /** Opens a task on a model. */
    interface Opener<I, R> {
        /** @throws CommandException if the model cannot do it */
        InputTask<I, R> open(LoadedGpt loaded) throws IOException;
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
        ModelRequest request = new ModelRequest(command, model.model, compute, common, context, input == null);
        try (LoadedGpt loaded = request.gpt(); InputTask<I, R> task = opener.open(loaded)) {
            new TaskRun<>(command, output, common, context, task).all(input, lines, loaded);
        }
        return Cli.DONE;
    }
}
