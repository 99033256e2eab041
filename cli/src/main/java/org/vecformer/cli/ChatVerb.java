package org.vecformer.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What can be asked of a chat beside saying something: a line that begins with a slash. */
enum ChatVerb {
    HELP("", "this list"),
    PERSONA("[shuffle | random | set A | B | add A]", "who the model is; its sentences in another order, another"
            + " personality, these sentences, or one more"),
    SUGGEST("", "what you could say: the model in your shoes"),
    RANK("REPLY | REPLY ...", "how well replies would answer what you said last, the best first"),
    HISTORY("", "what was said"),
    UNDO("", "takes back what you said last, and its reply"),
    RETRY("", "another reply to what you said last"),
    SET("[NAME VALUE]",
            "how replies are written; one of chat's options, such as temperature 0.7; default for its default"),
    SAVE("FILE", "writes the conversation to a file"),
    LOAD("FILE", "goes on with a saved conversation"),
    RESET("", "begins anew, with the same persona"),
    QUIT("", "ends the chat");

    private final String arguments;
    private final String description;

    ChatVerb(String arguments, String description) {
        this.arguments = arguments;
        this.description = description;
    }

    /** As it is typed. */
    String typed() {
        return "/" + name().toLowerCase(Locale.ROOT);
    }

    static List<String> allTyped() {
        return Arrays.stream(values()).map(ChatVerb::typed).toList();
    }

    /** @throws UsageException if there is none of this name */
    static ChatVerb of(String typed) {
        return Arrays.stream(values()).filter(verb -> verb.typed().equals(typed)).findFirst()
                .orElseThrow(() -> new UsageException("there is no command " + Texts.shortened(typed) + "; "
                        + Nearest.advice(typed, allTyped())));
    }

    /** A line of help for each. */
    static List<String> help() {
        return Arrays.stream(values())
                .map(verb -> (verb.typed() + " " + verb.arguments).strip() + " - " + verb.description).toList();
    }
}
