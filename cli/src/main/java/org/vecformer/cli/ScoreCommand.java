package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.vecformer.engine.task.ContinuationScore;
import org.vecformer.engine.task.Scorer;
import org.vecformer.engine.task.ScoringOptions;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.engine.task.TextScore;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Log-probabilities of texts, and continuations compared. */
@Command(name = "score", description = {
    "Tells how likely the model holds a text to be: each token's log-probability (natural logarithm), their sum and "
            + "the perplexity; with --prompt, how likely several continuations are.",
    ""}, sortOptions = false, footer = {"",
        "Example: java -jar gpt2.jar score \"Once upon a time there was a little girl.\"",
        "Example: java -jar gpt2.jar score --prompt \"Machine learning with TensorFlow can\" \" do\" \" be\"",
        "The first token of a text has no log-probability without --bos. A text longer than the model's context is "
                + "scored in windows that lie half over each other (--window, --stride).",
        "White space at the end of a prompt counts as the continuations' beginning, as in lm-evaluation-harness; an "
                + "empty prompt is the begin token.",
        "--json writes {\"ids\":[],\"logprobs\":[null,-3.2],\"sum_logprob\":0.0,\"perplexity\":0.0}; with --prompt "
                + "[{\"text\":\"\",\"ids\":[],\"logprobs\":[],\"sum_logprob\":0.0,\"ratio_to_first\":1.0}], an element for "
                + "each continuation: ratio_to_first is e^(sum - sum of the first).",
        "With --jsonl a line is {\"text\":\"...\"}, {\"ids\":[...]}, "
                + "{\"prompt\":\"...\",\"continuations\":[\"...\"]} or {\"prompt_ids\":[...],\"ids\":[...]}."})
final class ScoreCommand implements Callable<Integer> {
    private static final int BAR = 10;

    private static final LineShape<Question> LINES = new LineShape<>(
            List.of("text", "ids", "prompt", "continuations", "prompt_ids"), ScoreCommand::question);

    @Parameters(paramLabel = "TEXT", arity = "0..*", description = "the text, or with --prompt the continuations; - for standard input, @file for a file")
    List<String> texts = List.of();

    @Option(names = "--ids", paramLabel = "IDS", description = "token ids instead of a text, such as 464,2068,7586; with --prompt-ids once for each continuation")
    List<String> ids = List.of();

    @Option(names = "--prompt", paramLabel = "PREFIX", description = "compare the texts as continuations of this one; - for standard input, @file for a file")
    String prompt;

    @Option(names = "--prompt-ids", paramLabel = "IDS", description = "the same with token ids, for continuations that are --ids")
    String promptIds;

    @Mixin
    WindowOptions windows = new WindowOptions();

    @Mixin
    GptRunOptions run = new GptRunOptions();

    private final Context context;
    private final Streams streams;

    ScoreCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    /**
     * What is to be scored.
     *
     * @param prompt what comes before; null if whole texts are scored
     * @param inputs a text, or the continuations
     */
    private record Question(Input prompt, List<Input> inputs) {}

    /**
     * What came of it: one of the two.
     *
     * @param whole of a text
     * @param compared of the continuations
     */
    private record Answer(TextScore whole, List<ContinuationScore> compared) {}

    private static Question question(LineFields line) {
        if (line.has("prompt") != line.has("continuations") || line.has("prompt_ids") && !line.has("ids")
                || Stream.of("text", "ids", "prompt").filter(line::has).count() != 1) {
            throw new LineFields.WrongFieldException(
                    "expected \"text\", \"ids\", \"prompt\" with \"continuations\", or "
                            + "\"prompt_ids\" with \"ids\"");
        }
        if (line.has("prompt")) {
            return new Question(new Input.Text(line.text("prompt"), null), line.texts("continuations").stream()
                    .map(text -> (Input) new Input.Text(text, null)).toList());
        }
        Input prompt = line.has("prompt_ids") ? new Input.Ids(line.numbers("prompt_ids"), null, null) : null;
        return new Question(prompt, List.of(line.has("text")
                ? new Input.Text(line.text("text"), null)
                : new Input.Ids(line.numbers("ids"), null, null)));
    }

