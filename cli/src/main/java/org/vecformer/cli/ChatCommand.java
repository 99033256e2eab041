package org.vecformer.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.vecformer.cli.dialog.Personalities;
import org.vecformer.engine.dialog.BertPartner;
import org.vecformer.engine.dialog.ChatPartner;
import org.vecformer.engine.dialog.GptPartner;
import org.vecformer.engine.model.Gpt;
import org.vecformer.tokenizer.Tokenizer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A conversation with a model that has a persona. */
@Command(name = "chat", abbreviateSynopsis = true, description = {"Talks with you, as somebody with a persona.",
    ""}, sortOptions = false, footer = {"",
        "Example: java -jar gpt2.jar chat --persona \"I am a pirate.\" --persona \"I love my parrot.\"",
        "Example: java -jar gpt2.jar chat --personas train_self_original.txt --temperature 0.9 --model my-convai",
        "Example: printf 'Hello!\\nWho are you?\\n' | java -jar gpt2.jar chat --persona @who.txt --jsonl --seed 7",
        "Replies are drawn at a temperature of 0.7 from the most likely tokens that together have the probability 0.9, if "
                + "nothing else is said. A GPT with the tokens <bos> <eos> <speaker1> <speaker2> is talked to as it was "
                + "trained; every other one is given a transcript to continue, and a BERT fills masks.",
        "On a terminal Ctrl-C stops a reply, Ctrl-D ends the chat, and /help shows what else there is: among it "
                + "/suggest (what you could say), /rank (compares replies), /persona random, /set temperature 0.9, /save and "
                + "/load. Lines can be edited and are remembered while the chat lasts; nothing is written that was not /saved.",
        "Without a terminal each line of standard input is something that is said (or a command with a slash), and each "
                + "reply is a line of standard output. --json writes a reply as {\"text\":\"\",\"ids\":[],"
                + "\"finish_reason\":\"eos\"}, a /suggest as {\"suggestion\":\"\",\"ids\":[],\"finish_reason\":\"\"}, a /rank as "
                + "{\"ranking\":[{\"index\":0,\"text\":\"\",\"score\":0.0,\"probability\":0.0}]}, what is shown as "
                + "{\"persona\":[]}, {\"history\":[]}, {\"settings\":[]} or {\"help\":[]}, what was done as {\"done\":\"\"}, what "
                + "failed as {\"error\":\"\"}; with --jsonl the lines of standard input are {\"text\":\"\"}."})
final class ChatCommand implements Callable<Integer> {
    @Option(names = "--persona", paramLabel = "SENTENCE", description = "something about who the model is, several times for several; @file for a file with a sentence a line (default: a random personality)")
    List<String> persona;

    @Option(names = "--personas", paramLabel = "FILE", description = "personalities to pick from: a PersonaChat file, or a text with a sentence a line and an empty line between two (default: some that are built in)")
    Path personas;

    @Option(names = "--user-persona", paramLabel = "SENTENCE", description = "something about who you are, for what /suggest suggests; as --persona")
    List<String> userPersona;

    @Option(names = "--load", paramLabel = "FILE", description = "go on with a conversation that /save wrote; what else is given about replies changes its settings")
    Path load;

    @Mixin
    ReplySettings settings = new ReplySettings();

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

    ChatCommand(Context context) {
        this.context = context;
        this.streams = context.streams();
    }

    @Override
    public Integer call() throws IOException {
        output.check();
        settings.check();
        if (load != null && (persona != null || userPersona != null)) {
            throw new UsageException(
                    "--load brings the personas of its conversation; --persona and --user-persona do not"
                            + " go with it");
        }
        List<String> who = persona == null ? null : sentences("--persona", persona);
        List<String> user = userPersona == null ? List.of() : sentences("--user-persona", userPersona);
        Personalities personalities = personas == null ? Personalities.builtIn() : Personalities.read(personas);
        ModelRequest request = new ModelRequest("chat", model.model, compute, common, context, true);
        try (LoadedModel loaded = request.any();
                ChatSession session = new ChatSession(loaded.name(), partners(loaded), personalities, who, user,
                        settings)) {
            ChatResult resumed = load == null ? null : session.resume(load, settings);
            tell(loaded, session, resumed);
            // A terminal to type on and to read from; else lines.
            if (streams.screen().terminal() && Streams.isTerminal(0) && !output.json && !output.jsonl) {
                try (TerminalChat chat = TerminalChat.open(context, common)) {
                    return chat.run(session);
                }
            }
            new PlainChat(context, output, common).run(session);
            return Cli.DONE;
        }
    }

    /** A persona in a line. */
    static String who(List<String> persona) {
        return persona.isEmpty() ? "nobody in particular" : '"' + PlainChat.oneLine(String.join(" ", persona)) + '"';
    }

    private static List<String> sentences(String option, List<String> arguments) throws IOException {
        List<String> sentences = new ArrayList<>();
        for (String argument : arguments) {
            if (argument.equals("-")) {
                throw new UsageException(option + " is -; standard input is what is said");
            }
            Texts.resolve(argument, null).lines().map(String::strip).filter(line -> !line.isEmpty())
                    .forEach(sentences::add);
        }
        return sentences;
    }

    private static Supplier<ChatPartner> partners(LoadedModel loaded) throws CommandException {
        if (loaded.tokenizer() == null) {
            throw new CommandException(
                    "the model " + loaded.name() + " has no tokenizer files, without which it cannot talk");
        }
        Tokenizer tokenizer = loaded.tokenizer();
        return switch (loaded) {
            case LoadedGpt gpt -> {
                Gpt languageModel = gpt.languageModel();
                yield () -> GptPartner.open(languageModel, tokenizer);
            }
            case LoadedBert bert -> () -> BertPartner.open(bert.bert(), tokenizer);
        };
    }

    private void tell(LoadedModel loaded, ChatSession session, ChatResult resumed) {
        if (common.quiet) {
            return;
        }
        PrintStream err = streams.err();
        err.println("gpt2 chat: " + loaded.name() + " (" + session.description() + "); " + loaded.summary());
        err.println("gpt2 chat: " + session.settings());
        if (!session.settings().draw.greedy && settings.draw.seed == null) {
            err.println("gpt2 chat: --seed " + session.seed() + " gives the same again");
        }
        err.println("gpt2 chat: the model is " + who(session.persona()));
        if (resumed instanceof ChatResult.Done done) {
            err.println("gpt2 chat: " + PlainChat.oneLine(done.sentence()));
        }
    }
}
