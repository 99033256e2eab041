package org.vecformer.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.vecformer.engine.generation.GeneratedSequence;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.task.TextGenerator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Continues a text, streaming it as it comes. */
@Command(name = "generate", description = {"Continues a text.",
    ""}, sortOptions = false, abbreviateSynopsis = true, footer = {"",
        "Example: java -jar gpt2.jar generate \"Once upon a time\" --max-new-tokens 100 --seed 7",
        "Example: java -jar gpt2.jar generate \"Once upon a time\" --num-beams 4 --num-return-sequences 2 --json",
        "Example: java -jar gpt2.jar generate \"The answer is\" --choices \" yes, no\" --logprobs 3",
        "An option about drawing tokens makes a model draw them; without any it does as its authors recommend.",
        "One text is written as it comes. Several are written when all are there, each behind a line such as "
                + "== 1 of 3 (eos, score -1.2345).",
        "--json writes {\"prompt_ids\":[],\"sequences\":[{\"text\":\"\",\"ids\":[],\"finish_reason\":\"\"}],"
                + "\"timing\":{}}; finish_reason is length, eos, stop, time or cancelled. Beams have a \"score\"; with "
                + "--logprobs N there is \"logprobs\":[{\"id\":0,\"logprob\":0.0,\"top\":[{\"id\":0,\"token\":\"\","
                + "\"logprob\":0.0}]}]. With --echo, text and ids hold the prompt too.",
        "With --jsonl a line is {\"text\":\"...\"} or {\"ids\":[...]}; every line starts from the same seed.",
        "Without a prompt the model begins with its begin token. A model without tokenizer files takes --ids and "
                + "writes ids."})
final class GenerateCommand implements Callable<Integer> {
    @Parameters(paramLabel = "PROMPT", arity = "0..1", description = "the text; - for standard input, @file for a file")
    String prompt;

    @Option(names = "--ids", paramLabel = "IDS", description = "token ids instead of a prompt, such as 464,2068,7586")
    String ids;

    @Mixin
    GenerateOptions generation = new GenerateOptions();

