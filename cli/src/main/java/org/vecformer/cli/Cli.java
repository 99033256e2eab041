package org.vecformer.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.vecformer.engine.DeviceException;
import org.vecformer.engine.UnsupportedBackendException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Finds the command, runs it, and turns every failure into one line on standard error and an exit status. */
final class Cli {
    static final int DONE = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;
    static final int INTERRUPTED = 130;

    private static final String NAME = "gpt2";

    private static final List<String> COMMANDS = List.of("generate", "score", "next", "predict", "evaluate",
            "evaluate-dialog",
            "fill-mask", "mask-generate", "embed", "classify", "tag", "answer", "rerank", "tokenize", "detokenize",
            "forward", "convert", "info", "bench");

    private final Context context;
    private final Streams streams;

    Cli(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    /** What stands before the commands. */
    @Command(name = NAME, description = {"Runs GPT-2 and BERT models from safetensors files, in Java alone.",
        ""}, synopsisSubcommandLabel = "COMMAND", footer = {
            "", "Example: java -jar gpt2.jar generate \"Once upon a time\"",
            "Example: java -jar gpt2.jar embed \"A man is eating.\" --model all-MiniLM-L6-v2",
            "java -jar gpt2.jar COMMAND --help tells more about a command."})
    static final class Root {
        @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
        boolean help;

        @Option(names = "--version", description = "show the version")
        boolean version;
    }

    /** A command's class is loaded only if it is called. */
    private Callable<Integer> command(String name) {
        return switch (name) {
            case "generate" -> new GenerateCommand(context);
            case "score" -> new ScoreCommand(context);
            case "next" -> new NextCommand(context);
            case "predict" -> new PredictCommand(context);
            case "evaluate" -> new EvaluateCommand(context);
            case "evaluate-dialog" -> new EvaluateDialogCommand(context);
            case "fill-mask" -> new FillMaskCommand(context);
            case "mask-generate" -> new MaskGenerateCommand(context);
            case "embed" -> new EmbedCommand(context);
            case "classify" -> new ClassifyCommand(context);
            case "tag" -> new TagCommand(context);
            case "answer" -> new AnswerCommand(context);
            case "rerank" -> new RerankCommand(context);
            case "tokenize" -> new TokenizeCommand(context);
            case "detokenize" -> new DetokenizeCommand(context);
            case "forward" -> new ForwardCommand(context);
            case "convert" -> new ConvertCommand(context);
            case "info" -> new InfoCommand(context);
            case "bench" -> new BenchCommand(context);
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** The whole command line, for help and for tests that walk it. */
    CommandLine commandLine() {
        CommandLine line = new CommandLine(new Root());
        COMMANDS.forEach(name -> line.addSubcommand(name, command(name)));
        return configure(line);
    }

    private static CommandLine configure(CommandLine line) {
        // A text argument may start with @, which is ours to read; and our texts are nobody's resource bundle or colour
        // code.
        line.setExpandAtFiles(false);
        line.setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF));
        line.setUsageHelpWidth(110);
        HelpSections.install(line);
        return line;
    }

    /** Runs a command line. Returns the exit status; everything written is flushed. */
    int run(String... arguments) {
        String name = arguments.length > 0 && COMMANDS.contains(arguments[0]) ? NAME + " " + arguments[0] : NAME;
        boolean debug = false;
        for (String argument : arguments) {
            debug |= argument.equals("--debug");
        }
        try {
            int status;
            try {
                status = execute(arguments);
            } finally {
                streams.out().flush();
            }
            return context.interruption().requested() ? INTERRUPTED : status;
        } catch (ParameterException e) {
            return fail(USAGE, e, name, oneLine(e.getMessage()) + " (see --help)", debug);
        } catch (UsageException e) {
            return fail(USAGE, e, name, e.getMessage() + " (see --help)", debug);
        } catch (OutputException e) {
            return e.readerHasGone() ? DONE : fail(FAILED, e, name, e.getMessage(), debug);
        } catch (OutOfMemoryError e) {
            return fail(FAILED, e, name, "the memory is too small: " + e.getMessage()
                    + " (a larger Java heap: java -Xmx4g -jar gpt2.jar ...)", debug);
        } catch (CancellationException e) {
            return context.interruption().requested() ? INTERRUPTED : fail(FAILED, e, name, message(e), debug);
        } catch (Exception | StackOverflowError e) {
            return fail(FAILED, e, name, message(e), debug);
        }
    }

    private int execute(String[] arguments) throws Exception {
        if (arguments.length == 0 || !COMMANDS.contains(arguments[0])) {
            return executeRoot(arguments);
        }
        // Without the root, whose options nobody gave: reading a command's options is what takes the time here.
        Callable<Integer> command = command(arguments[0]);
        CommandLine line = configure(new CommandLine(command)).setCommandName(NAME + " " + arguments[0]);
        line.parseArgs(Arrays.copyOfRange(arguments, 1, arguments.length));
        if (line.isUsageHelpRequested()) {
            streams.out().print(line.getUsageMessage());
            return DONE;
        }
        return command.call();
    }

    private int executeRoot(String[] arguments) throws IOException {
        CommandLine line = commandLine();
        if (arguments.length > 0 && !arguments[0].startsWith("-")) {
            throw new UsageException("there is no command '" + arguments[0] + "'; expected one of "
                    + String.join(", ", COMMANDS));
        }
        line.parseArgs(arguments);
        Root root = line.getCommand();
        if (root.help) {
            streams.out().print(line.getUsageMessage());
        } else if (root.version) {
            String version = Cli.class.getPackage().getImplementationVersion();
            streams.out().println("vecformer " + (version == null ? "(not packaged)" : version));
        } else {
            streams.err().print(line.getUsageMessage());
            streams.err().println(NAME + ": no command was given");
            return USAGE;
        }
        return DONE;
    }

    private int fail(int status, Throwable failure, String name, String message, boolean debug) {
        PrintStream err = streams.err();
        err.println(name + ": " + message);
        if (debug) {
            failure.printStackTrace(err);
        }
        return status;
    }

    /** One sentence for the user. */
    private static String message(Throwable failure) {
        Throwable cause = failure instanceof UncheckedIOException ? failure.getCause() : failure;
        String text = cause.getMessage();
        if (cause instanceof NoSuchFileException) {
            return "there is no file " + text;
        }
        if (cause instanceof NotDirectoryException) {
            return text + " is not a directory";
        }
        if (cause instanceof AccessDeniedException) {
            return "no permission for " + text;
        }
        if (cause instanceof FileAlreadyExistsException) {
            return oneLine(text);
        }
        if (cause instanceof FileSystemException && ((FileSystemException) cause).getReason() == null) {
            return "cannot use " + oneLine(text);
        }
        boolean expected = cause instanceof IOException || cause instanceof IllegalArgumentException
                || cause instanceof UnsupportedBackendException || cause instanceof DeviceException;
        if (text == null || !expected) {
            // Not foreseen: the kind of failure is at least something to search for.
            return cause.getClass().getSimpleName() + (text == null ? "" : ": " + oneLine(text))
                    + " (--debug shows where)";
        }
        return oneLine(text);
    }

    private static String oneLine(String text) {
        return String.valueOf(text).strip().replaceAll("\\s*\\R\\s*", "; ");
    }
}
