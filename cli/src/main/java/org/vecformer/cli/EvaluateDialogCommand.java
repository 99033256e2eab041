package org.vecformer.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.vecformer.cli.dialog.CandidateExamples;
import org.vecformer.cli.dialog.ExampleFile;
import org.vecformer.cli.dialog.ResultsFile;
import org.vecformer.engine.dialog.DialogEvaluator;
import org.vecformer.engine.dialog.DialogExample;
import org.vecformer.engine.dialog.DialogScore;
import org.vecformer.engine.dialog.ExampleScore;
import org.vecformer.engine.dialog.ReplyOptions;
import org.vecformer.engine.generation.PromptTooLongException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** How good a model is at conversations. */
@Command(name = "evaluate-dialog", description = {
    "Measures a model on a file of conversations as ConvAI2 does: hits@1, perplexity and F1.",
    ""}, sortOptions = false, footer = {"",
        "Example: java -jar gpt2.jar evaluate-dialog valid_self_original.txt --model path/to/persona-gpt",
        "Example: java -jar gpt2.jar evaluate-dialog personachat_self_original.json --results results.jsonl --json",
        "FILE is ConvAI2's text (1 your persona: ...; an utterance, a tab, the reply; perhaps a reward and candidates) "
                + "or the JSON of Hugging Face's conversational agent ({\"valid\":[{\"personality\":[],\"utterances\":"
                + "[{\"candidates\":[],\"history\":[]}]}]}, gold the last candidate). Each reply of the one whose "
                + "persona it is is an example.",
        "hits@1 is the share of examples whose gold the model ranks first: by its next-utterance head if it has one, "
                + "else by the mean log-probability of a candidate's tokens. Where a file has no candidates, distractors "
                + "are drawn from the replies of other dialogs (--seed).",
        "perplexity is that of gold's tokens and what ends it, the mean taken over all tokens of all examples (the "
                + "article's code takes it over the means of its batches). F1 is that of the words that gold and a reply "
                + "of the model share, without punctuation and articles, averaged over the examples. Perplexities of "
                + "models with different tokenizers cannot be compared.",
        "An example that does not fit the model's context with its persona and last utterance is counted as too long and "
                + "left out.",
        "With --results every example is written to a file when it is done; the same command goes on where that file "
                + "ends, and gives what it would have given in one run. Its last example is computed again: if it comes "
                + "out otherwise, the file is refused.",
        "--json writes {\"examples\":0,\"hits_at_1\":0.0,\"perplexity\":0.0,\"f1\":0.0,\"candidates\":20,"
                + "\"ranked_by\":\"\",\"format\":\"\",\"tokens\":0,\"too_long\":0,\"seed\":42}; f1 is null with "
                + "--no-f1, candidates where their number differs, seed where nothing was drawn."})
final class EvaluateDialogCommand implements Callable<Integer> {
    private static final int DIGEST_BUFFER = 1 << 16;

    @Parameters(paramLabel = "FILE", description = "the conversations, in UTF-8")
    String file;

    @Option(names = "--split", paramLabel = "valid|train", description = "which list of a JSON file (default: valid)")
    String split;

    @Option(names = "--limit", paramLabel = "N", description = "the first N examples only")
    Integer limit;

    @Option(names = "--max-history", paramLabel = "N", defaultValue = "2", description = "the model sees the last 2 x N + 1 utterances (default: ${DEFAULT-VALUE})")
    int maxHistory;

