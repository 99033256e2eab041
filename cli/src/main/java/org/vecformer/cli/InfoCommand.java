package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.vecformer.engine.Engine;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.TensorInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What is there: a model, a file, the devices. */
@Command(name = "info", description = {"Shows a model's config, parameters and memory, and what computes it.",
    ""}, sortOptions = false, footer = {
        "", "Example: java -jar gpt2.jar info", "Example: java -jar gpt2.jar info --tensors model.safetensors --json",
        "--json writes {\"model\":\"\",\"config\":{},\"parameters\":0,\"weights\":\"bf16\",\"memory\":{\"weight_bytes\":0,\"cache_bytes\":0},",
        "\"tokens\":0,\"backend\":\"vector\",\"vector_bits\":512,\"threads\":2,\"notes\":[]}; for --devices",
        "[{\"device\":\"cpu\",\"backend\":\"vector\",\"vector_bits\":512,\"threads\":2,\"notes\":[]}]."})
final class InfoCommand implements Callable<Integer> {
    @Option(names = "--tensors", paramLabel = "F.safetensors", description = "list the tensors of any safetensors file")
    Path tensors;

    @Option(names = "--devices", description = "list what can compute")
    boolean devices;

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

    InfoCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    @Override
    public Integer call() throws IOException {
        if (tensors != null && (devices || model.model != null || compute.given())) {
            throw new UsageException(
                    "--tensors looks at a file alone; --devices, --model and what computes do not go with it");
        }
        if (devices && (model.model != null || compute.weights != null)) {
            throw new UsageException("--devices is about no model; --model and --weights do not go with it");
        }
        if (tensors != null) {
            listTensors();
        } else if (devices) {
            listDevices();
        } else {
            describeModel();
        }
        return Cli.DONE;
    }

    private void listTensors() throws IOException {
        try (Safetensors file = Safetensors.open(tensors)) {
            if (output.json) {
                JsonResult.line(streams.out(), json -> {
                    json.writeStartObject();
                    json.writeArrayFieldStart("tensors");
                    for (TensorInfo tensor : file.tensors()) {
                        JsonResult.tensor(json, tensor.name(), tensor.dtype(), tensor.shape());
                    }
                    json.writeEndArray();
                    json.writeObjectFieldStart("metadata");
                    for (var entry : file.metadata().entrySet()) {
                        json.writeStringField(entry.getKey(), entry.getValue());
                    }
                    json.writeEndObject();
                    json.writeEndObject();
                });
                return;
            }
            for (TensorInfo tensor : file.tensors()) {
                streams.out().println(Texts.printable(tensor.name()) + " " + tensor.dtype() + " "
                        + tensor.shape().stream().map(Long::toUnsignedString).toList());
            }
            for (var entry : file.metadata().entrySet()) {
                streams.out().println(
                        "metadata " + Texts.printable(entry.getKey()) + ": " + Texts.printable(entry.getValue()));
            }
        }
    }

    private void listDevices() throws IOException {
        try (Engine engine = Engine.create(compute.engine())) {
            if (output.json) {
                JsonResult.line(streams.out(), json -> {
                    json.writeStartArray();
                    json.writeStartObject();
                    json.writeStringField("device", "cpu");
                    writeEngine(json, engine);
                    json.writeEndObject();
                    json.writeEndArray();
                });
            } else {
                streams.out().println("cpu: " + engine.description());
                printNotes(engine);
            }
        }
    }

    private void printNotes(Engine engine) throws IOException {
        for (String note : engine.notes()) {
            streams.out().println("  not better because: " + note);
        }
    }

    private void describeModel() throws IOException {
        try (LoadedGpt2 loaded = new ModelRequest("info", model.model, compute, common, context).gpt2("generate")) {
            long cacheBytes;
            try (Session session = loaded.gpt2().openSession(SessionOptions.defaults())) {
                cacheBytes = session.cacheBytes();
            }
            if (!common.quiet) {
                streams.err().println(String.format(Locale.ROOT, "gpt2 info: loaded in %.2f s", loaded.loadSeconds()));
            }
            Gpt2Config config = loaded.gpt2().config();
            int tokens = loaded.tokenizer() == null ? 0 : loaded.tokenizer().vocabularySize();
            if (output.json) {
                JsonResult.line(streams.out(), json -> writeModel(json, loaded, cacheBytes, tokens));
                return;
            }
            StandardOutput out = streams.out();
            out.println("model       " + loaded.name() + (model.model == null ? " (embedded)" : ""));
            for (var field : fields(config).entrySet()) {
                out.println("  " + field.getKey() + " " + field.getValue());
            }
            out.println("parameters  " + grouped(loaded.gpt2().parameters()));
            out.println(
                    "memory      " + megabytes(loaded.gpt2().weightBytes()) + " of weights (" + loaded.weights() + "), "
                            + megabytes(cacheBytes) + " of cache for a full context");
            out.println("tokenizer   " + (tokens == 0 ? "none, ids only" : grouped(tokens) + " tokens"));
            out.println("computed by " + loaded.engine().description());
            printNotes(loaded.engine());
        }
    }

    private static void writeModel(JsonGenerator json, LoadedGpt2 loaded, long cacheBytes, int tokens)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("model", loaded.name());
        json.writeObjectFieldStart("config");
        for (var field : fields(loaded.gpt2().config()).entrySet()) {
            json.writeFieldName(field.getKey());
            switch (field.getValue()) {
                case Integer number -> json.writeNumber(number);
                case Double number -> json.writeNumber(number);
                case Boolean flag -> json.writeBoolean(flag);
                default -> json.writeString(field.getValue().toString());
            }
        }
        json.writeEndObject();
        json.writeNumberField("parameters", loaded.gpt2().parameters());
        json.writeStringField("weights", loaded.weights());
        json.writeObjectFieldStart("memory");
        json.writeNumberField("weight_bytes", loaded.gpt2().weightBytes());
        json.writeNumberField("cache_bytes", cacheBytes);
        json.writeEndObject();
        json.writeNumberField("tokens", tokens);
        writeEngine(json, loaded.engine());
        json.writeEndObject();
    }

    private static void writeEngine(JsonGenerator json, Engine engine) throws IOException {
        json.writeStringField("backend", engine.backend());
        json.writeNumberField("vector_bits", engine.vectorBits());
        json.writeNumberField("threads", engine.threads());
        JsonResult.strings(json, "notes", engine.notes());
    }

    /** The config under the names of config.json. */
    private static Map<String, Object> fields(Gpt2Config config) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("vocab_size", config.vocabularySize());
        fields.put("n_positions", config.contextLength());
        fields.put("n_embd", config.hiddenSize());
        fields.put("n_layer", config.layers());
        fields.put("n_head", config.heads());
        fields.put("n_inner", config.innerSize());
        fields.put("activation_function", config.activation().name().toLowerCase(Locale.ROOT));
        fields.put("layer_norm_epsilon", config.layerNormEpsilon());
        fields.put("scale_attn_weights", config.scaleAttentionWeights());
        fields.put("scale_attn_by_inverse_layer_idx", config.scaleAttentionByInverseLayerIndex());
        fields.put("reorder_and_upcast_attn", config.reorderAndUpcastAttention());
        fields.put("tie_word_embeddings", config.tieWordEmbeddings());
        return fields;
    }

    private static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
