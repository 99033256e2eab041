package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vecformer.engine.task.NextToken;
import org.vecformer.engine.task.Scorer;
import org.vecformer.engine.task.TaskProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The next-token distribution. */
@Command(name = "next", description = {"Tells what may come next, as probabilities of the next token.",
    ""}, sortOptions = false, footer = {"",
        "Example: java -jar gpt2.jar next \"Once upon a\" --top-k 5",
        "Probabilities are the model's own, among all tokens of its vocabulary. An empty text is the model's begin "
                + "token.",
        "--json writes [{\"id\":0,\"token\":\"\",\"probability\":0.0}], the most likely token first; token is its "
                + "text, null without tokenizer files.",
        "With --jsonl a line is {\"text\":\"...\"} or {\"ids\":[...]}."})
final class NextCommand implements Callable<Integer> {
    private static final int WIDEST_BAR = 40;
    /** Columns that numbers and a short token take. */
    private static final int OTHERS = 40;

    @Mixin
    GptTextOptions text = new GptTextOptions();

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "10", description = "how many tokens, the most likely ones (default: ${DEFAULT-VALUE})")
    int topK;

    @Mixin
    GptRunOptions run = new GptRunOptions();

    private final Context context;
    private final Streams streams;

    NextCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    @Override
    public Integer call() throws IOException {
        run.output.check();
        text.check(run.output.jsonl);
        Values.atLeast(1, "--top-k", topK);
        return run.run("next", context, text.read(streams.in()), LineShape.PROMPT, Task::new);
    }

    private final class Task implements InputTask<Input, List<NextToken>> {
        private final LoadedGpt loaded;
        private final Scorer scorer;

        Task(LoadedGpt loaded) throws CommandException {
            this.loaded = loaded;
            scorer = Scorer.open(loaded.languageModel(), loaded.tokenizer());
        }

        @Override
        public List<List<NextToken>> run(List<Input> inputs, TaskProgress progress) throws IOException {
            List<List<NextToken>> results = new ArrayList<>();
            for (Input input : inputs) {
                results.add(scorer.next(loaded.idsOrBegin(input), topK));
                progress.done(results.size(), inputs.size());
            }
            return results;
        }

        @Override
        public int batchTokens() {
            return 0;
        }

        @Override
        public void cancel() {
            scorer.cancel();
        }

        @Override
        public void write(JsonGenerator json, Input input, List<NextToken> result) throws IOException {
            json.writeStartArray();
            for (NextToken token : result) {
                json.writeStartObject();
                ScoreJson.token(json, loaded, token);
                json.writeEndObject();
            }
            json.writeEndArray();
        }

        @Override
        public void print(StandardOutput out, Input input, List<NextToken> result) throws IOException {
            Screen screen = streams.screen();
            int columns = screen.terminal() ? screen.columns().getAsInt() : Integer.MAX_VALUE;
            int bar = Math.clamp(columns - OTHERS, 0, WIDEST_BAR);
            for (NextToken token : result) {
                String line = String.format(Locale.ROOT, "%8.4f %%  %s%6d  ", 100 * token.probability(),
                        screen.terminal()
                                ? screen.bar(token.probability() / result.getFirst().probability(), bar) + "  "
                                : "",
                        token.id());
                out.println(line
                        + Shown.beginning(Shown.token(loaded.tokenizer(), token.id()), columns - Shown.width(line)));
            }
        }

        @Override
        public void close() {
            scorer.close();
        }
    }
}
