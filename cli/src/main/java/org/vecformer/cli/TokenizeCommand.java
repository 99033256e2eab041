package org.vecformer.cli;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.vecformer.tokenizer.Encoding;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.OffsetUnit;
import org.vecformer.tokenizer.Tokenizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Text to tokens and ids. */
@Command(name = "tokenize", description = {"Cuts a text into tokens.", ""}, sortOptions = false, footer = {"",
    "Example: java -jar gpt2.jar tokenize \"Once upon a time\" --json",
    "Special tokens that the model has around a text ([CLS], [SEP]) are there, with the offset [0,0].",
    "Offsets count characters as Unicode code points, from the start of the text (of the second one for --pair).",
    "With --jsonl a line is {\"text\":\"...\"} or {\"text\":\"...\",\"pair\":\"...\"}."})
final class TokenizeCommand implements Callable<Integer> {
    @Parameters(paramLabel = "TEXT", arity = "0..1", description = "the text; - for standard input, @file for a file")
    String text;

    @Option(names = "--pair", paramLabel = "TEXT", description = "a second text, put behind the first")
    String pair;

    @Option(names = "--max-length", paramLabel = "N", description = "at most so many tokens; the longer text of a pair is cut first")
    Integer maxLength;

    @Option(names = "--padding", paramLabel = "max_length", description = "fill up to --max-length with the model's padding token")
    Padding padding;

    @Mixin
    ModelOption model = new ModelOption();

    @Mixin
    OutputOptions output = new OutputOptions();

    @Mixin
    CommonOptions common = new CommonOptions();

    private final Streams streams;

    TokenizeCommand(Context context) {
        this.streams = context.streams();
    }

    /** The ways to fill up; named as the ecosystem names them. */
    enum Padding {
        /** Up to the length that was given. */
        max_length
    }

    @Override
    public Integer call() throws IOException {
        check();
        Tokenizer tokenizer;
        try (ModelSource source = ModelSource.openForTokenizer(model.model)) {
            tokenizer = source.requiredTokenizer();
        }
        if (padding != null && tokenizer.padding().isEmpty()) {
            throw new CommandException(
                    "this model's tokenizer has no padding token (pad_token), so --padding cannot fill up");
        }
        EncodingOptions options = EncodingOptions.defaults().withMaxLength(maxLength == null ? 0 : maxLength)
                .withPadTo(padding == null ? 0 : maxLength);
        if (output.jsonl) {
            JsonLines<Input.Text> lines = new JsonLines<>(streams.in(), LineShape.TEXTS);
            for (Input.Text input = lines.next(); input != null; input = lines.next()) {
                try {
                    write(encode(tokenizer, input, options, "line " + lines.line() + ": "));
                } catch (IllegalArgumentException e) {
                    throw JsonLines.bad(lines.line(), e);
                }
            }
            return Cli.DONE;
        }
        String first = Texts.resolve(text, streams.in());
        String second = pair == null ? null : Texts.resolve(pair, streams.in());
        Encoding encoding = encode(tokenizer, new Input.Text(first, second), options, "");
        if (output.json) {
            write(encoding);
        } else {
            print(encoding);
        }
        return Cli.DONE;
    }

    private void check() {
        output.check();
        if (output.jsonl && (text != null || pair != null)) {
            throw new UsageException("--jsonl reads its texts from standard input; TEXT and --pair do not go with it");
        }
        if (!output.jsonl && text == null) {
            throw new UsageException("TEXT is missing");
        }
        if ("-".equals(text) && "-".equals(pair)) {
            throw new UsageException("only one of two texts can come from standard input");
        }
        if (maxLength != null && maxLength < 1) {
            throw new UsageException("--max-length is " + maxLength + "; expected at least 1");
        }
        if (padding != null && maxLength == null) {
            throw new UsageException("--padding max_length needs --max-length N");
        }
    }

    private Encoding encode(Tokenizer tokenizer, Input.Text input, EncodingOptions options, String where) {
        Encoding encoding = tokenizer.encode(input.text(), input.pair(), options);
        if (encoding.truncated() && !common.quiet) {
            streams.err().println("gpt2 tokenize: " + where + "cut to " + maxLength + " tokens");
        }
        return encoding;
    }

    private void write(Encoding encoding) throws IOException {
        JsonResult.line(streams.out(), json -> {
            json.writeStartObject();
            JsonResult.ints(json, "ids", encoding.ids());
            JsonResult.strings(json, "tokens", encoding.tokens());
            JsonResult.ints(json, "token_type_ids", encoding.typeIds());
            JsonResult.ints(json, "attention_mask", encoding.attentionMask());
            json.writeArrayFieldStart("offsets");
            for (int[] offset : encoding.offsets(OffsetUnit.CODE_POINTS)) {
                json.writeArray(offset, 0, 2);
            }
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private void print(Encoding encoding) throws IOException {
        int[] ids = encoding.ids();
        List<String> tokens = encoding.tokens();
        for (int i = 0; i < ids.length; i++) {
            streams.out().println(String.valueOf(ids[i]) + '\t' + tokens.get(i));
        }
    }
}
