package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.vecformer.engine.dialog.RankedReply;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TokenListener;

/**
 * A chat of lines: one in, its reply out. Results are written to standard output, as text or as JSON; as text, what was
 * done and what could not be done goes to standard error, so that an utterance has one line of output whatever stands
 * between.
 */
final class PlainChat {
    private static final int LONGEST_LINE = 1 << 24;

    private final Context context;
    private final Streams streams;
    private final OutputOptions output;
    private final CommonOptions common;

    PlainChat(Context context, OutputOptions output, CommonOptions common) {
        this.context = context;
        this.streams = context.streams();
        this.output = output;
        this.common = common;
    }

    /** What the next line says. */
    private interface Lines {
        /** Null at the end. */
        String next() throws IOException;
    }

    /** Talks until the input ends or somebody asks to end. */
    void run(ChatSession session) throws IOException {
        Lines lines = lines();
        Interruption interruption = context.interruption();
        while (!session.ended() && !interruption.requested()) {
            String line = lines.next();
            if (line == null) {
                return;
            }
            try (Interruption.Scope _ = interruption.during(session::cancel)) {
                show(session.enter(line, TokenListener.NONE));
                streams.out().flush();
            }
        }
    }

    private Lines lines() {
        if (output.jsonl) {
            JsonLines<String> lines = new JsonLines<>(streams.in(),
                    new LineShape<>(List.of("text"), line -> line.text("text")));
            return lines::next;
        }
        byte[] buffer = new byte[8192];
        InputStream in = streams.in();
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int[] position = new int[2];
        return () -> {
            line.reset();
            while (true) {
                if (position[0] == position[1]) {
                    position[0] = 0;
                    position[1] = Math.max(0, in.read(buffer));
                    if (position[1] == 0) {
                        return line.size() == 0 ? null : text(line);
                    }
                }
                byte b = buffer[position[0]++];
                if (b == '\n') {
                    return text(line);
                }
                line.write(b);
                if (line.size() > LONGEST_LINE) {
                    throw new CommandException("a line of standard input is longer than " + LONGEST_LINE + " bytes");
                }
            }
        };
    }

    private static String text(ByteArrayOutputStream line) throws CommandException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line.toByteArray())).toString();
        } catch (CharacterCodingException e) {
            throw new CommandException("a line of standard input is not valid UTF-8", e);
        }
    }

    private void show(ChatResult result) throws IOException {
        if (common.debug && result instanceof ChatResult.Problem problem && problem.cause() != null) {
            problem.cause().printStackTrace(streams.err());
        }
        if (output.json || output.jsonl) {
            if (output.jsonl || !(result instanceof ChatResult.Nothing)) {
                JsonResult.line(streams.out(), json -> write(json, result));
            }
        } else {
            print(result);
        }
    }

    private void print(ChatResult result) throws IOException {
        switch (result) {
            case ChatResult.Reply reply -> streams.out().println(oneLine(reply.reply().text()));
            case ChatResult.Suggestion suggestion -> streams.out().println(oneLine(suggestion.suggestion().text()));
            case ChatResult.Ranking ranking -> {
                for (String line : ranked(ranking)) {
                    streams.out().println(line);
                }
            }
            case ChatResult.Listing listing -> {
                for (String line : listing.lines()) {
                    streams.out().println(oneLine(line));
                }
            }
            case ChatResult.Done done -> say(done.sentence());
            case ChatResult.Problem problem -> streams.err().println("gpt2 chat: " + oneLine(problem.sentence()));
            case ChatResult.Nothing _ -> {
                // Nothing to show.
            }
        }
    }

    private void say(String sentence) {
        if (!common.quiet) {
            streams.err().println("gpt2 chat: " + oneLine(sentence));
        }
    }

    /** For a protocol of lines, and for whoever looks at one. */
    static String oneLine(String text) {
        return Texts.printable(text.replace('\n', ' ').replace('\t', ' '));
    }

    /** A line for each reply, the best first. */
    static List<String> ranked(ChatResult.Ranking ranking) {
        return ranking.replies().stream().map(reply -> String.format(Locale.ROOT, "%6.2f %%  %9.4f  %s",
                100 * reply.probability(), reply.score(), oneLine(reply.text()))).toList();
    }

    private static void write(JsonGenerator json, ChatResult result) throws IOException {
        json.writeStartObject();
        switch (result) {
            case ChatResult.Reply reply -> writeReply(json, "text", reply.reply());
            case ChatResult.Suggestion suggestion -> writeReply(json, "suggestion", suggestion.suggestion());
            case ChatResult.Ranking ranking -> {
                json.writeArrayFieldStart("ranking");
                for (RankedReply reply : ranking.replies()) {
                    json.writeStartObject();
                    json.writeNumberField("index", reply.index());
                    json.writeStringField("text", reply.text());
                    json.writeNumberField("score", reply.score());
                    json.writeNumberField("probability", reply.probability());
                    json.writeEndObject();
                }
                json.writeEndArray();
            }
            case ChatResult.Listing listing -> JsonResult.strings(json, listing.name(), listing.lines());
            case ChatResult.Done done -> json.writeStringField("done", done.sentence());
            case ChatResult.Problem problem -> json.writeStringField("error", problem.sentence());
            case ChatResult.Nothing _ -> json.writeStringField("done", "");
        }
        json.writeEndObject();
    }

    private static void writeReply(JsonGenerator json, String name, GenerationResult reply) throws IOException {
        json.writeStringField(name, reply.text());
        JsonResult.ints(json, "ids", reply.ids());
        json.writeStringField("finish_reason", GenerationJson.reason(reply.sequences().getFirst()));
    }
}
