package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vecformer.engine.task.Classification;
import org.vecformer.engine.task.Classifier;
import org.vecformer.engine.task.ClassifierOptions;
import org.vecformer.engine.task.LabelScore;
import org.vecformer.engine.task.TaskProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Labels of a text or a pair. */
@Command(name = "classify", description = {"Classifies a text, or a pair of texts.",
    ""}, sortOptions = false, footer = {
        "",
        "Example: java -jar gpt2.jar classify \"What a lovely day\" --model path/to/sentiment-model",
        "--json writes [{\"label\":\"positive\",\"score\":0.98}], the best label first, --top-k of them.",
        "With --jsonl a line is {\"text\":\"...\",\"pair\":\"...\"} or "
                + "{\"ids\":[],\"token_type_ids\":[],\"attention_mask\":[]}."})
final class ClassifyCommand implements Callable<Integer> {
    @Mixin
    PairOptions text = new PairOptions();

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "0", description = "how many labels, the best ones; 0 for all (default: ${DEFAULT-VALUE})")
    int topK;

    @Option(names = "--function", paramLabel = "auto|softmax|sigmoid|none", defaultValue = "auto", description = "what makes scores of the model's numbers; auto: what it was trained for (default: ${DEFAULT-VALUE})")
    ScoreName function;

    @Option(names = "--max-length", paramLabel = "N", description = "cut longer inputs to so many tokens (default: what the model can take)")
    Integer maxLength;

    @Mixin
    BatchOptions batch = new BatchOptions();

    @Mixin
    RunOptions run = new RunOptions();

    private final Context context;
    private final Streams streams;

    ClassifyCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    @Override
    public Integer call() throws IOException {
        run.check();
        batch.check();
        text.check(run.output.jsonl);
        Values.atLeast(0, "--top-k", topK);
        ClassifierOptions options = new ClassifierOptions(function.score(), topK, RunOptions.length(maxLength));
        Input input = text.read(streams.in());
        return run.run("classify", context, input, LineShape.ENCODER, loaded -> new Task(loaded, options));
    }

    private final class Task implements InputTask<Input, Classification> {
        private final LoadedBert loaded;
        private final ClassifierOptions options;
        private final Classifier classifier;

        Task(LoadedBert loaded, ClassifierOptions options) {
            this.loaded = loaded;
            this.options = options;
            classifier = Classifier.open(loaded.bert(), loaded.tokenizer(), batch.encoder());
        }

        @Override
        public List<Classification> run(List<Input> inputs, TaskProgress progress) throws IOException {
            return classifier.classifyAll(loaded.forTask(inputs), options, progress);
        }

        @Override
        public int batchTokens() {
            return batch.tokens;
        }

        @Override
        public void cancel() {
            classifier.cancel();
        }

        @Override
        public boolean truncated(Classification result) {
            return result.truncated();
        }

        @Override
        public void write(JsonGenerator json, Input input, Classification result) throws IOException {
            json.writeStartArray();
            for (LabelScore label : result.labels()) {
                json.writeStartObject();
                json.writeStringField("label", label.label());
                json.writeNumberField("score", label.score());
                json.writeEndObject();
            }
            json.writeEndArray();
        }

        @Override
        public void print(StandardOutput out, Input input, Classification result) throws IOException {
            for (LabelScore label : result.labels()) {
                out.println(String.format(Locale.ROOT, "%8.4f  %s", label.score(), Texts.printable(label.label())));
            }
        }

        @Override
        public void close() {
            classifier.close();
        }
    }
}
