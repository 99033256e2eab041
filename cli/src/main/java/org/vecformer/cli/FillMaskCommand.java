package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vecformer.engine.task.FillMask;
import org.vecformer.engine.task.FillMaskOptions;
import org.vecformer.engine.task.MaskFill;
import org.vecformer.engine.task.TaskProgress;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Candidates for masked tokens. */
@Command(name = "fill-mask", description = {"Tells what may stand at each [MASK] of a text.",
    ""}, sortOptions = false, footer = {
        "",
        "Example: java -jar gpt2.jar fill-mask \"Paris is the [MASK] of France.\" --model bert-base-uncased",
        "Example: java -jar gpt2.jar fill-mask \"Bob is a good man.\" --mask-at 4 --top-k 10 --model "
                + "bert-base-uncased",
        "--json writes [{\"position\":4,\"candidates\":[{\"id\":0,\"token\":\"\",\"probability\":0.0,\"text\":\"\"}]}], an "
                + "element for each mask. A position counts tokens from 0, [CLS] included. text is the whole text "
                + "with that token in it; with several masks it shows the other masks and all special tokens. "
                + "Without tokenizer files token and text are null, and --mask-at is needed.",
        "With --jsonl a line is {\"text\":\"...\",\"pair\":\"...\"} or "
                + "{\"ids\":[],\"token_type_ids\":[],\"attention_mask\":[]}."})
final class FillMaskCommand implements Callable<Integer> {
    @Mixin
    PairOptions text = new PairOptions();

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "5", description = "how many candidates for each mask (default: ${DEFAULT-VALUE})")
    int topK;

    @Option(names = "--targets", paramLabel = "WORDS", split = ",", description = "only these tokens are candidates, such as he,she")
    List<String> targets = List.of();

    @Option(names = "--mask-at", paramLabel = "POSITIONS", description = "put masks at these token positions, such as 4,8,10, instead of looking for [MASK]")
    String maskAt;

    @Mixin
    BatchOptions batch = new BatchOptions();

    @Mixin
    RunOptions run = new RunOptions();

    private final Context context;
    private final Streams streams;

    FillMaskCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    @Override
    public Integer call() throws IOException {
        run.check();
        batch.check();
        text.check(run.output.jsonl);
        Values.atLeast(1, "--top-k", topK);
        List<Integer> positions = maskAt == null
                ? List.of()
                : Arrays.stream(Texts.numbers(maskAt, "a token position", "4,8,10")).boxed().toList();
        if (maskAt != null && positions.isEmpty()) {
            throw new UsageException("--mask-at names no position; expected numbers such as 4,8,10");
        }
        FillMaskOptions options = new FillMaskOptions(topK, targets, positions);
        Input input = text.read(streams.in());
        return run.run("fill-mask", context, input, LineShape.ENCODER, loaded -> new Task(loaded, options));
    }

    private final class Task implements InputTask<Input, List<MaskFill>> {
        private final LoadedBert loaded;
        private final FillMaskOptions options;
        private final FillMask fillMask;

        Task(LoadedBert loaded, FillMaskOptions options) throws CommandException {
            this.loaded = loaded;
            this.options = options;
            if (loaded.tokenizer() == null && (options.positions().isEmpty() || !options.targets().isEmpty())) {
                throw new CommandException("the model " + loaded.name() + " has no tokenizer files, so that "
                        + (options.targets().isEmpty()
                                ? "its [MASK] is not known: say where the masks are (--mask-at)"
                                : "it has no words: --targets cannot be looked up"));
            }
            fillMask = FillMask.open(loaded.bert(), loaded.tokenizer(), batch.encoder());
            try {
                warnOfTargets();
            } catch (Throwable e) {
                fillMask.close();
                throw e;
            }
        }

        private void warnOfTargets() {
            if (options.targets().isEmpty() || run.common.quiet) {
                return;
            }
            for (FillMask.Target target : fillMask.targets(options.targets())) {
                if (!target.exact()) {
                    streams.err().println("gpt2 fill-mask: the target '" + target.text()
                            + "' is not one token; its first, '" + target.token() + "', stands for it");
                }
            }
        }

        @Override
        public List<List<MaskFill>> run(List<Input> inputs, TaskProgress progress) throws IOException {
            return fillMask.fillAll(loaded.forTask(inputs), options, progress);
        }

        @Override
        public int batchTokens() {
            return batch.tokens;
        }

        @Override
        public void cancel() {
            fillMask.cancel();
        }

        @Override
        public void write(JsonGenerator json, Input input, List<MaskFill> masks) throws IOException {
            boolean words = loaded.tokenizer() != null;
            json.writeStartArray();
            for (MaskFill mask : masks) {
                json.writeStartObject();
                json.writeNumberField("position", mask.position());
                json.writeArrayFieldStart("candidates");
                for (MaskFill.Candidate candidate : mask.candidates()) {
                    json.writeStartObject();
                    json.writeNumberField("id", candidate.id());
                    json.writeStringField("token", words ? candidate.token() : null);
                    json.writeNumberField("probability", candidate.probability());
                    json.writeStringField("text", words ? candidate.text() : null);
                    json.writeEndObject();
                }
                json.writeEndArray();
                json.writeEndObject();
            }
            json.writeEndArray();
        }

        @Override
        public void print(StandardOutput out, Input input, List<MaskFill> masks) throws IOException {
            for (MaskFill mask : masks) {
                out.println("position " + mask.position());
                for (MaskFill.Candidate candidate : mask.candidates()) {
                    out.println(String.format(Locale.ROOT, "  %.4f  %6d  %-16s  %s", candidate.probability(),
                            candidate.id(), candidate.token(), candidate.text()).stripTrailing());
                }
            }
        }

        @Override
        public void close() {
            fillMask.close();
        }
    }
}
