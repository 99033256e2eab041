package org.vecformer.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.vecformer.tokenizer.Tokenizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Ids to text. */
@Command(name = "detokenize", description = {"Turns token ids back into text.", ""}, sortOptions = false, footer = {"",
    "Example: java -jar gpt2.jar detokenize 440,383,187", "With --jsonl a line is {\"ids\":[440,383]}."})
final class DetokenizeCommand implements Callable<Integer> {
    @Parameters(paramLabel = "IDS", arity = "0..*", description = "token ids, with commas or spaces between them; - for standard input, @file for a file")
    List<String> ids = List.of();

    @Option(names = "--ids", paramLabel = "IDS", description = "the same, for scripts that give ids to every command so")
    String idsOption;

    @Mixin
    ModelOption model = new ModelOption();

    @Mixin
    OutputOptions output = new OutputOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    private final Streams streams;

    DetokenizeCommand(Context context) {
        this.streams = context.streams();
    }

    @Override
    public Integer call() throws IOException {
        output.check();
        boolean given = !ids.isEmpty() || idsOption != null;
        if (output.jsonl && given) {
            throw new UsageException("--jsonl reads its ids from standard input; IDS do not go with it");
        }
        if (!output.jsonl && !given) {
            throw new UsageException("IDS are missing");
        }
        if (!ids.isEmpty() && idsOption != null) {
            throw new UsageException("the ids are given twice, as IDS and with --ids");
        }
        int[] one = output.jsonl ? null : one();
        Tokenizer tokenizer;
        try (ModelSource source = ModelSource.openForTokenizer(model.model)) {
            tokenizer = source.requiredTokenizer();
        }
        if (!output.jsonl) {
            write(text(tokenizer, one, ""));
            return Cli.DONE;
        }
        JsonLines<int[]> lines = new JsonLines<>(streams.in(), LineShape.IDS);
        for (int[] list = lines.next(); list != null; list = lines.next()) {
            write(text(tokenizer, list, "line " + lines.line() + " of standard input: "));
        }
        return Cli.DONE;
    }

    private int[] one() throws IOException {
        if (idsOption != null) {
            return Texts.ids(Texts.resolve(idsOption, streams.in()));
        }
        StringBuilder all = new StringBuilder();
        for (String argument : ids) {
            all.append(all.isEmpty() ? "" : " ").append(Texts.resolve(argument, streams.in()));
        }
        return Texts.ids(all.toString());
    }

    private String text(Tokenizer tokenizer, int[] list, String where) throws CommandException {
        for (int id : list) {
            if (!tokenizer.contains(id)) {
                throw new CommandException(where + "there is no token with the id " + id + "; this vocabulary has "
                        + tokenizer.vocabularySize() + " ids");
            }
        }
        String text = tokenizer.decode(list);
        if (!common.quiet && !Arrays.equals(tokenizer.decodeBytes(list), text.getBytes(StandardCharsets.UTF_8))) {
            streams.err().println("gpt2 detokenize: " + where
                    + "these ids are not whole UTF-8 characters; what is broken is shown as U+FFFD");
        }
        return text;
    }

    private void write(String text) throws IOException {
        if (output.json || output.jsonl) {
            JsonResult.line(streams.out(), json -> {
                json.writeStartObject();
                json.writeStringField("text", text);
                json.writeEndObject();
            });
        } else {
            streams.out().println(text);
            streams.out().flush();
        }
    }
}
