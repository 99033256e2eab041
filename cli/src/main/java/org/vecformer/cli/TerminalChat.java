package org.vecformer.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.jline.reader.Candidate;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.MaskingCallback;
import org.jline.reader.ParsedLine;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.reader.impl.LineReaderImpl;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;

/**
 * A chat on a terminal: lines are edited, remembered (as long as the chat lasts: what was said stays where it was said,
 * unless it is saved) and completed; a reply is written as it comes.
 *
 * <p>The terminal makes no signals of keys here: Ctrl-C would reach the launcher too, which would end. It comes as a
 * character instead, to the editor of a line or to the watch over a reply.
 */
final class TerminalChat implements AutoCloseable {
    private static final String PROMPT = "you> ";
    private static final String SPEAKER = "bot> ";

    private final Context context;
    private final CommonOptions common;
    private final Terminal terminal;
    private final LineReaderImpl reader;
    private final PrintWriter out;

    private TerminalChat(Context context, CommonOptions common, Terminal terminal) {
        this.context = context;
        this.common = common;
        this.terminal = terminal;
        out = terminal.writer();
        terminal.enterRawMode();
        Attributes attributes = terminal.getAttributes();
        attributes.setLocalFlag(Attributes.LocalFlag.ISIG, false);
        terminal.setAttributes(attributes);
        DefaultParser parser = new DefaultParser();
        // What somebody says is no shell command: quotes and backslashes are themselves, and so is ! below.
        parser.setQuoteChars(new char[0]);
        parser.setEscapeChars(null);
        parser.setEofOnEscapedNewLine(false);
        reader = (LineReaderImpl) LineReaderBuilder.builder().terminal(terminal).parser(parser)
                .completer(TerminalChat::complete).option(LineReader.Option.DISABLE_EVENT_EXPANSION, true).build();
    }

    /** @throws IOException if there is no terminal to read from */
    static TerminalChat open(Context context, CommonOptions common) throws IOException {
        // No signals: those of the C library JLine would catch with machine code of its own, and of a Ctrl-C that comes as a
        // character it would make one as well, which makes two of one key now and then.
        System.setProperty(TerminalBuilder.PROP_SOFTWARE_SIGNALS, "false");
        // It asks the terminal what it can do. An answer that is later than this (JLine: 200 ms), from afar or to a machine
        // that is busy, would be taken for keys.
        System.setProperty(TerminalBuilder.PROP_PROBE_TIMEOUT, "1000");
        Terminal terminal = TerminalBuilder.builder().system(true).provider("ffm").dumb(true)
                .encoding(StandardCharsets.UTF_8).nativeSignals(false).build();
        try {
            return new TerminalChat(context, common, terminal);
        } catch (Throwable e) {
            terminal.close();
            throw e;
        }
    }

    private static void complete(LineReader reader, ParsedLine line, List<Candidate> candidates) {
        if (!line.line().startsWith("/")) {
            return;
        }
        Stream<String> names = switch (line.wordIndex()) {
            case 0 -> ChatVerb.allTyped().stream();
            case 1 -> switch (line.words().getFirst()) {
                case "/persona" -> Stream.of("shuffle", "random", "set", "add");
                case "/set" -> ReplySettings.names().stream();
                default -> Stream.of();
            };
            default -> Stream.of();
        };
        names.map(Candidate::new).forEach(candidates::add);
    }

    /**
     * Talks until the user ends it.
     *
     * @return the exit status
     */
    int run(ChatSession session) throws IOException {
        if (!common.quiet) {
            out.println("/help shows what else there is; Ctrl-C stops a reply, Ctrl-D ends the chat.");
        }
        boolean interrupted = false;
        String prefilled = null;
        while (!session.ended()) {
            String line;
            try {
                line = reader.readLine(PROMPT, null, (MaskingCallback) null, prefilled);
            } catch (UserInterruptException e) {
                if (interrupted && e.getPartialLine().isEmpty()) {
                    return Cli.INTERRUPTED;
                }
                interrupted = e.getPartialLine().isEmpty();
                prefilled = null;
                if (interrupted) {
                    out.println("Ctrl-D or /quit ends the chat; so does Ctrl-C once more.");
                }
                continue;
            } catch (EndOfFileException e) {
                return Cli.DONE;
            }
            interrupted = false;
            prefilled = enter(session, line.replace('\n', ' '));
            if (context.interruption().requested()) {
                return Cli.INTERRUPTED;
            }
        }
        return Cli.DONE;
    }

    /** Returns what the next line begins with; null for nothing. */
    private String enter(ChatSession session, String line) throws IOException {
        Streaming streaming = new Streaming();
        ChatResult result;
        KeyWatch keys = new KeyWatch(terminal, session::cancel);
        try (keys; Interruption.Scope _ = context.interruption().during(session::cancel)) {
            result = session.enter(line, streaming);
        }
        // What was typed meanwhile belongs to the next line.
        reader.runMacro(keys.typed());
        String next = show(result, streaming);
        out.flush();
        return next;
    }

    /** Shows a reply as it comes. */
    private final class Streaming implements TokenListener {
        boolean begun;

        @Override
        public void token(GeneratedToken token) {
            write(token.text());
        }

        @Override
        public void finished(TextEnd end) {
            write(end.text());
        }

        private void write(String text) {
            if (!text.isEmpty()) {
                out.print((begun ? "" : SPEAKER) + PlainChat.oneLine(text));
                out.flush();
                begun = true;
            }
        }

        void end() {
            if (begun) {
                out.println();
            }
        }
    }

    private String show(ChatResult result, Streaming streaming) {
        if (result instanceof ChatResult.Reply reply) {
            out.println((streaming.begun ? "" : SPEAKER) + (reply.stopped() ? " [stopped]" : ""));
            return null;
        }
        streaming.end();
        switch (result) {
            case ChatResult.Suggestion suggestion -> {
                return PlainChat.oneLine(suggestion.suggestion().text());
            }
            case ChatResult.Ranking ranking -> PlainChat.ranked(ranking).forEach(out::println);
            case ChatResult.Listing listing when listing.name().equals("persona") ->
                out.println("The model is " + ChatCommand.who(listing.lines()));
            case ChatResult.Listing listing -> listing.lines().forEach(line -> out.println(PlainChat.oneLine(line)));
            case ChatResult.Done done -> out.println(PlainChat.oneLine(done.sentence()));
            case ChatResult.Problem problem -> {
                out.println(PlainChat.oneLine(problem.sentence()));
                if (common.debug && problem.cause() != null) {
                    problem.cause().printStackTrace(out);
                }
            }
            case ChatResult.Nothing _,ChatResult.Reply _ -> {
                // Nothing is left to show.
            }
        }
        return null;
    }

    /** Restores the terminal. */
    @Override
    public void close() throws IOException {
        terminal.close();
    }
}
