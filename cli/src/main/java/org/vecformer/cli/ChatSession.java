package org.vecformer.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.vecformer.cli.dialog.Conversation;
import org.vecformer.cli.dialog.Conversation.Speaker;
import org.vecformer.cli.dialog.Conversation.Utterance;
import org.vecformer.cli.dialog.ConversationFile;
import org.vecformer.cli.dialog.Personalities;
import org.vecformer.engine.dialog.ChatPartner;
import org.vecformer.engine.dialog.Dialog;
import org.vecformer.engine.dialog.ReplyOptions;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TokenListener;

/**
 * A chat without its screen: what was said, who is talking, how replies are written, and what each line that the user
 * enters does to that. A line that fails changes nothing. Lines come one at a time; {@link #cancel} from any thread.
 */
final class ChatSession implements AutoCloseable {
    private final String model;
    private final Supplier<ChatPartner> partners;
    private final ChatPartner bot;
    private final Personalities personalities;
    private final List<Utterance> utterances = new ArrayList<>();
    /** Speaks as the user, of whose side of the conversation it keeps what it has read; null until somebody asks. */
    private volatile ChatPartner user;
    private List<String> persona;
    private List<String> userPersona;
    private ReplySettings settings;
    private long seed;
    private Random random;
    private int drawn;
    private boolean ended;

    /**
     * @param model the model as the user named it
     * @param partners opens partners that talk as this model does
     * @param personalities to pick from
     * @param persona who the model is; null for one of the personalities
     */
    ChatSession(String model, Supplier<ChatPartner> partners, Personalities personalities, List<String> persona,
            List<String> userPersona, ReplySettings settings) {
        this.model = model;
        this.partners = partners;
        this.personalities = personalities;
        this.userPersona = List.copyOf(userPersona);
        use(settings);
        this.persona = persona != null ? List.copyOf(persona) : personalities.another(List.of(), random);
        bot = partners.get();
    }

    private void use(ReplySettings changed) {
        settings = changed;
        if (random == null || changed.draw.seed != null && changed.draw.seed != seed) {
            seed = changed.draw.seedOrNew();
            random = new Random(seed);
            drawn = 0;
        }
    }

    /** Who the model is. */
    List<String> persona() {
        return persona;
    }

    /** What was said. */
    List<Utterance> utterances() {
        return Collections.unmodifiableList(utterances);
    }

    ReplySettings settings() {
        return settings;
    }

    /** What draws the replies, if they are drawn. */
    long seed() {
        return seed;
    }

    /** How the model reads dialogs. */
    String description() {
        return bot.description();
    }

    /** Whether the user has said to end. */
    boolean ended() {
        return ended;
    }

    /** Ends what is being written or ranked. */
    void cancel() {
        bot.cancel();
        ChatPartner other = user;
        if (other != null) {
            other.cancel();
        }
    }

