package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.task.TextGenerator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Continues a text, streaming it as it comes. */
@Command(name = "generate", description = {"Continues a text.", ""}, sortOptions = false, footer = {"",
    "Example: java -jar gpt2.jar generate \"Once upon a time\" --max-new-tokens 100 --seed 7",
    "Without a prompt the model begins with its begin token. With --echo, text and ids of a JSON result hold the prompt too.",
    "With --jsonl a line is {\"text\":\"...\"} or {\"ids\":[...]}; every line starts from the same seed.",
    "A model without tokenizer files takes --ids and writes ids."})
final class GenerateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "PROMPT", arity = "0..1", description = "the text; - for standard input, @file for a file")
    String prompt;

    @Option(names = "--ids", paramLabel = "IDS", description = "token ids instead of a prompt, such as 464,2068,7586")
    String ids;

    @Option(names = "--echo", description = "write the prompt, too")
    boolean echo;

    @Mixin
    SamplingOptions sampling = new SamplingOptions();

    @Mixin
    ModelOption model = new ModelOption();

    @Mixin
    ComputeOptions compute = new ComputeOptions();

    @Mixin
    OutputOptions output = new OutputOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    private final Context context;
    private final Streams streams;
    private final Interruption interruption;

    GenerateCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
        this.interruption = context.interruption();
    }

    @Override
    public Integer call() throws IOException {
        output.check();
        sampling.check();
        if (prompt != null && ids != null) {
            throw new UsageException("give PROMPT or --ids, not both");
        }
        if (output.jsonl && (prompt != null || ids != null)) {
            throw new UsageException(
                    "--jsonl reads its prompts from standard input; PROMPT and --ids do not go with it");
        }
        Input one = output.jsonl ? null : input();
        ModelRequest request = new ModelRequest("generate", model.model, compute, common, context, true);
        try (LoadedGpt2 loaded = request.gpt2();
                TextGenerator generator = TextGenerator.open(loaded.gpt2(), loaded.tokenizer())) {
            PrintStream log = common.quiet ? null : streams.err();
            List<String> notFollowed = SamplingOptions.notFollowed(loaded.generation());
            if (log != null && !notFollowed.isEmpty()) {
                log.println(
                        "gpt2 generate: the model's generation_config.json recommends " + String.join(", ", notFollowed)
                                + ", which this build does not have");
            }
            GenerationOptions options = sampling.resolve(loaded);
            if (output.jsonl) {
                manyInputs(loaded, generator, options);
            } else if (output.json) {
                writeJson(loaded, generator, options, one);
            } else {
                stream(loaded, generator, options, one);
            }
            if (log != null && options.strategy().drawsTokens() && sampling.draw.seed == null) {
                log.println("gpt2 generate: --seed " + options.strategy().seed().getAsLong() + " gives the same again");
            }
        }
        return Cli.DONE;
    }

    private Input input() throws IOException {
        if (ids != null) {
            return new Input.Ids(Texts.ids(Texts.resolve(ids, streams.in())), null, null);
        }
        return new Input.Text(prompt == null ? "" : Texts.resolve(prompt, streams.in()), null);
    }

    private void manyInputs(LoadedGpt2 loaded, TextGenerator generator, GenerationOptions options) throws IOException {
        JsonLines<Input> lines = new JsonLines<>(streams.in(), LineShape.PROMPT);
        while (!interruption.requested()) {
            Input input = lines.next();
            if (input == null) {
                return;
            }
            try {
                writeJson(loaded, generator, options, input);
            } catch (IllegalArgumentException | CommandException e) {
                throw JsonLines.bad(lines.line(), e);
            }
        }
    }

    private GenerationResult generate(LoadedGpt2 loaded, TextGenerator generator, GenerationOptions options,
            Input input,
            TokenListener listener) throws IOException {
        int[] prompt = promptIds(loaded, input);
        TokenListener cancelling = token -> {
            listener.token(token);
            if (interruption.requested()) {
                generator.cancel();
            }
        };
        try {
            return generator.generate(prompt, options, cancelling);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    /** An empty text begins with the model's begin token, which takes no tokenizer. */
    private static int[] promptIds(LoadedGpt2 loaded, Input input) throws CommandException {
        if (!(input instanceof Input.Text text && text.text().isEmpty())) {
            return loaded.ids(input);
        }
        return new int[]{loaded.gpt2().config().bosTokenId().orElseThrow(() -> new CommandException(
                "the prompt is empty, and the model's config.json names no bos_token_id to begin with"))};
    }

    private void stream(LoadedGpt2 loaded, TextGenerator generator, GenerationOptions options, Input input)
            throws IOException {
        StandardOutput out = streams.out();
        int[] shown = new int[1];
        boolean textual = loaded.tokenizer() != null;
        TokenListener listener = token -> {
            String text = token.text();
            int id = token.id();
            try {
                if (textual) {
                    out.print(text);
                    shown[0] += text.length();
                } else {
                    out.print((shown[0]++ == 0 && !echo ? "" : " ") + id);
                }
                out.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
        try (Interruption.Scope _ = interruption.during(generator::cancel)) {
            if (echo) {
                out.print(textual ? echoed(loaded, input) : spaced(promptIds(loaded, input)));
                out.flush();
            }
            GenerationResult result = generate(loaded, generator, options, input, listener);
            if (textual) {
                // A last character that the model left unfinished.
                out.print(result.text().substring(Math.min(shown[0], result.text().length())));
            }
            out.println("");
            out.flush();
            if (!common.quiet) {
                streams.err().println("gpt2 generate: " + GenerationJson.summary(result, result.ids().length) + "; "
                        + loaded.summary() + (sampling.noCache ? ", no cache" : ""));
            }
        }
    }

    private static String echoed(LoadedGpt2 loaded, Input input) throws CommandException {
        return input instanceof Input.Text text ? text.text() : loaded.tokenizer().decode(loaded.ids(input));
    }

    private static String spaced(int[] ids) {
        return Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining(" "));
    }

    private void writeJson(LoadedGpt2 loaded, TextGenerator generator, GenerationOptions options, Input input)
            throws IOException {
        try (Interruption.Scope _ = interruption.during(generator::cancel)) {
            GenerationResult result = generate(loaded, generator, options, input, TokenListener.NONE);
            JsonResult.line(streams.out(), json -> write(json, loaded, input, result));
        }
    }

    private void write(JsonGenerator json, LoadedGpt2 loaded, Input input, GenerationResult result)
            throws IOException {
        String text = loaded.tokenizer() == null ? null : (echo ? echoed(loaded, input) : "") + result.text();
        int[] ids = echo
                ? IntStream.concat(IntStream.of(result.promptIds()), IntStream.of(result.ids())).toArray()
                : result.ids();
        GenerationJson.write(json, result, text, ids, loaded.loadSeconds());
    }
}