    @Override
    public Integer call() throws IOException {
        run.output.check();
        check();
        ScoringOptions options = windows.options();
        return run.run("score", context, question(), LINES, loaded -> new Task(loaded, options));
    }

    private void check() {
        boolean given = !texts.isEmpty() || !ids.isEmpty();
        boolean compares = prompt != null || promptIds != null;
        if (run.output.jsonl && (given || compares)) {
            throw new UsageException(
                    "--jsonl reads its inputs from standard input; TEXT, --ids and --prompt do not go with it");
        }
        if (!run.output.jsonl && !given) {
            throw new UsageException(promptIds != null ? "--ids is missing" : "TEXT or --ids is missing");
        }
        if (!texts.isEmpty() && !ids.isEmpty()) {
            throw new UsageException("give TEXT or --ids, not both");
        }
        if (!compares && texts.size() + ids.size() > 1) {
            throw new UsageException("there are several texts; they are compared with --prompt, scored by themselves "
                    + "with --jsonl");
        }
        if (prompt != null && promptIds != null || prompt != null && !ids.isEmpty()
                || promptIds != null && !texts.isEmpty()) {
            throw new UsageException("--prompt goes with TEXT, --prompt-ids with --ids");
        }
        if (compares && windows.given()) {
            throw new UsageException("--window, --stride and --bos are for whole texts; they do not go with --prompt");
        }
        if (texts.stream().filter("-"::equals).count() + ("-".equals(prompt) ? 1 : 0) > 1) {
            throw new UsageException("only one text can come from standard input");
        }
    }

    private Question question() throws IOException {
        if (run.output.jsonl) {
            return null;
        }
        List<Input> inputs = new ArrayList<>();
        for (String text : texts) {
            inputs.add(GptTextOptions.text(text, streams.in()));
        }
        for (String list : ids) {
            inputs.add(GptTextOptions.ids(list, streams.in()));
        }
        Input before = prompt != null
                ? GptTextOptions.text(prompt, streams.in())
                : promptIds != null ? GptTextOptions.ids(promptIds, streams.in()) : null;
        return new Question(before, inputs);
    }

    private final class Task implements InputTask<Question, Answer> {
        private final LoadedGpt loaded;
        private final ScoringOptions options;
        private final Scorer scorer;

        Task(LoadedGpt loaded, ScoringOptions options) throws CommandException {
            this.loaded = loaded;
            this.options = options;
            scorer = Scorer.open(loaded.languageModel(), loaded.tokenizer());
        }

        @Override
        public List<Answer> run(List<Question> questions, TaskProgress progress) throws IOException {
            List<int[]> whole = new ArrayList<>();
            for (Question question : questions) {
                if (question.prompt == null) {
                    whole.add(loaded.ids(question.inputs.getFirst()));
                }
            }
            List<TextScore> scores = whole.isEmpty() ? List.of() : scorer.scoreAll(whole, options, progress);
            List<Answer> answers = new ArrayList<>();
            int next = 0;
            for (Question question : questions) {
                if (question.prompt == null) {
                    answers.add(new Answer(scores.get(next++), null));
                } else {
                    answers.add(new Answer(null, compare(question)));
                    progress.done(answers.size(), questions.size());
                }
            }
            return answers;
        }

        private List<ContinuationScore> compare(Question question) throws CommandException {
            if (question.prompt instanceof Input.Text text) {
                loaded.requiredTokenizer();
                return scorer.compare(text.text(), question.inputs.stream().map(input -> ((Input.Text) input).text())
                        .toList());
            }
            List<int[]> continuations = new ArrayList<>();
            for (Input input : question.inputs) {
                continuations.add(loaded.ids(input));
            }
            return scorer.compare(loaded.ids(question.prompt), continuations);
        }

