package org.vecformer.cli;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vecformer.engine.task.CorpusScore;
import org.vecformer.engine.task.Evaluator;
import org.vecformer.engine.task.LastWordScore;
import org.vecformer.engine.task.ScoringOptions;
import org.vecformer.engine.task.TaskProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** How good a model is on a file. */
@Command(name = "evaluate", description = {"Measures a model on a file of text.", ""}, sortOptions = false, footer = {
    "",
    "Example: java -jar gpt2.jar evaluate wiki.valid.txt --task perplexity --stride 512 --model path/to/gpt2",
    "Example: java -jar gpt2.jar evaluate lambada_test.jsonl --task last-word --model path/to/gpt2",
    "perplexity takes the file as one text and scores it in windows, as Hugging Face's guide \"Perplexity of "
            + "fixed-length models\" does. Perplexities of models with different tokenizers cannot be compared, those "
            + "per word and the bits per byte can. --json writes {\"task\":\"perplexity\",\"tokens\":0,"
            + "\"scored_tokens\":0,\"words\":0,\"bytes\":0,\"mean_nll\":0.0,\"perplexity\":0.0,"
            + "\"word_perplexity\":0.0,\"bits_per_byte\":0.0,\"window\":0,\"stride\":0}.",
    "last-word reads passages, one a line or as {\"text\":\"...\"}; the model is to guess what stands behind the last "
            + "space of each, as lm-evaluation-harness measures LAMBADA (lambada_openai): it is right if the word is "
            + "what greedy decoding writes. --json writes {\"task\":\"last-word\",\"passages\":0,\"correct\":0,\"accuracy\":0.0,"
            + "\"perplexity\":0.0}; the perplexity is that of a last word."})
final class EvaluateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "the file, in UTF-8")
    String file;

    @Option(names = "--task", paramLabel = "perplexity|last-word", defaultValue = "perplexity", description = "what is measured (default: ${DEFAULT-VALUE})")
    TaskName task;

    @Mixin
    WindowOptions windows = new WindowOptions();

    @Mixin
    ModelOption model = new ModelOption();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    JsonOption output = new JsonOption();

    @Mixin
    CommonOptions common = new CommonOptions();

    private final Context context;
    private final Streams streams;
    private final Interruption interruption;

    EvaluateCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
        this.interruption = context.interruption();
    }

    /** What can be measured. */
    enum TaskName {
        PERPLEXITY("perplexity"), LAST_WORD("last-word");

        private final String shown;

        TaskName(String shown) {
            this.shown = shown;
        }

        /** As the command line spells it. */
        @Override
        public String toString() {
            return shown;
        }
    }

    @Override
    public Integer call() throws IOException {
        ScoringOptions options = windows.options();
        if (task == TaskName.LAST_WORD && windows.given()) {
            throw new UsageException("--window, --stride and --bos are for --task perplexity");
        }
        Path path = path();
        List<String> passages = task == TaskName.LAST_WORD ? Passages.read(path) : List.of();
        ModelRequest request = new ModelRequest("evaluate", model.model, compute, common, context, true);
        try (LoadedGpt loaded = request.gpt();
                Evaluator evaluator = Evaluator.open(loaded.languageModel(), loaded.requiredTokenizer());
                ProgressBar bar = common.quiet || !streams.terminal()
                        ? null
                        : new ProgressBar(streams.err(), "evaluate");
                Interruption.Scope _ = interruption.during(evaluator::cancel)) {
            TaskProgress progress = (done, total) -> {
                if (bar != null) {
                    bar.show(done, total);
                }
                if (interruption.requested()) {
                    evaluator.cancel();
                }
            };
            long start = System.nanoTime();
            switch (task) {
                case PERPLEXITY -> {
                    ScoringOptions resolved = options.resolve(loaded.contextLength());
                    CorpusScore score = evaluator.perplexity(path, resolved, progress);
                    clear(bar);
                    write(score, resolved);
                }
                case LAST_WORD -> {
                    LastWordScore score = lastWord(evaluator, passages, progress);
                    clear(bar);
                    write(score);
                }
            }
            if (!common.quiet) {
                streams.err().println(String.format(Locale.ROOT, "gpt2 evaluate: %.2f s; %s",
                        (System.nanoTime() - start) / 1e9, loaded.summary()));
            }
        }
        return Cli.DONE;
    }

    private static void clear(ProgressBar bar) {
        if (bar != null) {
            bar.clear();
        }
    }

    private Path path() throws CommandException {
        try {
            return Path.of(file);
        } catch (InvalidPathException e) {
            throw new CommandException("'" + file + "' is not a file name", e);
        }
    }

    private LastWordScore lastWord(Evaluator evaluator, List<String> passages, TaskProgress progress)
            throws CommandException {
        try {
            return evaluator.lastWord(passages, progress);
        } catch (IllegalArgumentException e) {
            throw new CommandException(file + ": " + e.getMessage(), e);
        }
    }

    private void write(CorpusScore score, ScoringOptions options) throws IOException {
        if (output.json) {
            JsonResult.line(streams.out(), json -> {
                json.writeStartObject();
                json.writeStringField("task", task.toString());
                json.writeNumberField("tokens", score.tokens());
                json.writeNumberField("scored_tokens", score.scored());
                json.writeNumberField("words", score.words());
                json.writeNumberField("bytes", score.bytes());
                json.writeNumberField("mean_nll", -score.mean());
                ScoreJson.number(json, "perplexity", score.perplexity());
                ScoreJson.number(json, "word_perplexity", score.wordPerplexity());
                ScoreJson.number(json, "bits_per_byte", score.bitsPerByte());
                json.writeNumberField("window", options.window());
                json.writeNumberField("stride", options.stride());
                json.writeEndObject();
            });
            return;
        }
        line("perplexity", "%.4f", score.perplexity());
        line("perplexity of a word", "%.4f", score.wordPerplexity());
        line("bits per byte", "%.4f", score.bitsPerByte());
        line("tokens", "%d", score.tokens());
        line("scored", "%d (windows of %d, stride %d)", score.scored(), options.window(), options.stride());
        streams.out().flush();
    }

    private void write(LastWordScore score) throws IOException {
        if (output.json) {
            JsonResult.line(streams.out(), json -> {
                json.writeStartObject();
                json.writeStringField("task", task.toString());
                json.writeNumberField("passages", score.passages());
                json.writeNumberField("correct", score.correct());
                json.writeNumberField("accuracy", score.accuracy());
                ScoreJson.number(json, "perplexity", score.perplexity());
                json.writeEndObject();
            });
            return;
        }
        line("accuracy", "%.4f (%d of %d)", score.accuracy(), score.correct(), score.passages());
        line("perplexity of a word", "%.4f", score.perplexity());
        streams.out().flush();
    }

    private void line(String what, String format, Object... values) throws IOException {
        streams.out().println(String.format(Locale.ROOT, "%-22s", what) + String.format(Locale.ROOT, format, values));
    }
}