    @Option(names = "--candidates", paramLabel = "N", description = "candidates of an example, gold included: the last N of those in the file (default: all), or gold and N - 1 that are drawn (default: "
            + ExampleFile.CANDIDATES + ")")
    Integer candidates;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "42", description = "of the random generators that draw distractors and replies (default: ${DEFAULT-VALUE})")
    long seed;

    @Option(names = "--no-f1", description = "write no replies, which takes most of the time")
    boolean noF1;

    @Option(names = "--min-new-tokens", paramLabel = "N", description = "the fewest tokens of a reply (default: 1)")
    Integer minNewTokens;

    @Option(names = "--max-new-tokens", paramLabel = "N", description = "the most tokens of a reply (default: 20)")
    Integer maxNewTokens;

    @Option(names = "--temperature", paramLabel = "T", description = "draw the tokens of replies, with logits divided by T; replies are greedy without this and the next two")
    Double temperature;

    @Option(names = "--top-k", paramLabel = "K", description = "draw from the K most likely tokens; 0 for all")
    Integer topK;

    @Option(names = "--top-p", paramLabel = "P", description = "draw from the most likely tokens that together have the probability P")
    Double topP;

    @Option(names = "--results", paramLabel = "FILE", description = "write each example's result here, and go on behind those that are here (JSON lines)")
    String results;

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

    EvaluateDialogCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
        this.interruption = context.interruption();
    }

    @Override
    public Integer call() throws IOException {
        ReplyOptions replies = replies();
        Values.atLeast(1, "--limit", limit);
        Values.atLeast(2, "--candidates", candidates);
        Path resultsPath = results == null ? null : path(results);
        ExampleFile examples = ExampleFile.scan(path(file), split);
        ModelRequest request = new ModelRequest("evaluate-dialog", model.model, compute, common, context, true);
        try (LoadedGpt loaded = request.gpt();
                DialogEvaluator evaluator = DialogEvaluator.open(loaded.languageModel(), loaded.requiredTokenizer());
                Interruption.Scope _ = interruption.during(evaluator::cancel);
                ResultsFile resultsFile = resultsPath == null
                        ? null
                        : ResultsFile.open(resultsPath, belongsTo(loaded, examples.file()))) {
            if (!noF1 && replies.maxNewTokens() >= loaded.contextLength()) {
                throw new CommandException(
                        "--max-new-tokens is " + replies.maxNewTokens() + ", and the context length of "
                                + loaded.name() + " is " + loaded.contextLength() + "; expected less");
            }
            long start = System.nanoTime();
            int before = resultsFile == null ? 0 : resultsFile.done().size();
            Tally tally = evaluate(evaluator, examples, resultsFile, replies);
            write(tally, evaluator, examples.bare() > 0);
            if (!common.quiet) {
                streams.err().println(String.format(Locale.ROOT, "gpt2 evaluate-dialog: %.2f s%s; %s",
                        (System.nanoTime() - start) / 1e9,
                        resultsFile == null ? "" : "; " + before + " examples were done before", loaded.summary()));
            }
        }
        return Cli.DONE;
    }

    /** How replies are written, and how much of the history the model sees. */
    private ReplyOptions replies() {
        Values.atLeast(0, "--max-history", maxHistory);
        Values.atLeast(0, "--min-new-tokens", minNewTokens);
        Values.atLeast(1, "--max-new-tokens", maxNewTokens);
        Values.check("--temperature", temperature, Values.isPositive(temperature), "a number above 0");
        Values.check("--top-k", topK, topK != null && topK >= 0, "0 (all tokens) or more");
        Values.check("--top-p", topP, topP != null && topP > 0 && topP <= 1, "a number above 0 and up to 1");
        if (noF1 && (draws() || minNewTokens != null || maxNewTokens != null)) {
            throw new UsageException("--no-f1 writes no replies; --min-new-tokens, --max-new-tokens, --temperature, "
                    + "--top-k and --top-p do not go with it");
        }
        ReplyOptions defaults = ReplyOptions.defaults();
        int most = maxNewTokens == null ? defaults.maxNewTokens() : maxNewTokens;
        int fewest = minNewTokens == null ? defaults.minNewTokens() : minNewTokens;
        Values.check("--min-new-tokens", fewest, fewest <= most, "at most " + most + ", the most new tokens");
        ReplyOptions options = defaults.withNewTokens(fewest, most).withHistoryTurns(maxHistory);
        return !draws()
                ? options.withGreedy(true)
                : options.withTemperature(temperature == null ? 1 : temperature)
                        .withSampling(before -> topK == null
                                ? before.topP(topP == null ? 1 : topP)
                                : before.topP(topP == null ? 1 : topP).topK(topK));
    }

    private boolean draws() {
        return temperature != null || topK != null || topP != null;
    }

    private static Path path(String name) throws CommandException {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new CommandException("'" + name + "' is not a file name", e);
        }
    }

    /** What an example's result depends on; the number of threads and the CPU's kernels are not among it. */
    private Map<String, String> belongsTo(LoadedGpt loaded, Path path) throws IOException {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("model", loaded.name());
        all.put("parameters", String.valueOf(loaded.parameters()));
        all.put("weights", loaded.weights());
        all.put("device", compute.device == null ? "cpu" : compute.device);
        all.put("file", String.valueOf(path.getFileName()));
        all.put("sha256", sha256(path));
        if (split != null) {
            all.put("split", split);
        }
        all.put("max_history", String.valueOf(maxHistory));
        all.put("candidates", candidates == null ? "all, or " + ExampleFile.CANDIDATES : candidates.toString());
        all.put("seed", String.valueOf(seed));
        all.put("replies", noF1 ? "none" : repliesShown(replies()));
        return all;
    }

    private String repliesShown(ReplyOptions options) {
        String chosen = options.greedy()
                ? "greedy"
                : "drawn with temperature " + options.temperature() + ", top_k " + (topK == null ? 0 : topK)
                        + ", top_p " + (topP == null ? 1 : topP);
        return chosen + ", " + options.minNewTokens() + " to " + options.maxNewTokens() + " tokens";
    }

    private static String sha256(Path path) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        try (InputStream in = new DigestInputStream(Files.newInputStream(path), digest)) {
            byte[] buffer = new byte[DIGEST_BUFFER];
            while (in.read(buffer) >= 0) {
                // The digest sees what is read.
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /**
     * What came of the examples.
     *
     * @param score of those that fit
     * @param tooLong how many did not
     * @param candidates the numbers of candidates that they had
     */
    private record Tally(DialogScore score, int tooLong, Set<Integer> candidates) {}

    private Tally evaluate(DialogEvaluator evaluator, ExampleFile file, ResultsFile resultsFile,
            ReplyOptions replies) throws IOException {
        int total = limit == null ? file.examples() : Math.min(limit, file.examples());
        DialogScore sum = DialogScore.NONE;
        int tooLong = 0;
        Set<Integer> counts = new TreeSet<>();
        List<ExampleScore> done = resultsFile == null ? List.of() : new ArrayList<>(resultsFile.done());
        int kept = Math.min(done.size(), total);
        try (CandidateExamples examples = file.open(candidates, seed);
                ProgressBar bar = common.quiet || !streams.terminal()
                        ? null
                        : new ProgressBar(streams.err(), "evaluate-dialog")) {
            for (int i = 0; i < total; i++) {
                // Read for those that are done too: what is drawn for the others depends on it.
                DialogExample example = examples.next();
                if (example == null) {
                    throw new CommandException(file.file() + " has changed: it ends behind example " + i);
                }
                ExampleScore score = i < kept - 1
                        ? done.get(i)
                        : score(evaluator, example, replies.withSeed(seed + i), Math.max(i, done.size()));
                if (i == kept - 1) {
                    check(score, done.get(i), i + 1);
                } else if (i >= kept && resultsFile != null) {
                    resultsFile.add(score);
                }
                if (score == null) {
                    tooLong++;
                } else {
                    sum = sum.and(score);
                    counts.add(score.scores().size());
                }
                if (bar != null) {
                    bar.show(i + 1, total);
                }
            }
        }
        return new Tally(sum, tooLong, counts);
    }

    /** The last of those that are kept is computed again, to see whether the others would come out as they did. */
    private void check(ExampleScore now, ExampleScore before, int example) throws CommandException {
        if (!Objects.equals(now, before)) {
            throw new CommandException(results + ": example " + example + " comes out otherwise now, so that the others"
                    + " may too: the model or this program has changed; name another file or delete this one");
        }
    }

    /** The result of an example; null if it does not fit the model's context. */
    private ExampleScore score(DialogEvaluator evaluator, DialogExample example, ReplyOptions replies, int done) {
        try {
            if (interruption.requested()) {
                throw new CancellationException("interrupted");
            }
            return evaluator.score(example, replies, !noF1);
        } catch (PromptTooLongException _) {
            return null;
        } catch (CancellationException e) {
            if (!common.quiet) {
                streams.err().println("gpt2 evaluate-dialog: interrupted behind example " + done
                        + (results == null ? "" : "; the same command goes on from there"));
            }
            throw e;
        }
    }

    private void write(Tally tally, DialogEvaluator evaluator, boolean drawn) throws IOException {
        DialogScore score = tally.score;
        Integer count = tally.candidates.size() == 1 ? tally.candidates.iterator().next() : null;
        boolean seeded = drawn || draws();
        if (!output.json) {
            line("hits@1", "%.4f (%d of %d, %s candidates, by %s)", score.hitsAt1(), score.hits(), score.examples(),
                    count == null ? "various" : count, evaluator.rankedBy());
            line("perplexity", "%.4f (%d tokens)", score.perplexity(), score.tokens());
            if (!noF1) {
                line("F1", "%.4f", score.f1());
            }
            line("examples", "%d", score.examples());
            line("too long", "%d", tally.tooLong);
            line("dialogs as", "%s", evaluator.format());
            if (seeded) {
                line("seed", "%d", seed);
            }
            streams.out().flush();
            return;
        }
        JsonResult.line(streams.out(), json -> {
            json.writeStartObject();
            json.writeNumberField("examples", score.examples());
            ScoreJson.number(json, "hits_at_1", score.hitsAt1());
            ScoreJson.number(json, "perplexity", score.perplexity());
            ScoreJson.number(json, "f1", score.f1());
            if (count == null) {
                json.writeNullField("candidates");
            } else {
                json.writeNumberField("candidates", count);
            }
            json.writeStringField("ranked_by", evaluator.rankedBy());
            json.writeStringField("format", evaluator.format());
            json.writeNumberField("tokens", score.tokens());
            json.writeNumberField("too_long", tally.tooLong);
            if (seeded) {
                json.writeNumberField("seed", seed);
            } else {
                json.writeNullField("seed");
            }
            json.writeEndObject();
        });
    }

    private void line(String what, String format, Object... values) throws IOException {
        streams.out().println(String.format(Locale.ROOT, "%-12s", what) + String.format(Locale.ROOT, format, values));
    }
}
