package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.UnsupportedBackendException;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.TensorInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What is there: a model, a file, the devices. */
@Command(name = "info", description = {"Shows a model's config, parameters and memory, and what computes it.",
    ""}, sortOptions = false, footer = {
        "", "Example: java -jar gpt2.jar info", "Example: java -jar gpt2.jar info --tensors model.safetensors --json",
        "--json writes {\"model\":\"\",\"config\":{},\"heads\":[\"language_model\"],\"parameters\":0,\"weights\":\"bf16\",\"memory\":{\"weight_bytes\":0,\"cache_bytes\":0},",
        "\"tokens\":0,\"backend\":\"vector\",\"vector_bits\":512,\"threads\":2,\"notes\":[]}, of a BERT also \"labels\":[];",
        "for --devices",
        "[{\"device\":\"cpu\",\"backend\":\"vector\",\"vector_bits\":512,\"threads\":2,\"notes\":[]},",
        "{\"device\":\"opencl:0\",\"name\":\"\",\"type\":\"cpu|gpu|accelerator|other\",\"vendor\":\"\",\"platform\":\"\",\"driver\":\"\",",
        "\"version\":\"OpenCL 3.0 ...\",\"compute_units\":0,\"max_work_group_size\":0,\"memory_bytes\":0,",
        "\"max_allocation_bytes\":0,\"local_memory_bytes\":0,\"half_precision\":false}]. Without OpenCL there is the cpu alone,",
        "and standard error says what is missing."})
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
        if (devices && (model.model != null || compute.weights != null || compute.device != null)) {
            throw new UsageException(
                    "--devices lists all of them, for any model; --device, --model and --weights do not go with it");
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
        List<ComputeDevice> found = openClDevices();
        try (Engine engine = Engine.create(compute.engine())) {
            if (output.json) {
                JsonResult.line(streams.out(), json -> {
                    json.writeStartArray();
                    json.writeStartObject();
                    json.writeStringField("device", "cpu");
                    writeEngine(json, engine);
                    json.writeEndObject();
                    for (ComputeDevice device : found) {
                        DeviceTable.write(json, device);
                    }
                    json.writeEndArray();
                });
            } else {
                for (String line : DeviceTable.lines(engine, found)) {
                    streams.out().println(line);
                }
                printNotes(engine);
            }
        }
    }

    /** Empty where there is no OpenCL: that is no failure of a list. */
    private List<ComputeDevice> openClDevices() {
        try {
            return ComputeDevice.list();
        } catch (UnsupportedBackendException e) {
            if (!common.quiet) {
                streams.err().println("gpt2 info: no OpenCL devices: " + e.getMessage());
            }
            return List.of();
        }
    }

    private void printNotes(Engine engine) throws IOException {
        for (String note : engine.notes()) {
            streams.out().println("  not better because: " + note);
        }
    }

    private void describeModel() throws IOException {
        try (LoadedModel loaded = new ModelRequest("info", model.model, compute, common, context, false).any()) {
            ModelFacts facts = ModelFacts.of(loaded);
            if (!common.quiet) {
                streams.err().println(String.format(Locale.ROOT, "gpt2 info: loaded in %.2f s", loaded.loadSeconds()));
            }
            int tokens = loaded.tokenizer() == null ? 0 : loaded.tokenizer().vocabularySize();
            if (output.json) {
                JsonResult.line(streams.out(), json -> writeModel(json, loaded, facts, tokens));
                return;
            }
            StandardOutput out = streams.out();
            out.println("model       " + loaded.name() + (model.model == null ? " (embedded)" : ""));
            for (var field : facts.config().entrySet()) {
                out.println("  " + field.getKey() + " " + field.getValue());
            }
            if (!facts.heads().isEmpty()) {
                out.println("heads       " + String.join(", ", facts.heads()));
            }
            if (!facts.labels().isEmpty()) {
                out.println("labels      " + Texts.printable(String.join(", ", facts.labels())));
            }
            out.println("parameters  " + grouped(loaded.parameters()));
            out.println("memory      " + megabytes(loaded.weightBytes()) + " of weights (" + loaded.weights() + ")"
                    + (facts.cacheBytes() == 0
                            ? ""
                            : ", " + megabytes(facts.cacheBytes()) + " of cache for a full context"));
            out.println("tokenizer   " + (tokens == 0 ? "none, ids only" : grouped(tokens) + " tokens"));
            out.println("computed by " + loaded.engine().description());
            printNotes(loaded.engine());
        }
    }

    private static void writeModel(JsonGenerator json, LoadedModel loaded, ModelFacts facts, int tokens)
            throws IOException {
        json.writeStartObject();
        json.writeStringField("model", loaded.name());
        json.writeObjectFieldStart("config");
        for (var field : facts.config().entrySet()) {
            json.writeFieldName(field.getKey());
            switch (field.getValue()) {
                case Integer number -> json.writeNumber(number);
                case Double number -> json.writeNumber(number);
                case Boolean flag -> json.writeBoolean(flag);
                default -> json.writeString(field.getValue().toString());
            }
        }
        json.writeEndObject();
        JsonResult.strings(json, "heads", facts.heads());
        if (loaded instanceof LoadedBert) {
            JsonResult.strings(json, "labels", facts.labels());
        }
        json.writeNumberField("parameters", loaded.parameters());
        json.writeStringField("weights", loaded.weights());
        json.writeObjectFieldStart("memory");
        json.writeNumberField("weight_bytes", loaded.weightBytes());
        json.writeNumberField("cache_bytes", facts.cacheBytes());
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

    private static String grouped(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
