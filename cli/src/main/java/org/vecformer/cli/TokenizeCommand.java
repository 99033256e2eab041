package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.vecformer.tokenizer.Encoding;
import org.vecformer.tokenizer.OffsetUnit;
import org.vecformer.tokenizer.Tokenizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Text to tokens and ids. */
@Command(name = "tokenize", description = {"Cuts a text into tokens.", ""}, sortOptions = false, footer = {"",
    "Example: java -jar gpt2.jar tokenize \"Once upon a time\" --json",
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
        int pad = paddingId(tokenizer);
        if (output.jsonl) {
            JsonLines<Input.Text> lines = new JsonLines<>(streams.in(), LineShape.TEXTS);
            for (Input.Text input = lines.next(); input != null; input = lines.next()) {
                TokenRow row = row(tokenizer, input.text(), input.pair(), pad);
                JsonResult.line(streams.out(), row::write);
            }
            return Cli.DONE;
        }
        String first = Texts.resolve(text, streams.in());
        String second = pair == null ? null : Texts.resolve(pair, streams.in());
        TokenRow row = row(tokenizer, first, second, pad);
        if (output.json) {
            JsonResult.line(streams.out(), row::write);
        } else {
            row.print(streams.out());
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

    private int paddingId(Tokenizer tokenizer) throws CommandException {
        OptionalInt id = tokenizer.padding();
        if (padding != null && id.isEmpty()) {
            throw new CommandException(
                    "this model's tokenizer has no padding token (pad_token), so --padding cannot fill up");
        }
        return id.orElse(-1);
    }

    private TokenRow row(Tokenizer tokenizer, String first, String second, int pad) {
        Encoding a = tokenizer.encode(first);
        Encoding b = second == null ? null : tokenizer.encode(second);
        int lengthA = a.size();
        int lengthB = b == null ? 0 : b.size();
        if (maxLength != null && lengthA + lengthB > maxLength) {
            if (!common.quiet) {
                streams.err()
                        .println("gpt2 tokenize: cut from " + (lengthA + lengthB) + " to " + maxLength + " tokens");
            }
            int[] cut = longestFirst(lengthA, lengthB, maxLength);
            lengthA = cut[0];
            lengthB = cut[1];
        }
        TokenRow row = new TokenRow(padding == null ? lengthA + lengthB : maxLength);
        row.add(a, lengthA, 0);
        if (b != null) {
            row.add(b, lengthB, 1);
        }
        if (padding != null) {
            row.pad(pad, tokenizer.token(pad));
        }
        return row;
    }

    /**
     * How much of two texts stays if the longer one loses its end first (as Hugging Face's {@code
     * longest_first} has it).
     */
    static int[] longestFirst(int lengthA, int lengthB, int maxLength) {
        int shorter = Math.min(lengthA, lengthB);
        int longer = shorter > maxLength ? shorter : Math.max(shorter, maxLength - shorter);
        if (shorter + longer > maxLength) {
            shorter = maxLength / 2;
            longer = maxLength - shorter;
        }
        return lengthA > lengthB ? new int[]{longer, shorter} : new int[]{shorter, longer};
    }

    /** One result: five columns of one length. */
    private static final class TokenRow {
        private final int[] ids;
        private final String[] tokens;
        private final int[] types;
        private final int[] mask;
        private final int[][] offsets;
        private int size;

        TokenRow(int length) {
            ids = new int[length];
            tokens = new String[length];
            types = new int[length];
            mask = new int[length];
            offsets = new int[length][2];
        }

        void add(Encoding encoding, int length, int type) {
            int[] encoded = encoding.ids();
            for (int i = 0; i < length; i++) {
                ids[size] = encoded[i];
                tokens[size] = encoding.tokens().get(i);
                types[size] = type;
                mask[size] = 1;
                offsets[size][0] = encoding.start(i, OffsetUnit.CODE_POINTS);
                offsets[size][1] = encoding.end(i, OffsetUnit.CODE_POINTS);
                size++;
            }
        }

        void pad(int id, String token) {
            for (; size < ids.length; size++) {
                ids[size] = id;
                tokens[size] = token;
            }
        }

        void write(JsonGenerator json) throws IOException {
            json.writeStartObject();
            JsonResult.ints(json, "ids", ids);
            json.writeArrayFieldStart("tokens");
            for (String token : tokens) {
                json.writeString(token);
            }
            json.writeEndArray();
            JsonResult.ints(json, "token_type_ids", types);
            JsonResult.ints(json, "attention_mask", mask);
            json.writeArrayFieldStart("offsets");
            for (int[] offset : offsets) {
                json.writeArray(offset, 0, 2);
            }
            json.writeEndArray();
            json.writeEndObject();
        }

        void print(StandardOutput out) throws IOException {
            for (int i = 0; i < ids.length; i++) {
                out.println(String.valueOf(ids[i]) + '\t' + tokens[i]);
            }
        }
    }
}
