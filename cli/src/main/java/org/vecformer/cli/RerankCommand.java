package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.vecformer.engine.task.Ranked;
import org.vecformer.engine.task.Reranker;
import org.vecformer.engine.task.RerankerOptions;
import org.vecformer.engine.task.ScoreFunction;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TaskProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Documents ranked for a query. */
@Command(name = "rerank", description = {
    "Ranks documents by how well they go with a query, with a model that scores pairs (a cross-encoder).",
    ""}, sortOptions = false, footer = {
        "",
        "Example: java -jar gpt2.jar rerank \"how to boil eggs\" \"Eggs in ten minutes\" \"A history of eggs\" "
                + "--model path/to/cross-encoder",
        "--json writes [{\"index\":0,\"score\":0.97,\"text\":\"Eggs in ten minutes\"}], the best document first; "
                + "index counts those that were given.",
        "With --jsonl a line is {\"query\":\"...\",\"documents\":[\"...\",\"...\"]}. For pairs of token ids there is "
                + "classify --ids."})
final class RerankCommand implements Callable<Integer> {
    private static final LineShape<Query> LINES = new LineShape<>(List.of("query", "documents"),
            line -> new Query(line.text("query"), line.texts("documents")));

    @Parameters(index = "0", paramLabel = "QUERY", arity = "0..1", description = "the query; - for standard input, @file for a file")
    String query;

    @Parameters(index = "1..*", paramLabel = "DOC", arity = "0..*", description = "the documents; @file for a file")
    List<String> documents = List.of();

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "0", description = "how many documents, the best ones; 0 for all (default: ${DEFAULT-VALUE})")
    int topK;

    @Option(names = "--function", paramLabel = "auto|softmax|sigmoid|none", defaultValue = "auto", description = "what makes scores of the model's numbers; auto: what its config says, else a sigmoid for one label and softmax for several (default: ${DEFAULT-VALUE})")
    ScoreName function;

    @Option(names = "--label", paramLabel = "NAME", description = "the label whose score ranks, if the model has several")
    String label;

    @Option(names = "--max-length", paramLabel = "N", description = "cut longer pairs to so many tokens (default: what the model can take)")
    Integer maxLength;

    @Mixin
    BatchOptions batch = new BatchOptions();

    @Mixin
    RunOptions run = new RunOptions();

    private final Context context;
    private final Streams streams;

    RerankCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    private record Query(String text, List<String> documents) {}

    @Override
    public Integer call() throws IOException {
        run.check();
        batch.check();
        if (run.output.jsonl && query != null) {
            throw new UsageException("--jsonl reads its inputs from standard input; QUERY and DOC do not go with it");
        }
        if (!run.output.jsonl && documents.isEmpty()) {
            throw new UsageException(query == null ? "QUERY and DOC are missing" : "DOC is missing");
        }
        if (documents.contains("-")) {
            throw new UsageException("only the query can come from standard input; @file names a file");
        }
        Values.atLeast(0, "--top-k", topK);
        RerankerOptions options = new RerankerOptions(function.score(), Optional.ofNullable(label),
                RunOptions.length(maxLength));
        return run.run("rerank", context, input(), LINES, loaded -> new Task(loaded, options));
    }

    private Query input() throws IOException {
        if (query == null) {
            return null;
        }
        List<String> texts = new ArrayList<>();
        for (String document : documents) {
            texts.add(Texts.resolve(document, streams.in()));
        }
        return new Query(Texts.resolve(query, streams.in()), texts);
    }

    private final class Task implements InputTask<Query, List<Ranked>> {
        private final RerankerOptions options;
        private final Reranker reranker;

        Task(LoadedBert loaded, RerankerOptions options) throws CommandException {
            this.options = options;
            loaded.requiredTokenizer();
            reranker = Reranker.open(loaded.bert(), loaded.tokenizer(), batch.encoder());
        }

        @Override
        public List<List<Ranked>> run(List<Query> queries, TaskProgress progress) {
            List<TaskInput> pairs = new ArrayList<>();
            for (Query one : queries) {
                one.documents.forEach(document -> pairs.add(TaskInput.of(one.text, document)));
            }
            List<Ranked> scores = reranker.score(pairs, options, progress);
            List<List<Ranked>> results = new ArrayList<>();
            int first = 0;
            for (Query one : queries) {
                int offset = first;
                first += one.documents.size();
                results.add(scores.subList(offset, first).stream()
                        .map(score -> new Ranked(score.index() - offset, score.score(), score.tokens(),
                                score.truncated()))
                        .sorted(Comparator.comparingDouble(Ranked::score).reversed())
                        .limit(topK == 0 ? Long.MAX_VALUE : topK).toList());
            }
            return results;
        }

        @Override
        public int batchTokens() {
            return batch.tokens;
        }

        @Override
        public void cancel() {
            reranker.cancel();
        }

        @Override
        public boolean truncated(List<Ranked> result) {
            return result.stream().anyMatch(Ranked::truncated);
        }

        @Override
        public void write(JsonGenerator json, Query input, List<Ranked> result) throws IOException {
            json.writeStartArray();
            for (Ranked ranked : result) {
                json.writeStartObject();
                json.writeNumberField("index", ranked.index());
                json.writeNumberField("score", ranked.score());
                json.writeStringField("text", input.documents.get(ranked.index()));
                json.writeEndObject();
            }
            json.writeEndArray();
        }

        @Override
        public void print(StandardOutput out, Query input, List<Ranked> result) throws IOException {
            for (Ranked ranked : result) {
                out.println(String.format(Locale.ROOT, "%8.4f  %d  %s", ranked.score(), ranked.index(),
                        input.documents.get(ranked.index())));
            }
        }

        @Override
        public void close() {
            reranker.close();
        }
    }
}
