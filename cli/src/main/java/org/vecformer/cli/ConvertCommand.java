package org.vecformer.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.vecformer.loader.DType;
import org.vecformer.loader.Quantization;
import org.vecformer.loader.convert.CheckpointConverter;
import org.vecformer.loader.convert.ConversionOptions;
import org.vecformer.loader.convert.ConversionProgress;
import org.vecformer.loader.convert.ConversionResult;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Other checkpoints, and other types, to a model directory. */
@Command(name = "convert", description = {"Makes a model directory of a TensorFlow, PyTorch or ONNX checkpoint,"
        + " or of safetensors in another type.",
    ""}, sortOptions = false, footer = {"",
        "SRC is a checkpoint's directory, one of its files, what their names begin with (bert_model.ckpt), or a zip or",
        "jar file that holds one. Google's BERT (TensorFlow, also as a SavedModel), OpenAI's GPT-2 (TensorFlow),",
        "pytorch_model.bin (no code in it is run), a BERT that PyTorch exported to ONNX, and safetensors are read.",
        "DST appears when all is written.",
        "--dtype f16 keeps a tensor with numbers beyond 65504 as float32, and says so.",
        "--dtype int8 and int4 quantize the matrices that the model multiplies with, all else stays as it is. Such a file",
        "runs with the same numbers as its source with --weights int8 or int4; other programs do not read it. A matrix is",
        "a tensor NAME of integers q, I8 from -127 to 127 or U8 with two of -8 to 7, each 8 too large, in the halves of a",
        "byte (the even input low), and a tensor NAME.scales, BF16, of a scale s for 32 inputs of an output: the number",
        "is s * q. Both have the order of dimensions of the source; that of inputs is divided by 2 (int4) and by 32",
        "(scales). The metadata say vecformer.quantization: int8 or int4, and vecformer.block: 32.",
        "Example: java -jar gpt2.jar convert uncased_L-12_H-768_A-12.zip bert-base-uncased",
        "--json writes {\"directory\":\"\",\"format\":\"\",\"architecture\":\"\",\"tensors\":0,\"elements\":0,"
                + "\"bytes\":0,\"files\":[],",
        "\"notes\":[],\"warnings\":[]}."})
final class ConvertCommand implements Callable<Integer> {
    @Parameters(paramLabel = "SRC", index = "0", description = "the checkpoint")
    Path source;

    @Parameters(paramLabel = "DST", index = "1", description = "the new directory; it must not exist, or be empty")
    Path directory;

    @Option(names = "--dtype", paramLabel = "TYPE", description = "f32, f16 or bf16 for all weights, rounded to the nearest, or int8 or int4 to quantize matrices; without it each stays as it is")
    String dtype;

    @Option(names = "--config", paramLabel = "FILE", description = "the model's config (bert_config.json, hparams.json, config.json), if none lies beside the checkpoint or another one is meant")
    Path config;

    @Mixin
    JsonOption output = new JsonOption();

    @Mixin
    CommonOptions common = new CommonOptions();

    private final Context context;
    private final Streams streams;

    ConvertCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    @Override
    public Integer call() throws IOException {
        ConversionOptions options = options();
        boolean bar = streams.terminal() && !common.quiet;
        ConversionResult result;
        try (ProgressBar progress = new ProgressBar(streams.err(), "converting")) {
            CheckpointConverter converter = new CheckpointConverter(source, directory, options,
                    bar ? progress::show : ConversionProgress.NONE);
            try (Interruption.Scope _ = context.interruption().during(converter::cancel)) {
                result = converter.convert();
            }
        } catch (CancellationException e) {
            // Nothing is left of it; the interruption gives the exit status.
            return Cli.INTERRUPTED;
        }
        report(result);
        return Cli.DONE;
    }

    private ConversionOptions options() {
        ConversionOptions options = ConversionOptions.defaults();
        if (dtype != null) {
            options = switch (dtype.toLowerCase(Locale.ROOT)) {
                case "f32" -> options.withDtype(DType.F32);
                case "f16" -> options.withDtype(DType.F16);
                case "bf16" -> options.withDtype(DType.BF16);
                case "int8" -> options.withQuantization(Quantization.INT8);
                case "int4" -> options.withQuantization(Quantization.INT4);
                default ->
                    throw new UsageException("--dtype is '" + dtype + "'; expected f32, f16, bf16, int8 or int4");
            };
        }
        return config == null ? options : options.withConfig(config);
    }

    private void report(ConversionResult result) throws IOException {
        if (output.json) {
            JsonResult.line(streams.out(), json -> {
                json.writeStartObject();
                json.writeStringField("directory", result.directory().toString());
                json.writeStringField("format", result.format());
                json.writeStringField("architecture", result.architecture());
                json.writeNumberField("tensors", result.tensors());
                json.writeNumberField("elements", result.elements());
                json.writeNumberField("bytes", result.bytes());
                JsonResult.strings(json, "files", result.files());
                JsonResult.strings(json, "notes", result.notes());
                JsonResult.strings(json, "warnings", result.warnings());
                json.writeEndObject();
            });
        }
        if (common.quiet) {
            return;
        }
        for (String note : result.notes()) {
            streams.err().println("gpt2 convert: " + note);
        }
        for (String warning : result.warnings()) {
            streams.err().println("gpt2 convert: warning: " + warning);
        }
        streams.err().println("gpt2 convert: " + result.directory() + " holds "
                + (result.architecture().isEmpty() ? "a model" : result.architecture()) + ": " + result.tensors()
                + " tensors, " + String.format(Locale.ROOT, "%,d", result.elements()) + " numbers in "
                + (result.bytes() >> 20) + " MiB, from "
                + source(result.format()));
    }

    private static String source(String format) {
        return switch (format) {
            case "safetensors" -> format;
            case "ONNX file" -> "an " + format;
            default -> "a " + format;
        };
    }
}
