package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vecformer.engine.task.Answer;
import org.vecformer.engine.task.QuestionAnswerer;
import org.vecformer.engine.task.QuestionAnswererOptions;
import org.vecformer.engine.task.TaskProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Answers found in a text. */
@Command(name = "answer", description = {"Finds the answer to a question in a text (the context), of any length.",
    ""}, sortOptions = false, footer = {
        "",
        "Example: java -jar gpt2.jar answer --question \"Where does Bob live?\" \"Bob lives in Berlin.\" "
                + "--model path/to/squad-model",
        "--json writes [{\"score\":0.97,\"start\":13,\"end\":19,\"answer\":\"Berlin\"}], the best answer first. "
                + "start and end count characters of the context as Unicode code points (null for ids); that there "
                + "is no answer is an empty one from 0 to 0.",
        "With --jsonl a line is {\"question\":\"...\",\"context\":\"...\"}, or "
                + "{\"ids\":[],\"token_type_ids\":[],\"attention_mask\":[]} with the context as type 1."})
final class AnswerCommand implements Callable<Integer> {
    private static final LineShape<Input> LINES = new LineShape<>(
            List.of("question", "context", "ids", "token_type_ids", "attention_mask"), AnswerCommand::read);

    @Mixin
    TextOptions text = new TextOptions();

    @Option(names = "--question", paramLabel = "TEXT", description = "the question; - for standard input, @file for a file")
    String question;

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "1", description = "how many answers (default: ${DEFAULT-VALUE})")
    int topK;

    @Option(names = "--max-answer-length", paramLabel = "N", defaultValue = "15", description = "the most tokens of an answer (default: ${DEFAULT-VALUE})")
    int maxAnswerLength;

    @Option(names = "--null-answer", description = "that there is no answer may be the answer, for models that learned it")
    boolean nullAnswer;

    @Option(names = "--align-to-words", description = "extend answers to whole words")
    boolean alignToWords;

    @Option(names = "--max-length", paramLabel = "N", description = "the most tokens of a window: question, part of the context and special ones (default: 384, or what the model can take)")
    Integer maxLength;

    @Option(names = "--stride", paramLabel = "N", description = "how many tokens of a long context neighbouring windows have in common (default: half of their room for it, at most 128)")
    Integer stride;

    @Mixin
    BatchOptions batch = new BatchOptions();

    @Mixin
    RunOptions run = new RunOptions();

    private final Context context;
    private final Streams streams;

    AnswerCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    private static Input read(LineFields line) {
        return line.has("ids")
                ? LineShape.ENCODER.read(line)
                : new Input.Text(line.text("question"), line.text("context"));
    }

    @Override
    public Integer call() throws IOException {
        run.check();
        batch.check();
        text.check(run.output.jsonl);
        checkQuestion();
        Values.atLeast(1, "--top-k", topK);
        Values.atLeast(1, "--max-answer-length", maxAnswerLength);
        Values.atLeast(1, "--stride", stride);
        QuestionAnswererOptions options = new QuestionAnswererOptions(topK, maxAnswerLength,
                RunOptions.length(maxLength), stride == null ? 0 : stride, nullAnswer, alignToWords);
        return run.run("answer", context, input(), LINES, loaded -> new Task(loaded, options));
    }

    private void checkQuestion() {
        if (text.text == null && question != null) {
            throw new UsageException("--question goes with TEXT, the context");
        }
        if (text.text != null && question == null) {
            throw new UsageException("--question is missing");
        }
        if ("-".equals(text.text) && "-".equals(question)) {
            throw new UsageException("only one of question and context can come from standard input");
        }
    }

    private Input input() throws IOException {
        Input input = text.read(streams.in());
        return input instanceof Input.Text contextText
                ? new Input.Text(Texts.resolve(question, streams.in()), contextText.text())
                : input;
    }

    private final class Task implements InputTask<Input, List<Answer>> {
        private final LoadedBert loaded;
        private final QuestionAnswererOptions options;
        private final QuestionAnswerer answerer;

        Task(LoadedBert loaded, QuestionAnswererOptions options) {
            this.loaded = loaded;
            this.options = options;
            answerer = QuestionAnswerer.open(loaded.bert(), loaded.tokenizer(), batch.encoder());
        }

        @Override
        public List<List<Answer>> run(List<Input> inputs, TaskProgress progress) throws IOException {
            return answerer.answerAll(loaded.forTask(inputs), options, progress);
        }

        @Override
        public int batchTokens() {
            return batch.tokens;
        }

        @Override
        public void cancel() {
            answerer.cancel();
        }

        @Override
        public void write(JsonGenerator json, Input input, List<Answer> answers) throws IOException {
            json.writeStartArray();
            for (Answer answer : answers) {
                json.writeStartObject();
                json.writeNumberField("score", answer.score());
                Span.write(json, span(input, answer));
                json.writeStringField("answer", answer.text());
                json.writeEndObject();
            }
            json.writeEndArray();
        }

        @Override
        public void print(StandardOutput out, Input input, List<Answer> answers) throws IOException {
            if (answers.isEmpty()) {
                out.println("no answer: the context is empty");
            }
            for (Answer answer : answers) {
                Span span = span(input, answer);
                out.println(answer.isNone()
                        ? String.format(Locale.ROOT, "%.4f  (there is no answer)", answer.score())
                        : String.format(Locale.ROOT, "%.4f  %s%s", answer.score(), answer.text(),
                                span == null ? "" : "  (" + span + ")"));
            }
        }

        private static Span span(Input input, Answer answer) {
            return input instanceof Input.Text pair ? Span.of(pair.pair(), answer.start(), answer.end()) : null;
        }

        @Override
        public void close() {
            answerer.close();
        }
    }
}
