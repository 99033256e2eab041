package org.vecformer.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.model.Trace;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** One run of the model, its numbers into a file. */
@Command(name = "forward", description = {"Runs the model once on one text and writes its numbers to a file.",
    ""}, sortOptions = false, footer = {"",
        "The file holds logits [positions, vocabulary] and last_hidden_state [positions, width], float32.",
        "Example: java -jar gpt2.jar forward --ids 440,383 --output numbers.safetensors --all-hidden",
        "--json writes {\"output\":\"\",\"ids\":[],\"tensors\":[{\"name\":\"\",\"dtype\":\"F32\",\"shape\":[]}]}."})
final class ForwardCommand implements Callable<Integer> {
    @Parameters(paramLabel = "TEXT", arity = "0..1", description = "the text; - for standard input, @file for a file")
    String text;

    @Option(names = "--ids", paramLabel = "IDS", description = "token ids instead of a text, such as 464,2068,7586")
    String ids;

    @Option(names = "--output", paramLabel = "F.safetensors", required = true, description = "the file to write")
    Path file;

    @Option(names = "--all-hidden", description = "also write hidden_0 (the embeddings) to hidden_L (behind the last norm)")
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
        if ((text == null) == (ids == null)) {
            throw new UsageException(text == null ? "TEXT or --ids is missing" : "give TEXT or --ids, not both");
        }
        Input input = text != null
                ? new Input.Text(Texts.resolve(text, streams.in()), null)
                : new Input.Ids(Texts.ids(Texts.resolve(ids, streams.in())), null, null);
        try (LoadedGpt2 loaded = new ModelRequest("forward", model.model, compute, common, context).gpt2("generate")) {
            int[] tokens = loaded.ids(input);
            Gpt2Config config = loaded.gpt2().config();
            if (tokens.length == 0 || tokens.length > config.contextLength()) {
                throw new CommandException(
                        "the input has " + tokens.length + " tokens; expected 1 to " + config.contextLength()
                                + ", the model's context length");
            }
            List<Declaration> tensors = declare(config, tokens.length);
            run(loaded, tokens, tensors);
            report(loaded, tokens, tensors);
        }
        return Cli.DONE;
    }

    private List<Declaration> declare(Gpt2Config config, int positions) {
        List<Declaration> tensors = new ArrayList<>();
        tensors.add(Declaration.f32("logits", positions, config.vocabularySize()));
        tensors.add(Declaration.f32("last_hidden_state", positions, config.hiddenSize()));
        for (int i = 0; allHidden && i <= config.layers(); i++) {
            tensors.add(Declaration.f32("hidden_" + i, positions, config.hiddenSize()));
        }
        return tensors;
    }

    private void run(LoadedGpt2 loaded, int[] tokens, List<Declaration> tensors) throws IOException {
        Gpt2Config config = loaded.gpt2().config();
        HiddenStates states = new HiddenStates(config.layers(), tokens.length, allHidden);
        try (Session session = loaded.gpt2().openSession(SessionOptions.defaults());
                Sequence sequence = session.newSequence();
                SafetensorsWriter writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            session.trace(states);
            Batch batch = session.batch();
            float[] row = new float[config.vocabularySize()];
            for (int from = 0; from < tokens.length;) {
                batch.clear();
                int to = Math.min(tokens.length, from + batch.room());
                batch.add(sequence, tokens, from, to, Logits.ALL);
                states.first = from;
                session.step(batch);
                for (int i = 0; i < session.logitsRows(); i++) {
                    session.logits(i, row);
                    writer.append(row);
                }
                from = to;
            }
            append(writer, states.layers[config.layers()]);
            for (int i = 0; allHidden && i <= config.layers(); i++) {
                append(writer, states.layers[i]);
            }
            writer.finish();
        }
    }

    private static void append(SafetensorsWriter writer, float[][] rows) throws IOException {
        for (float[] row : rows) {
            writer.append(row);
        }
    }

    /** Keeps the hidden states of all steps: of each layer, or of the last one. */
    private static final class HiddenStates implements Trace {
        private final float[][][] layers;
        private int first;

        HiddenStates(int last, int positions, boolean all) {
            layers = new float[last + 1][][];
            for (int i = all ? 0 : last; i <= last; i++) {
                layers[i] = new float[positions][];
            }
        }

        @Override
        public void hidden(int layer, int row, float[] state) {
            if (layers[layer] != null) {
                layers[layer][first + row] = state;
            }
        }
    }

    private void report(LoadedGpt2 loaded, int[] tokens, List<Declaration> tensors) throws IOException {
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