    /**
     * Does what a line says.
     *
     * @param listener told of a reply as it comes; not of a suggestion
     * @throws OutputException if the listener cannot write
     */
    ChatResult enter(String line, TokenListener listener) throws OutputException {
        String text = line.strip();
        try {
            return text.isEmpty()
                    ? new ChatResult.Nothing()
                    : text.startsWith("/") ? command(text, listener) : say(text, listener);
        } catch (CancellationException e) {
            return new ChatResult.Problem("stopped", e);
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof OutputException gone) {
                throw gone;
            }
            return new ChatResult.Problem(Cli.message(e), e);
        } catch (UsageException | UnsupportedOperationException e) {
            return new ChatResult.Problem(e.getMessage(), e);
        } catch (IOException | RuntimeException e) {
            return new ChatResult.Problem(Cli.message(e), e);
        }
    }

    private ChatResult command(String text, TokenListener listener) throws IOException {
        String[] parts = text.split("\\s+", 2);
        String argument = parts.length == 1 ? "" : parts[1];
        ChatVerb verb = ChatVerb.of(parts[0]);
        return switch (verb) {
            case HELP -> new ChatResult.Listing("help", ChatVerb.help());
            case PERSONA -> persona(argument);
            case SUGGEST -> suggest(none(verb, argument));
            case RANK -> rank(argument);
            case HISTORY -> history(none(verb, argument));
            case UNDO -> undo(none(verb, argument));
            case RETRY -> retry(none(verb, argument), listener);
            case SET -> set(argument);
            case SAVE -> save(file(verb, argument));
            case LOAD -> load(file(verb, argument));
            case RESET -> reset(none(verb, argument));
            case QUIT -> quit(none(verb, argument));
        };
    }

    private static String none(ChatVerb verb, String argument) {
        if (!argument.isEmpty()) {
            throw new UsageException(
                    verb.typed() + " stands alone; there is '" + Texts.shortened(argument) + "' behind it");
        }
        return argument;
    }

    private static Path file(ChatVerb verb, String argument) {
        if (argument.isEmpty()) {
            throw new UsageException(verb.typed() + " needs the name of a file");
        }
        try {
            return Path.of(argument);
        } catch (InvalidPathException e) {
            throw new UsageException("'" + Texts.shortened(argument) + "' is not a file name");
        }
    }

    private ChatResult say(String text, TokenListener listener) {
        List<String> history = texts(utterances.size());
        history.add(text);
        GenerationResult reply = reply(bot, new Dialog(persona, history), listener);
        boolean stopped = reply.finishReason() == FinishReason.CANCELLED;
        if (stopped && reply.text().isEmpty()) {
            return new ChatResult.Problem("stopped before a word was written; what you said is taken back", null);
        }
        utterances.add(new Utterance(Speaker.USER, text, false));
        utterances.add(new Utterance(Speaker.BOT, reply.text(), stopped));
        return new ChatResult.Reply(reply, stopped);
    }

    /** What the first so many utterances say. */
    private List<String> texts(int count) {
        List<String> texts = new ArrayList<>();
        utterances.subList(0, count).forEach(utterance -> texts.add(utterance.text()));
        return texts;
    }

    private GenerationResult reply(ChatPartner partner, Dialog dialog, TokenListener listener) {
        // Each reply has random numbers of its own: the same again would be no second try.
        ReplyOptions options = settings.options(GenerationOptions.seedOf(seed, drawn));
        GenerationResult reply = partner.reply(dialog, options, listener);
        drawn++;
        return reply;
    }

    private ChatResult retry(String none, TokenListener listener) {
        Utterance last = requireLast();
        Utterance said = utterances.get(utterances.size() - 2);
        List<Utterance> before = List.copyOf(utterances);
        takeBack();
        try {
            ChatResult result = say(said.text(), listener);
            if (result instanceof ChatResult.Reply) {
                return result;
            }
            restore(before);
            return new ChatResult.Problem("stopped before a word was written; the reply stays '"
                    + Texts.shortened(last.text()) + "'", null);
        } catch (RuntimeException e) {
            restore(before);
            throw e;
        }
    }

    private Utterance requireLast() {
        if (utterances.isEmpty()) {
            throw new UsageException("nothing has been said yet");
        }
        return utterances.getLast();
    }

    private void takeBack() {
        utterances.removeLast();
        utterances.removeLast();
    }

    private void restore(List<Utterance> before) {
        utterances.clear();
        utterances.addAll(before);
    }

    private ChatResult undo(String none) {
        requireLast();
        takeBack();
        return new ChatResult.Done("taken back; " + utterances.size() + " utterances are left");
    }

    private ChatResult reset(String none) {
        utterances.clear();
        return new ChatResult.Done("a new conversation");
    }

    private ChatResult quit(String none) {
        ended = true;
        return new ChatResult.Nothing();
    }

    private ChatResult suggest(String none) {
        if (user == null) {
            user = partners.get();
        }
        return new ChatResult.Suggestion(
                reply(user, new Dialog(userPersona, texts(utterances.size())), TokenListener.NONE));
    }

    private ChatResult rank(String argument) {
        List<String> candidates = sentences(argument);
        if (candidates.size() < 2) {
            throw new UsageException("/rank compares replies; expected two or more, with | between them");
        }
        requireLast();
        Dialog dialog = new Dialog(persona, texts(utterances.size() - 1));
        return new ChatResult.Ranking(bot.rank(dialog, candidates, settings.historyTurns()));
    }

    /** What stands between bars. */
    private static List<String> sentences(String text) {
        return Arrays.stream(text.split("\\|")).map(String::strip).filter(part -> !part.isEmpty()).toList();
    }

    private ChatResult persona(String argument) {
        String[] parts = argument.split("\\s+", 2);
        String rest = parts.length == 1 ? "" : parts[1];
        switch (parts[0]) {
            case "" -> {
                // To be shown as it is.
            }
            case "shuffle" -> {
                List<String> shuffled = new ArrayList<>(persona);
                Collections.shuffle(shuffled, random);
                persona = List.copyOf(shuffled);
            }
            case "random" -> persona = personalities.another(persona, random);
            case "set" -> persona = sentences(rest);
            case "add" -> {
                List<String> longer = new ArrayList<>(persona);
                if (!longer.addAll(sentences(rest))) {
                    throw new UsageException("/persona add needs a sentence");
                }
                persona = List.copyOf(longer);
            }
            default -> throw new UsageException("/persona has no '" + Texts.shortened(parts[0])
                    + "'; expected shuffle, random, set or add");
        }
        return new ChatResult.Listing("persona", persona);
    }

    private ChatResult history(String none) {
        return new ChatResult.Listing("history", utterances.stream().map(ChatSession::line).toList());
    }

    private static String line(Utterance utterance) {
        return (utterance.speaker() == Speaker.USER ? "you> " : "bot> ") + utterance.text()
                + (utterance.stopped() ? " [stopped]" : "");
    }

    private ChatResult set(String argument) {
        if (argument.isEmpty()) {
            List<String> lines = new ArrayList<>();
            settings.effective().forEach((name, value) -> lines.add(name + " " + value));
            return new ChatResult.Listing("settings", lines);
        }
        String[] parts = argument.split("[\\s=]+");
        if (parts.length != 2) {
            throw new UsageException("/set needs a name and a value, such as /set temperature 0.7");
        }
        String name = parts[0].startsWith("--") ? parts[0].substring(2) : parts[0];
        use(settings.with(name, parts[1]));
        return new ChatResult.Done(name + " " + settings.effective().getOrDefault(name, "default"));
    }

    private ChatResult save(Path file) throws IOException {
        Conversation conversation = new Conversation(model, persona, userPersona, settings.given(), seed, drawn,
                utterances);
        OutputFile.check(file);
        OutputFile.write(file, ConversationFile.text(conversation));
        return new ChatResult.Done("saved " + utterances.size() + " utterances to " + file);
    }

    private ChatResult load(Path file) throws IOException {
        Conversation conversation = ConversationFile.read(file);
        ReplySettings loaded;
        try {
            loaded = ReplySettings.of(conversation.sampling());
        } catch (UsageException e) {
            throw new IOException(file + " is not a saved conversation: " + e.getMessage(), e);
        }
        settings = loaded;
        seed = loaded.draw.seed == null ? conversation.seed() : loaded.draw.seed;
        random = new Random(seed);
        persona = conversation.persona();
        userPersona = conversation.userPersona();
        drawn = conversation.drawn();
        restore(conversation.utterances());
        String other = conversation.model().equals(model)
                ? ""
                : "; it was had with another model, " + conversation.model();
        return new ChatResult.Done("loaded " + utterances.size() + " utterances of " + file + other);
    }

    /**
     * Goes on with a saved conversation; what is given changes its settings.
     *
     * @throws IOException if the file cannot be read, or is no conversation
     */
    ChatResult resume(Path file, ReplySettings given) throws IOException {
        ChatResult result = load(file);
        for (var setting : given.given().entrySet()) {
            use(settings.with(setting.getKey(), setting.getValue()));
        }
        return result;
    }

    @Override
    public void close() {
        bot.close();
        if (user != null) {
            user.close();
        }
    }
}
