package org.vecformer.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.vecformer.loader.SafetensorsWriter.Declaration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One run of the model, its numbers into a file. */
@Command(name = "forward", description = {"Runs the model once on one input and writes its numbers to a file.",
    ""}, sortOptions = false, footer = {
        "",
        "The file holds, float32, what the model has of: logits ([positions, vocabulary]; [positions, "
                + "labels] of a token classifier; [positions, 2], start and end, of question answering; [labels] of "
                + "a classifier; [2] of a next-sentence model; [1] of multiple choice), seq_relationship_logits [2] "
                + "(a next-sentence head beside a masked-LM one), mc_logits [1] (the multiple choice head of a GPT with "
                + "double heads, read at the last token), last_hidden_state [positions, width], "
                + "pooler_output [width], and with --all-hidden hidden_0 to hidden_L. Positions that are not "
                + "attended to have zeros.",
        "Example: java -jar gpt2.jar forward --ids 440,383 --output numbers.safetensors --all-hidden",
        "Example: java -jar gpt2.jar forward \"Bob is a man.\" --pair \"He has kids.\" --model "
                + "bert-base-uncased --output n.safetensors",
        "Example: java -jar gpt2.jar forward --ids 500,72,18 --type-ids 504,504,504 --model persona-chat "
                + "--output n.safetensors (a GPT's types are tokens, whose embeddings are added)",
        "--json writes {\"output\":\"\",\"ids\":[],\"tensors\":[{\"name\":\"\",\"dtype\":\"F32\",\"shape\":[]}]}."})
final class ForwardCommand implements Callable<Integer> {
    @Mixin
    PairOptions text = new PairOptions();

    @Option(names = "--output", paramLabel = "F.safetensors", required = true, description = "the file to write")
    Path file;

    @Option(names = "--all-hidden", description = "also write hidden_0 (the embeddings) to hidden_L (behind the last block)")
    boolean allHidden;

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

    ForwardCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    @Override
    public Integer call() throws IOException {
        text.check(false);
        Input input = text.read(streams.in());
        try (LoadedModel loaded = new ModelRequest("forward", model.model, compute, common, context, true).any()) {
            switch (loaded) {
                case LoadedGpt gpt -> {
                    if (text.forBert()) {
                        throw new UsageException("the model " + loaded.name() + " is a GPT; --pair and"
                                + " --attention-mask are for a BERT");
                    }
                    int[] ids = gpt.ids(input);
                    int[] types = input instanceof Input.Ids given ? given.typeIds() : null;
                    report(loaded, ids, new GptForward(gpt, ids, types, allHidden).write(file));
                }
                case LoadedBert bert -> {
                    var encoded = bert.encoded(input);
                    report(loaded, encoded.ids(), new BertForward(bert.bert(), encoded, allHidden).write(file));
                }
            }
        }
        return Cli.DONE;
    }

    private void report(LoadedModel loaded, int[] tokens, List<Declaration> tensors) throws IOException {
        if (output.json) {
            JsonResult.line(streams.out(), json -> {
                json.writeStartObject();
                json.writeStringField("output", file.toString());
                JsonResult.ints(json, "ids", tokens);
                json.writeArrayFieldStart("tensors");
                for (Declaration tensor : tensors) {
                    JsonResult.tensor(json, tensor.name(), tensor.dtype(), tensor.shape());
                }
                json.writeEndArray();
                json.writeEndObject();
            });
        }
        if (!common.quiet) {
            streams.err()
                    .println("gpt2 forward: " + loaded.name() + ", " + tokens.length + " tokens; "
                            + loaded.engine().description() + ", "
                            + loaded.weights() + " weights");
            for (Declaration tensor : tensors) {
                streams.err().println("gpt2 forward: " + tensor.name() + " " + tensor.dtype() + " " + tensor.shape());
            }
        }
    }
}
