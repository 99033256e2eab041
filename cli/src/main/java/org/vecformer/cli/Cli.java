package org.vecformer.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
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

    private final Streams streams;
    private final Interruption interruption;

    Cli(Streams streams, Interruption interruption) {
        this.streams = streams;
        this.interruption = interruption;
    }

    /** What stands before the commands. */
    @Command(name = NAME, description = {"Runs GPT-2 models from safetensors files, in Java alone.",
        ""}, synopsisSubcommandLabel = "COMMAND", footer = {
            "", "Example: java -jar gpt2.jar generate \"Once upon a time\"",
            "java -jar gpt2.jar COMMAND --help tells more about a command."})
    static final class Root {
        @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this help")
        boolean help;

        @Option(names = "--version", description = "show the version")
        boolean version;
    }

    /** The commands by name. Suppliers, because the classes of the commands that are not called need not be loaded. */
    private Map<String, Supplier<Callable<Integer>>> commands() {
        Map<String, Supplier<Callable<Integer>>> commands = new LinkedHashMap<>();
        commands.put("generate", () -> new GenerateCommand(streams, interruption));
        commands.put("tokenize", () -> new TokenizeCommand(streams));
        commands.put("detokenize", () -> new DetokenizeCommand(streams));
        commands.put("forward", () -> new ForwardCommand(streams));
        commands.put("info", () -> new InfoCommand(streams));
        commands.put("bench", () -> new BenchCommand(streams, interruption));
        return commands;
    }

    /** The whole command line, for help and for tests that walk it. */
    CommandLine commandLine() {
        CommandLine line = root();
        commands().forEach((name, command) -> line.addSubcommand(name, command.get()));
        return configure(line);
    }

    private CommandLine commandLine(String name, Supplier<Callable<Integer>> command) {
        return configure(root().addSubcommand(name, command.get()));
    }

    private static CommandLine root() {
        return new CommandLine(new Root());
    }

    private static CommandLine configure(CommandLine line) {
        // A text argument may start with @, which is ours to read; and our texts are nobody's resource bundle or colour code.
        line.setExpandAtFiles(false);
        line.setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF));
        line.setUsageHelpWidth(110);
        return line;
    }

    /** Runs a command line. Returns the exit status; everything written is flushed. */
    int run(String... arguments) {
        String name = arguments.length > 0 && commands().containsKey(arguments[0]) ? NAME + " " + arguments[0] : NAME;
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
            return interruption.requested() ? INTERRUPTED : status;
        } catch (ParameterException e) {
            return fail(USAGE, e, name, oneLine(e.getMessage()) + " (see --help)", debug);
        } catch (UsageException e) {
            return fail(USAGE, e, name, e.getMessage() + " (see --help)", debug);
        } catch (OutputException e) {
            return e.readerHasGone() ? DONE : fail(FAILED, e, name, e.getMessage(), debug);
        } catch (OutOfMemoryError e) {
            return fail(FAILED, e, name, "the memory is too small: " + e.getMessage()
                    + " (a larger Java heap: java -Xmx4g -jar gpt2.jar ...)", debug);
        } catch (Exception | StackOverflowError e) {
            return fail(FAILED, e, name, message(e), debug);
        }
    }

    private int execute(String[] arguments) throws Exception {
        Map<String, Supplier<Callable<Integer>>> commands = commands();
        Supplier<Callable<Integer>> command = arguments.length == 0 ? null : commands.get(arguments[0]);
        if (command == null) {
            return executeRoot(arguments);
        }
        CommandLine line = commandLine(arguments[0], command);
        CommandLine sub = line.getSubcommands().get(arguments[0]);
        line.parseArgs(arguments);
        if (sub.isUsageHelpRequested()) {
            streams.out().print(sub.getUsageMessage());
            return DONE;
        }
        Callable<Integer> callable = sub.getCommand();
        return callable.call();
    }

    private int executeRoot(String[] arguments) throws IOException {
        CommandLine line = commandLine();
        if (arguments.length > 0 && !arguments[0].startsWith("-")) {
            throw new UsageException("there is no command '" + arguments[0] + "'; expected one of "
                    + String.join(", ", line.getSubcommands().keySet()));
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
                || cause instanceof UnsupportedBackendException;
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