        @Override
        public int batchTokens() {
            return scorer.batchTokens();
        }

        @Override
        public void cancel() {
            scorer.cancel();
        }

        @Override
        public void write(JsonGenerator json, Question question, Answer answer) throws IOException {
            if (answer.whole != null) {
                json.writeStartObject();
                scores(json, answer.whole.ids(), answer.whole.logprobs(), answer.whole.sum());
                ScoreJson.number(json, "perplexity", answer.whole.perplexity());
                json.writeEndObject();
                return;
            }
            json.writeStartArray();
            for (int i = 0; i < answer.compared.size(); i++) {
                ContinuationScore score = answer.compared.get(i);
                json.writeStartObject();
                json.writeStringField("text", text(question.inputs.get(i)));
                scores(json, score.ids(), score.logprobs(), score.sum());
                ScoreJson.number(json, "ratio_to_first", score.ratioToFirst());
                json.writeEndObject();
            }
            json.writeEndArray();
        }

        private static void scores(JsonGenerator json, int[] ids, double[] logprobs, double sum) throws IOException {
            JsonResult.ints(json, "ids", ids);
            ScoreJson.numbers(json, "logprobs", logprobs);
            ScoreJson.number(json, "sum_logprob", sum);
        }

        /** As it was given; null if that were ids and there is no tokenizer. */
        private String text(Input input) {
            return switch (input) {
                case Input.Text text -> text.text();
                case Input.Ids list -> loaded.tokenizer() == null ? null : loaded.tokenizer().decode(list.ids());
            };
        }

        @Override
        public void print(StandardOutput out, Question question, Answer answer) throws IOException {
            Screen screen = streams.screen();
            int columns = screen.terminal() ? screen.columns().getAsInt() : Integer.MAX_VALUE;
            if (answer.whole != null) {
                print(out, screen, columns, answer.whole);
                return;
            }
            double most = answer.compared.stream().mapToDouble(ContinuationScore::sum).max().orElse(0);
            for (int i = 0; i < answer.compared.size(); i++) {
                ContinuationScore score = answer.compared.get(i);
                String text = text(question.inputs.get(i));
                String line = String.format(Locale.ROOT, "%10.4f  %10.4g  %s", score.sum(), score.ratioToFirst(),
                        screen.terminal() ? screen.bar(Math.exp(score.sum() - most), BAR) + "  " : "");
                out.println(line + Shown.beginning(
                        text == null ? spaced(score.ids()) : '"' + Shown.text(text) + '"',
                        columns - Shown.width(line)));
            }
        }

        private void print(StandardOutput out, Screen screen, int columns, TextScore score) throws IOException {
            for (int i = 0; i < score.ids().length; i++) {
                double logprob = score.logprobs()[i];
                String line = Double.isNaN(logprob)
                        ? String.format(Locale.ROOT, "%10s  ", "-")
                        : String.format(Locale.ROOT, "%10.4f  ", logprob);
                if (screen.terminal()) {
                    line += screen.bar(Double.isNaN(logprob) ? 0 : Math.exp(logprob), BAR) + "  ";
                }
                line += String.format(Locale.ROOT, "%6d  ", score.ids()[i]);
                out.println(line + Shown.beginning(Shown.token(loaded.tokenizer(), score.ids()[i]),
                        columns - Shown.width(line)));
            }
            out.println(String.format(Locale.ROOT, "sum %.4f, mean %.4f, perplexity %.4f (%d of %d tokens scored)",
                    score.sum(), score.mean(), score.perplexity(), score.scored(), score.ids().length));
        }

        private static String spaced(int[] ids) {
            return String.join(" ", IntStream.of(ids).mapToObj(Integer::toString).toList());
        }

        @Override
        public void close() {
            scorer.close();
        }
    }
}