    @Mixin
    ShowOptions show = new ShowOptions();

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
        generation.check();
        checkInput();
        show.check(output);
        Input one = output.jsonl ? null : input();
        generation.read(streams.in());
        ModelRequest request = new ModelRequest("generate", model.model, compute, common, context, true);
        try (LoadedGpt loaded = request.gpt();
                Gpt draft = generation.speed.open(request, loaded);
                TextGenerator generator = TextGenerator.open(loaded.gpt(), loaded.tokenizer(),
                        generation.speed.session())) {
            PrintStream log = common.quiet ? null : streams.err();
            List<String> notFollowed = GenerateOptions.notFollowed(loaded.generation());
            if (log != null && !notFollowed.isEmpty()) {
                log.println(
                        "gpt2 generate: the model's generation_config.json recommends " + String.join(", ", notFollowed)
                                + ", which this build does not have");
            }
            GenerationOptions options = show.apply(generation.resolve(loaded, draft));
            if (output.jsonl) {
                manyInputs(loaded, generator, options);
            } else if (output.json) {
                writeJson(loaded, generator, options, one);
            } else {
                writeText(loaded, generator, options, one);
            }
            if (log != null && options.strategy().drawsTokens() && generation.draw.seed == null) {
                log.println("gpt2 generate: --seed " + options.strategy().seed().getAsLong() + " gives the same again");
            }
        }
        return Cli.DONE;
    }

    private void checkInput() {
        if (prompt != null && ids != null) {
            throw new UsageException("give PROMPT or --ids, not both");
        }
        if (output.jsonl && (prompt != null || ids != null)) {
            throw new UsageException(
                    "--jsonl reads its prompts from standard input; PROMPT and --ids do not go with it");
        }
        long readers = Stream.of(output.jsonl ? "-" : "", prompt, ids, generation.guidance.negativePrompt,
                generation.constraint.jsonSchema).filter("-"::equals).count();
        if (readers > 1) {
            throw new UsageException("standard input can be one thing alone: the prompt or the lines of --jsonl,"
                    + " --negative-prompt, or --json-schema");
        }
    }

    private Input input() throws IOException {
        if (ids != null) {
            return new Input.Ids(Texts.ids(Texts.resolve(ids, streams.in())), null, null);
        }
        return new Input.Text(prompt == null ? "" : Texts.resolve(prompt, streams.in()), null);
    }

    private void manyInputs(LoadedGpt loaded, TextGenerator generator, GenerationOptions options) throws IOException {
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

    private GenerationResult generate(LoadedGpt loaded, TextGenerator generator, GenerationOptions options,
            Input input, TokenListener listener) throws IOException {
        int[] prompt = loaded.idsOrBegin(input);
        try {
            return generator.generate(prompt, options, new TokenListener() {
                @Override
                public void token(GeneratedToken token) {
                    listener.token(token);
                    if (interruption.requested()) {
                        generator.cancel();
                    }
                }

                @Override
                public void finished(TextEnd end) {
                    listener.finished(end);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private void writeText(LoadedGpt loaded, TextGenerator generator, GenerationOptions options, Input input)
            throws IOException {
        ProbabilityColours probabilities = show.probabilities
                ? ProbabilityColours.of(streams.screen().terminal(), System.getenv())
                : null;
        if (probabilities != null && !common.quiet) {
            streams.err().println("gpt2 generate: " + probabilities.legend());
        }
        String before = show.echo ? echo(loaded, input) : "";
        TextOutput text = new TextOutput(streams.out(), options.returnSequences(), loaded.tokenizer() == null,
                probabilities, before);
        try (Interruption.Scope _ = interruption.during(generator::cancel)) {
            text.begin();
            GenerationResult result = generate(loaded, generator, options, input, text);
            text.end(result);
            if (show.table()) {
                writeTables(result, loaded);
            }
            streams.out().flush();
            writePage(loaded, input, result);
            if (!common.quiet) {
                int tokens = result.sequences().stream().mapToInt(sequence -> sequence.ids().length).sum();
                streams.err().println("gpt2 generate: " + GenerationJson.summary(result, tokens) + "; "
                        + loaded.summary() + generation.speed.summary());
            }
        }
    }

    private void writeTables(GenerationResult result, LoadedGpt loaded) throws IOException {
        List<GeneratedSequence> sequences = result.sequences();
        for (int i = 0; i < sequences.size(); i++) {
            streams.out().println(sequences.size() == 1
                    ? ""
                    : TextOutput.heading(sequences.get(i), i + 1, sequences.size()));
            TokenTable.print(streams.out(), sequences.get(i).logprobs(), loaded.tokenizer());
        }
    }

    private void writePage(LoadedGpt loaded, Input input, GenerationResult result) throws IOException {
        if (show.html != null) {
            OutputFile.write(show.html,
                    ProbabilityPage.of(loaded.name(), promptText(loaded, input), result, loaded.tokenizer()));
        }
    }

    /** The prompt as a text; its ids if there is no tokenizer. */
    private static String promptText(LoadedGpt loaded, Input input) throws CommandException {
        if (loaded.tokenizer() == null) {
            return Arrays.stream(loaded.idsOrBegin(input)).mapToObj(Integer::toString).collect(Collectors.joining(" "));
        }
        return input instanceof Input.Text text ? text.text() : loaded.tokenizer().decode(loaded.ids(input));
    }

    /** The prompt before its continuation, with the space that a token of OpenAI GPT which ends a word has behind it. */
    private static String echo(LoadedGpt loaded, Input input) throws CommandException {
        String prompt = promptText(loaded, input);
        if (loaded.tokenizer() == null || prompt.isEmpty() || prompt.endsWith(" ") || prompt.endsWith("\n")) {
            return prompt;
        }
        int[] ids = loaded.ids(input);
        byte[] last = ids.length == 0 ? new byte[0] : loaded.tokenizer().tokenBytes(ids[ids.length - 1], false);
        return last.length > 0 && last[last.length - 1] == ' ' ? prompt + " " : prompt;
    }

    private void writeJson(LoadedGpt loaded, TextGenerator generator, GenerationOptions options, Input input)
            throws IOException {
        try (Interruption.Scope _ = interruption.during(generator::cancel)) {
            GenerationResult result = generate(loaded, generator, options, input, TokenListener.NONE);
            GenerationResult shown = show.echo ? echoed(result, loaded, input) : result;
            JsonResult.line(streams.out(), json -> GenerationJson.write(json, shown, loaded.tokenizer(),
                    show.logprobs != null, loaded.loadSeconds()));
            writePage(loaded, input, result);
        }
    }

    /** With the prompt before each text. */
    private static GenerationResult echoed(GenerationResult result, LoadedGpt loaded, Input input)
            throws CommandException {
        String before = echo(loaded, input);
        return new GenerationResult(result.promptIds(), result.sequences().stream()
                .map(sequence -> new GeneratedSequence(
                        IntStream.concat(IntStream.of(result.promptIds()), IntStream.of(sequence.ids())).toArray(),
                        before + sequence.text(), sequence.finishReason(), sequence.score(), sequence.logprobs()))
                .toList(), result.timing());
    }
}
