package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.cli.dialog.Conversation.Speaker;
import org.vecformer.cli.dialog.Conversation.Utterance;
import org.vecformer.cli.dialog.Personalities;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.dialog.BertPartner;
import org.vecformer.engine.dialog.ChatPartner;
import org.vecformer.engine.dialog.Dialog;
import org.vecformer.engine.dialog.GptPartner;
import org.vecformer.engine.dialog.RankedReply;
import org.vecformer.engine.dialog.ReplyOptions;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.LoadOptions;

/** What each line does, without a screen; with the embedded model. */
class ChatSessionTest {
    private static final List<String> PERSONA = List.of("I like cats.", "I am tall.", "I have a hat.");
    private static final String[] SETTINGS = {"max-new-tokens", "8", "seed", "7"};

    private static LoadedGpt loaded;

    @TempDir
    Path folder;

    @BeforeAll
    static void model() throws IOException {
        loaded = ModelLoading.early(null);
    }

    @AfterAll
    static void close() {
        loaded.close();
    }

    private static ChatPartner partner() {
        return GptPartner.open(loaded.gpt(), loaded.tokenizer());
    }

    private static ReplySettings settings(String... namesAndValues) {
        ReplySettings settings = new ReplySettings();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            settings = settings.with(namesAndValues[i], namesAndValues[i + 1]);
        }
        return settings;
    }

    private static ChatSession session(String... settings) {
        return session(ChatSessionTest::partner, settings);
    }

    private static ChatSession session(Supplier<ChatPartner> partners, String... settings) {
        return new ChatSession("storyteller", partners, Personalities.builtIn(), PERSONA, List.of("I am small."),
                settings(settings));
    }

    private static ChatResult enter(ChatSession session, String line) throws IOException {
        return session.enter(line, TokenListener.NONE);
    }

    private static String reply(ChatSession session, String line) throws IOException {
        ChatResult result = enter(session, line);
        assertThat(result).isInstanceOf(ChatResult.Reply.class);
        return ((ChatResult.Reply) result).reply().text();
    }

    private static String problem(ChatSession session, String line) throws IOException {
        List<Utterance> before = List.copyOf(session.utterances());
        List<String> persona = session.persona();
        var settings = session.settings().given();
        ChatResult result = enter(session, line);
        assertThat(result).as(line).isInstanceOf(ChatResult.Problem.class);
        assertThat(session.utterances()).as(line).isEqualTo(before);
        assertThat(session.persona()).as(line).isEqualTo(persona);
        assertThat(session.settings().given()).as(line).isEqualTo(settings);
        return ((ChatResult.Problem) result).sentence();
    }

    private static List<String> listing(ChatSession session, String line) throws IOException {
        ChatResult result = enter(session, line);
        assertThat(result).isInstanceOf(ChatResult.Listing.class);
        return ((ChatResult.Listing) result).lines();
    }

    private static String done(ChatSession session, String line) throws IOException {
        ChatResult result = enter(session, line);
        assertThat(result).as(line).isInstanceOf(ChatResult.Done.class);
        return ((ChatResult.Done) result).sentence();
    }

    private static ReplyOptions options(int drawn) {
        return settings(SETTINGS).options(GenerationOptions.seedOf(7, drawn));
    }

    @Test
    void aReplyIsThePartnersToWhatWasSaid() throws IOException {
        try (ChatSession session = session(SETTINGS); ChatPartner partner = partner()) {
            StringBuilder streamed = new StringBuilder();
            TokenListener listener = new TokenListener() {
                @Override
                public void token(GeneratedToken token) {
                    streamed.append(token.text());
                }

                @Override
                public void finished(TextEnd end) {
                    streamed.append(end.text());
                }
            };
            ChatResult.Reply first = (ChatResult.Reply) session.enter("  Hello, who are you? ", listener);
            assertThat(first.stopped()).isFalse();
            String one = first.reply().text();
            assertThat(streamed.toString()).isEqualTo(one).isNotBlank();
            assertThat(one).isEqualTo(
                    partner.reply(new Dialog(PERSONA, List.of("Hello, who are you?")), options(0), TokenListener.NONE)
                            .text());
            String two = reply(session, "Do you like cats?");
            assertThat(two).isEqualTo(partner
                    .reply(new Dialog(PERSONA, List.of("Hello, who are you?", one, "Do you like cats?")), options(1),
                            TokenListener.NONE)
                    .text());
            assertThat(session.utterances()).extracting(Utterance::text).containsExactly("Hello, who are you?", one,
                    "Do you like cats?", two);
            assertThat(session.utterances()).extracting(Utterance::speaker).containsExactly(Speaker.USER, Speaker.BOT,
                    Speaker.USER, Speaker.BOT);
            assertThat(listing(session, "/history")).containsExactly("you> Hello, who are you?", "bot> " + one,
                    "you> Do you like cats?", "bot> " + two);
            assertThat(done(session, "/undo")).contains("2 utterances");
            assertThat(session.utterances()).hasSize(2);
            done(session, "/reset");
            assertThat(session.utterances()).isEmpty();
            assertThat(session.persona()).isEqualTo(PERSONA);
            assertThat(enter(session, " \t ")).isInstanceOf(ChatResult.Nothing.class);
        }
    }

    @Test
    void aSuggestionIsTheModelInTheUsersShoes() throws IOException {
        try (ChatSession session = session(SETTINGS); ChatPartner partner = partner()) {
            String opening = ((ChatResult.Suggestion) enter(session, "/suggest")).suggestion().text();
            assertThat(opening).isEqualTo(partner
                    .reply(new Dialog(List.of("I am small."), List.of()), options(0), TokenListener.NONE).text());
            String one = reply(session, "Hello!");
            String suggested = ((ChatResult.Suggestion) enter(session, "/suggest")).suggestion().text();
            assertThat(suggested).isEqualTo(partner.reply(new Dialog(List.of("I am small."), List.of("Hello!", one)),
                    options(2), TokenListener.NONE).text());
            assertThat(session.utterances()).hasSize(2);
        }
    }

    @Test
    void repliesAreRankedAsAnswersToWhatWasSaidLast() throws IOException {
        try (ChatSession session = session(SETTINGS); ChatPartner partner = partner()) {
            assertThat(problem(session, "/rank a | b")).isEqualTo("nothing has been said yet");
            reply(session, "Do you like cats?");
            ChatResult.Ranking ranking = (ChatResult.Ranking) enter(session,
                    "/rank Xylophone zebra | |Yes, I like cats. ");
            List<RankedReply> expected = partner.rank(new Dialog(PERSONA, List.of("Do you like cats?")),
                    List.of("Xylophone zebra", "Yes, I like cats."), 2);
            assertThat(ranking.replies()).isEqualTo(expected);
            assertThat(ranking.replies().getFirst().text()).isEqualTo("Yes, I like cats.");
            assertThat(problem(session, "/rank alone")).contains("two or more");
            assertThat(problem(session, "/rank")).contains("two or more");
        }
    }

    @Test
    void anotherReplyIsDrawnAnew() throws IOException {
        try (ChatSession session = session(SETTINGS)) {
            assertThat(problem(session, "/retry")).isEqualTo("nothing has been said yet");
            assertThat(problem(session, "/undo")).isEqualTo("nothing has been said yet");
            String first = reply(session, "Hello!");
            List<String> replies = new ArrayList<>(List.of(first));
            for (int i = 0; i < 3; i++) {
                replies.add(reply(session, "/retry"));
            }
            assertThat(replies.stream().distinct().count()).isGreaterThan(1);
            assertThat(session.utterances()).extracting(Utterance::text).containsExactly("Hello!", replies.getLast());
        }
    }

    @Test
    void theSameSeedIsTheSameConversation() throws IOException {
        List<String> lines = List.of("Hello!", "/suggest", "Who are you?", "/retry", "/persona shuffle",
                "/persona random", "And now?", "/history");
        List<List<String>> runs = new ArrayList<>();
        for (String seed : List.of("5", "5", "6")) {
            try (ChatSession session = session("seed", seed, "max-new-tokens", "8")) {
                for (String line : lines) {
                    enter(session, line);
                }
                runs.add(listing(session, "/history"));
                runs.add(session.persona());
            }
        }
        assertThat(runs.get(0)).isEqualTo(runs.get(2)).isNotEqualTo(runs.get(4));
        assertThat(runs.get(1)).isEqualTo(runs.get(3));
        try (ChatSession session = session("max-new-tokens", "8")) {
            enter(session, "/set seed 5");
            for (String line : lines) {
                enter(session, line);
            }
            assertThat(listing(session, "/history")).isEqualTo(runs.get(0));
        }
    }

    @Test
    void personas() throws IOException {
        try (ChatSession session = session("seed", "3")) {
            assertThat(listing(session, "/persona")).isEqualTo(PERSONA);
            List<List<String>> orders = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                orders.add(listing(session, "/persona shuffle"));
            }
            assertThat(orders).allSatisfy(order -> assertThat(order).containsExactlyInAnyOrderElementsOf(PERSONA));
            assertThat(orders.stream().distinct().count()).isGreaterThan(3);
            List<String> picked = listing(session, "/persona random");
            assertThat(Personalities.builtIn().all()).contains(picked);
            assertThat(session.persona()).isEqualTo(picked);
            assertThat(listing(session, "/persona set I am a cat. | I purr."))
                    .containsExactly("I am a cat.", "I purr.");
            assertThat(listing(session, "/persona add I sleep.")).containsExactly("I am a cat.", "I purr.", "I sleep.");
            assertThat(problem(session, "/persona add")).contains("/persona add needs");
            assertThat(problem(session, "/persona swap")).contains("'swap'").contains("shuffle");
            assertThat(listing(session, "/persona set")).isEmpty();
        }
        try (ChatSession any = new ChatSession("x", ChatSessionTest::partner, Personalities.builtIn(), null, List.of(),
                settings())) {
            assertThat(Personalities.builtIn().all()).contains(any.persona());
        }
    }

    @Test
    void settingsTakeEffectAndWrongOnesDoNot() throws IOException {
        try (ChatSession session = session("seed", "3")) {
            assertThat(listing(session, "/set")).contains("temperature 0.7", "max-new-tokens 20", "seed 3");
            assertThat(done(session, "/set max-new-tokens 3")).isEqualTo("max-new-tokens 3");
            assertThat(((ChatResult.Reply) enter(session, "Hello!")).reply().ids()).hasSizeLessThanOrEqualTo(3);
            done(session, "/set min-new-tokens 3");
            assertThat(((ChatResult.Reply) enter(session, "Hello!")).reply().ids()).hasSize(3);
            assertThat(done(session, "/set --temperature=0.3")).isEqualTo("temperature 0.3");
            assertThat(done(session, "/set temperature default")).isEqualTo("temperature 0.7");
            assertThat(problem(session, "/set temperature 0")).contains("--temperature is 0.0");
            assertThat(problem(session, "/set temperature")).contains("a name and a value");
            assertThat(problem(session, "/set tempeature 1")).contains("did you mean temperature?");
            assertThat(problem(session, "/set top-k x")).contains("'x'");
            assertThat(problem(session, "/hlep")).isEqualTo("there is no command /hlep; did you mean /help?");
            assertThat(problem(session, "/undo it")).isEqualTo("/undo stands alone; there is 'it' behind it");
            assertThat(listing(session, "/help")).hasSameSizeAs(ChatVerb.values());
            assertThat(session.ended()).isFalse();
            enter(session, "/quit");
            assertThat(session.ended()).isTrue();
        }
    }

    @Test
    void aSavedConversationGoesOnAsItWould() throws IOException {
        Path file = folder.resolve("a conversation.json");
        List<String> told;
        try (ChatSession session = session("seed", "11", "max-new-tokens", "6", "temperature", "1.2")) {
            reply(session, "Hello!");
            reply(session, "/retry");
            assertThat(done(session, "/save " + file)).isEqualTo("saved 2 utterances to " + file);
            reply(session, "Who are you?");
            enter(session, "/suggest");
            told = listing(session, "/history");
        }
        try (ChatSession session = session("greedy", "on")) {
            reply(session, "Something else");
            enter(session, "/persona random");
            assertThat(done(session, "/load " + file)).isEqualTo("loaded 2 utterances of " + file);
            assertThat(session.persona()).isEqualTo(PERSONA);
            assertThat(session.settings().given()).containsEntry("temperature", "1.2").doesNotContainKey("greedy");
            reply(session, "Who are you?");
            assertThat(listing(session, "/history")).isEqualTo(told);
        }
        // The seed that was taken where none was given is kept as well.
        Path drawn = folder.resolve("drawn.json");
        try (ChatSession session = session("max-new-tokens", "6")) {
            reply(session, "Hello!");
            done(session, "/save " + drawn);
            String next = reply(session, "Who are you?");
            done(session, "/load " + drawn);
            assertThat(reply(session, "Who are you?")).isEqualTo(next);
        }
        try (ChatSession other = new ChatSession("other", ChatSessionTest::partner, Personalities.builtIn(), PERSONA,
                List.of(), settings())) {
            assertThat(done(other, "/load " + file)).contains("another model, storyteller");
            other.resume(file, settings("temperature", "0.5"));
            assertThat(other.settings().given()).containsEntry("temperature", "0.5").containsEntry("seed", "11");
        }
    }

    @Test
    void filesThatAreNoConversationsChangeNothing() throws IOException {
        try (ChatSession session = session(SETTINGS)) {
            reply(session, "Hello!");
            Path bad = Files.writeString(folder.resolve("bad.json"), "{\"format\":\"vecformer-conversation\"}");
            assertThat(problem(session, "/load " + bad)).contains("bad.json is not a saved conversation");
            Path wrong = Files.writeString(folder.resolve("wrong.json"),
                    "{\"format\":\"vecformer-conversation\",\"version\":1,\"utterances\":[],\"persona\":[\"x\"],"
                            + "\"sampling\":{\"temperature\":-1}}");
            assertThat(problem(session, "/load " + wrong)).contains("wrong.json is not a saved conversation")
                    .contains("--temperature is -1.0");
            assertThat(problem(session, "/load " + folder.resolve("nowhere"))).contains("there is no file")
                    .contains("nowhere");
            assertThat(problem(session, "/load")).contains("/load needs the name of a file");
            assertThat(problem(session, "/load a\0b")).contains("not a file name");
            assertThat(problem(session, "/save " + folder)).contains("is a directory");
            assertThat(problem(session, "/save " + folder.resolve("no/where.json"))).contains("there is no directory");
        }
        try (var files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder("bad.json",
                    "wrong.json");
        }
    }

    @Test
    void aStoppedReplyStaysAsFarAsItWent() throws IOException {
        try (ChatSession session = session("min-new-tokens", "100", "max-new-tokens", "200", "seed", "1")) {
            ChatResult.Reply stopped = (ChatResult.Reply) session.enter("Hello!", token -> {
                if (!token.text().isBlank()) {
                    session.cancel();
                }
            });
            assertThat(stopped.stopped()).isTrue();
            assertThat(stopped.reply().ids()).hasSizeLessThan(10);
            assertThat(session.utterances().getLast())
                    .isEqualTo(new Utterance(Speaker.BOT, stopped.reply().text(), true));
            assertThat(listing(session, "/history").getLast()).endsWith(" [stopped]");
            done(session, "/set max-new-tokens default");
            done(session, "/set min-new-tokens default");
        }
    }

    @Test
    void whatDoesNotFitIsSaidAndTheChatGoesOn() throws IOException {
        try (ChatSession session = session(SETTINGS)) {
            reply(session, "Hello!");
            assertThat(problem(session, "word ".repeat(1000))).contains("room for 504");
            List<Utterance> before = List.copyOf(session.utterances());
            enter(session, "/persona set " + "I like long walks and longer talks. ".repeat(100));
            assertThat(problem(session, "Hello!")).contains("room for 504");
            assertThat(problem(session, "/retry")).contains("room for 504");
            assertThat(session.utterances()).isEqualTo(before);
            enter(session, "/persona set I like short walks.");
            assertThat(reply(session, "Hello!")).isNotBlank();
        }
    }

    @Test
    void whereNobodyReadsTheReplyTheChatEnds() {
        try (ChatSession session = session(SETTINGS)) {
            assertThatThrownBy(() -> session.enter("Hello!", _ -> {
                throw new UncheckedIOException(new OutputException(new IOException("Broken pipe")));
            })).isInstanceOf(OutputException.class);
        }
    }

    @Test
    void aBertChatsToo() throws IOException {
        Path directory = TinyBert.write(folder.resolve("bert"), "BertForPreTraining");
        try (LoadedBert bert = (LoadedBert) ModelLoading.load(directory.toString(), _ -> {
        }, EngineOptions.defaults(), LoadOptions.defaults());
                ChatSession session = session(() -> BertPartner.open(bert.bert(), bert.tokenizer()), "seed", "1",
                        "max-new-tokens", "5")) {
            enter(session, "/persona set bob is good.");
            assertThat(reply(session, "he has kids")).isNotEmpty();
            assertThat(((ChatResult.Ranking) enter(session, "/rank bob | three kids")).replies()).hasSize(2);
            assertThat(enter(session, "/suggest")).isInstanceOf(ChatResult.Suggestion.class);
        }
        Path masked = TinyBert.write(folder.resolve("masked"), "BertForMaskedLM");
        try (LoadedBert bert = (LoadedBert) ModelLoading.load(masked.toString(), _ -> {
        }, EngineOptions.defaults(), LoadOptions.defaults());
                ChatSession session = session(() -> BertPartner.open(bert.bert(), bert.tokenizer()), "seed", "1",
                        "max-new-tokens", "5")) {
            enter(session, "/persona set bob is good.");
            reply(session, "bob");
            assertThat(problem(session, "/rank a | b")).startsWith("the model has no next-sentence head");
        }
    }
}
