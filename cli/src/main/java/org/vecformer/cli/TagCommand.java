package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vecformer.engine.task.Aggregation;
import org.vecformer.engine.task.Entity;
import org.vecformer.engine.task.TaggedText;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.engine.task.TokenClassifier;
import org.vecformer.engine.task.TokenClassifierOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Labels of the tokens of a text. */
@Command(name = "tag", description = {"Finds the entities of a text: names, places, whatever the model has labels for.",
    ""}, sortOptions = false, footer = {
        "",
        "Example: java -jar gpt2.jar tag \"Bob lives in Berlin.\" --aggregation simple --model "
                + "path/to/ner-model",
        "--json writes [{\"entity_group\":\"PER\",\"score\":0.99,\"word\":\"bob\",\"start\":0,\"end\":3}]; with "
                + "--aggregation none [{\"entity\":\"B-PER\",\"score\":0.99,\"index\":1,\"word\":\"bob\",\"start\":0,\"end\":3}]. "
                + "start and end count characters of the text as Unicode code points (null for ids), index counts "
                + "tokens.",
        "With --jsonl a line is {\"text\":\"...\"} or {\"ids\":[],\"token_type_ids\":[],\"attention_mask\":[]}."})
final class TagCommand implements Callable<Integer> {
    @Mixin
    TextOptions text = new TextOptions();

    @Option(names = "--aggregation", paramLabel = "none|simple|first|average|max", defaultValue = "none", description = "how tokens are put together: not at all; neighbours with the same label; whole words with the label of their first token, of the best mean, or of the best token (default: ${DEFAULT-VALUE})")
    AggregationName aggregation;

    @Option(names = "--ignore-labels", paramLabel = "LABELS", split = ",", description = "labels that are not told (default: O)")
    List<String> ignored = List.of("O");

    @Option(names = "--max-length", paramLabel = "N", description = "at most so many tokens at once (default: what the model can take)")
    Integer maxLength;

    @Option(names = "--stride", paramLabel = "N", description = "read a longer text in windows that have so many tokens in common, instead of cutting its end off")
    Integer stride;

    @Mixin
    BatchOptions batch = new BatchOptions();

    @Mixin
    RunOptions run = new RunOptions();

    private final Context context;
    private final Streams streams;

    TagCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    /** The aggregations, as the command line spells them. */
    enum AggregationName {
        none, simple, first, average, max
    }

    @Override
    public Integer call() throws IOException {
        run.check();
        batch.check();
        text.check(run.output.jsonl);
        Values.atLeast(1, "--stride", stride);
        TokenClassifierOptions options = new TokenClassifierOptions(
                Aggregation.valueOf(aggregation.name().toUpperCase(Locale.ROOT)), ignored,
                RunOptions.length(maxLength), stride == null ? 0 : stride);
        return run.run("tag", context, text.read(streams.in()), LineShape.SINGLE, loaded -> new Task(loaded, options));
    }

    private final class Task implements InputTask<Input, TaggedText> {
        private final LoadedBert loaded;
        private final TokenClassifierOptions options;
        private final TokenClassifier classifier;

        Task(LoadedBert loaded, TokenClassifierOptions options) {
            this.loaded = loaded;
            this.options = options;
            classifier = TokenClassifier.open(loaded.bert(), loaded.tokenizer(), batch.encoder());
        }

        @Override
        public List<TaggedText> run(List<Input> inputs, TaskProgress progress) throws IOException {
            return classifier.tagAll(loaded.forTask(inputs), options, progress);
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
        public boolean truncated(TaggedText result) {
            return result.truncated();
        }

        @Override
        public void write(JsonGenerator json, Input input, TaggedText result) throws IOException {
            json.writeStartArray();
            for (Entity entity : result.entities()) {
                json.writeStartObject();
                json.writeStringField(entity.index() < 0 ? "entity_group" : "entity", entity.label());
                json.writeNumberField("score", entity.score());
                if (entity.index() >= 0) {
                    json.writeNumberField("index", entity.index());
                }
                json.writeStringField("word", entity.word());
                Span.write(json, span(input, entity));
                json.writeEndObject();
            }
            json.writeEndArray();
        }

        @Override
        public void print(StandardOutput out, Input input, TaggedText result) throws IOException {
            for (Entity entity : result.entities()) {
                out.println(String.format(Locale.ROOT, "%.4f  %-8s  %-16s  %s", entity.score(),
                        Texts.printable(entity.label()), entity.word(),
                        input instanceof Input.Text ? span(input, entity) : ""));
            }
        }

        private static Span span(Input input, Entity entity) {
            return input instanceof Input.Text text ? Span.of(text.text(), entity.start(), entity.end()) : null;
        }

        @Override
        public void close() {
            classifier.close();
        }
    }
}
