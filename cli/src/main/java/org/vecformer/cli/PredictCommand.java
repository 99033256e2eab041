package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vecformer.engine.task.Prediction;
import org.vecformer.engine.task.Scorer;
import org.vecformer.engine.task.TaskProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The most likely next token after every prefix. */
@Command(name = "predict", description = {
    "Tells what the model expects at every place of a text: the most likely token after its first token, its first "
            + "two, and so on.",
    ""}, sortOptions = false, footer = {"",
        "Example: java -jar gpt2.jar predict \"Once upon a time there was\"",
        "An empty text is the model's begin token.",
        "--json writes [{\"position\":0,\"prefix\":\"\",\"id\":0,\"token\":\"\",\"probability\":0.0}], an element for "
                + "each token of the text; prefix is the text up to that token, token what the model expects behind it. Without "
                + "tokenizer files both are null.",
        "With --jsonl a line is {\"text\":\"...\"} or {\"ids\":[...]}."})
final class PredictCommand implements Callable<Integer> {
    private static final int BAR = 10;
    private static final int TOKEN = 16;
    /** With less room nothing is shown of what was before. */
    private static final int LEAST_PREFIX = 12;

    @Mixin
    GptTextOptions text = new GptTextOptions();

    @Mixin
    GptRunOptions run = new GptRunOptions();

    private final Context context;
    private final Streams streams;

    PredictCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    @Override
    public Integer call() throws IOException {
        run.output.check();
        text.check(run.output.jsonl);
        return run.run("predict", context, text.read(streams.in()), LineShape.PROMPT, Task::new);
    }

    private final class Task implements InputTask<Input, List<Prediction>> {
        private final LoadedGpt loaded;
        private final Scorer scorer;

        Task(LoadedGpt loaded) throws CommandException {
            this.loaded = loaded;
            scorer = Scorer.open(loaded.languageModel(), loaded.tokenizer());
        }

        @Override
        public List<List<Prediction>> run(List<Input> inputs, TaskProgress progress) throws IOException {
            List<List<Prediction>> results = new ArrayList<>();
            for (Input input : inputs) {
                results.add(scorer.predict(loaded.idsOrBegin(input)));
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
        public void write(JsonGenerator json, Input input, List<Prediction> result) throws IOException {
            json.writeStartArray();
            for (Prediction prediction : result) {
                json.writeStartObject();
                json.writeNumberField("position", prediction.position());
                json.writeStringField("prefix", loaded.tokenizer() == null ? null : prediction.prefix());
                ScoreJson.token(json, loaded, prediction.next());
                json.writeEndObject();
            }
            json.writeEndArray();
        }

        @Override
        public void print(StandardOutput out, Input input, List<Prediction> result) throws IOException {
            Screen screen = streams.screen();
            int columns = screen.terminal() ? screen.columns().getAsInt() : Integer.MAX_VALUE;
            for (Prediction prediction : result) {
                double probability = prediction.next().probability();
                String line = String.format(Locale.ROOT, "%4d  %6.2f %%  %s", prediction.position(), 100 * probability,
                        screen.terminal() ? screen.bar(probability, BAR) + "  " : "");
                int token = Math.min(TOKEN, columns - Shown.width(line));
                line += Shown.padded(Shown.beginning(Shown.token(loaded.tokenizer(), prediction.next().id()), token),
                        token);
                int room = columns - Shown.width(line) - 4;
                if (loaded.tokenizer() != null && room >= LEAST_PREFIX) {
                    line += "  \"" + Shown.end(Shown.text(prediction.prefix()), room) + '"';
                }
                out.println(line.stripTrailing());
            }
        }

        @Override
        public void close() {
            scorer.close();
        }
    }
}
