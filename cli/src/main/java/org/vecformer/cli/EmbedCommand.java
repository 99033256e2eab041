package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.Embedding;
import org.vecformer.engine.task.LongTexts;
import org.vecformer.engine.task.Pooling;
import org.vecformer.engine.task.TaskProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Vectors of texts. */
@Command(name = "embed", description = {"Makes a vector of each text, for search and comparison.",
    ""}, sortOptions = false, footer = {
        "",
        "Example: java -jar gpt2.jar embed \"A man is eating.\" \"Somebody has lunch.\" --model "
                + "all-MiniLM-L6-v2",
        "What is not given is as the model's files say (modules.json, 1_Pooling/config.json, "
                + "sentence_bert_config.json).",
        "--json writes {\"dimensions\":384,\"embeddings\":[[0.1,-0.2]]}, a vector for each text in their "
                + "order. Without it the first numbers of each vector are shown, and the cosine of each two.",
        "With --jsonl a line is {\"text\":\"...\"} or {\"ids\":[],\"token_type_ids\":[],\"attention_mask\":[]}, and "
                + "a result as with --json."})
final class EmbedCommand implements Callable<Integer> {
    private static final int NUMBERS_SHOWN = 6;

    @Parameters(paramLabel = "TEXT", arity = "0..*", description = "texts; - for standard input, @file for a file")
    List<String> texts = List.of();

    @Mixin
    IdOptions ids = new IdOptions();

    @Option(names = "--pooling", paramLabel = "cls|max|mean|mean_sqrt_len|weighted_mean|last_token|pooler", split = ",", description = "how the tokens' states become one vector; several, with commas between them, are put one behind the other")
    List<PoolingName> pooling;

    @Option(names = "--normalize", negatable = true, description = "whether vectors are scaled to length 1")
    Boolean normalize;

    @Option(names = "--max-length", paramLabel = "N", description = "the most tokens of a text, or of a window of it; longer ones are cut to so many")
    Integer maxLength;

    @Option(names = "--long-texts", paramLabel = "truncate|split|refuse", defaultValue = "truncate", description = "what becomes of longer texts: cut; split into windows, whose vectors are averaged by their tokens; an error (default: ${DEFAULT-VALUE})")
    LongTextsName longTexts;

    @Mixin
    BatchOptions batch = new BatchOptions();

    @Mixin
    RunOptions run = new RunOptions();

    private final Context context;
    private final Streams streams;

    EmbedCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    /** The poolings, as the command line spells them. */
    enum PoolingName {
        cls, max, mean, mean_sqrt_len, weighted_mean, last_token, pooler
    }

    /** What becomes of long texts, as the command line spells it. */
    enum LongTextsName {
        truncate, split, refuse
    }

    @Override
    public Integer call() throws IOException {
        run.check();
        batch.check();
        ids.check(run.output.jsonl, !texts.isEmpty());
        RunOptions.length(maxLength);
        if (texts.stream().filter("-"::equals).count() > 1) {
            throw new UsageException("only one text can come from standard input");
        }
        List<Input> inputs = new ArrayList<>();
        if (ids.given()) {
            inputs.add(ids.read(streams.in()));
        }
        for (String text : texts) {
            inputs.add(new Input.Text(Texts.resolve(text, streams.in()), null));
        }
        return run.run("embed", context, inputs.isEmpty() ? null : inputs, LineShape.SINGLE.map(List::of), Task::new);
    }

    private EmbedderOptions options(LoadedBert loaded) throws IOException {
        EmbedderOptions options = EmbedderOptions.of(loaded.bert())
                .withLongTexts(LongTexts.valueOf(longTexts.name().toUpperCase(Locale.ROOT)));
        if (pooling != null) {
            options = options.withPoolings(pooling.stream()
                    .map(name -> Pooling.valueOf(name.name().toUpperCase(Locale.ROOT))).toArray(Pooling[]::new));
        }
        if (normalize != null) {
            options = options.withNormalize(normalize);
        }
        return maxLength == null ? options : options.withMaxLength(maxLength);
    }

    /** An input is the texts whose vectors are told together: all of the command line, or the one of a line. */
    private final class Task implements InputTask<List<Input>, List<Embedding>> {
        private final LoadedBert loaded;
        private final EmbedderOptions options;
        private final Embedder embedder;
        private int embedded;

        Task(LoadedBert loaded) throws IOException {
            this.loaded = loaded;
            options = options(loaded);
            embedder = Embedder.open(loaded.bert(), loaded.tokenizer(), batch.encoder());
        }

        @Override
        public List<List<Embedding>> run(List<List<Input>> inputs, TaskProgress progress) throws IOException {
            List<Input> all = inputs.stream().flatMap(List::stream).toList();
            List<Embedding> embeddings = embedder.embedAll(loaded.forTask(all), options, progress);
            embedded += all.size();
            List<List<Embedding>> results = new ArrayList<>();
            int next = 0;
            for (List<Input> together : inputs) {
                results.add(embeddings.subList(next, next + together.size()));
                next += together.size();
            }
            return results;
        }

        @Override
        public int batchTokens() {
            return batch.tokens;
        }

        @Override
        public void cancel() {
            embedder.cancel();
        }

        /** Texts count, not the command lines that they stand on. */
        @Override
        public String summary(int inputs, double seconds) {
            return InputTask.super.summary(embedded, seconds);
        }

        @Override
        public boolean truncated(List<Embedding> result) {
            return result.stream().anyMatch(Embedding::truncated);
        }

        @Override
        public void write(JsonGenerator json, List<Input> input, List<Embedding> result) throws IOException {
            json.writeStartObject();
            json.writeNumberField("dimensions", embedder.dimensions(options));
            json.writeArrayFieldStart("embeddings");
            for (Embedding embedding : result) {
                json.writeStartArray();
                for (float number : embedding.vector()) {
                    json.writeNumber(number);
                }
                json.writeEndArray();
            }
            json.writeEndArray();
            json.writeEndObject();
        }

        @Override
        public void print(StandardOutput out, List<Input> input, List<Embedding> result) throws IOException {
            for (int i = 0; i < result.size(); i++) {
                float[] vector = result.get(i).vector();
                StringBuilder line = new StringBuilder();
                Embedding embedding = result.get(i);
                line.append(String.format(Locale.ROOT, "%d  %d tokens%s, %d numbers:", i + 1, embedding.tokens(),
                        embedding.windows() > 1 ? " in " + embedding.windows() + " windows" : "", vector.length));
                for (int j = 0; j < Math.min(NUMBERS_SHOWN, vector.length); j++) {
                    line.append(String.format(Locale.ROOT, " %.4f", vector[j]));
                }
                out.println(line.append(vector.length > NUMBERS_SHOWN ? " ..." : "").toString());
            }
            for (int i = 1; i < result.size(); i++) {
                for (int j = 0; j < i; j++) {
                    out.println(String.format(Locale.ROOT, "cosine of %d and %d: %.4f", j + 1, i + 1,
                            cosine(result.get(j).vector(), result.get(i).vector())));
                }
            }
        }

        @Override
        public void close() {
            embedder.close();
        }
    }

    static double cosine(float[] a, float[] b) {
        double product = 0;
        double lengthA = 0;
        double lengthB = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            lengthA += (double) a[i] * a[i];
            lengthB += (double) b[i] * b[i];
        }
        return lengthA == 0 || lengthB == 0 ? 0 : product / Math.sqrt(lengthA * lengthB);
    }
}
