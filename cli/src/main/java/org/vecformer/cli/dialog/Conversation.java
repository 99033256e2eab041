package org.vecformer.cli.dialog;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A conversation between a user and a bot, as it is saved. Immutable.
 *
 * @param model       the bot's model, as the user named it
 * @param persona     sentences that say who the bot is
 * @param userPersona sentences that say who the user is, for suggestions
 * @param sampling    how replies are written: values of the options of {@code chat} that were given, by their names
 *                    without the dashes
 * @param seed        what draws the replies
 * @param drawn       how many replies have been drawn, those included that are not there any more: the next one's random
 *                    numbers depend on it
 * @param utterances  what was said: the user begins, the two take turns, and the bot has the last word
 */
public record Conversation(String model, List<String> persona, List<String> userPersona, Map<String, String> sampling,
        long seed, int drawn, List<Utterance> utterances) {

    /**
     * Something that was said.
     *
     * @param speaker who said it
     * @param text    what
     * @param stopped whether the user stopped it before its end
     */
    public record Utterance(Speaker speaker, String text, boolean stopped) {}

    /** Who speaks. */
    public enum Speaker {
        USER, BOT;

        /** Who says the utterance with this index. */
        public static Speaker of(int utterance) {
            return utterance % 2 == 0 ? USER : BOT;
        }
    }

    /** @throws IllegalArgumentException if the two do not take turns, or a number is negative */
    public Conversation {
        persona = List.copyOf(persona);
        userPersona = List.copyOf(userPersona);
        sampling = Collections.unmodifiableMap(new LinkedHashMap<>(sampling));
        utterances = List.copyOf(utterances);
        if (drawn < 0) {
            throw new IllegalArgumentException("the number of drawn replies is " + drawn + "; expected 0 or more");
        }
        for (int i = 0; i < utterances.size(); i++) {
            if (utterances.get(i).speaker() != Speaker.of(i)) {
                throw new IllegalArgumentException("utterance " + (i + 1)
                        + " is by the one who spoke before; expected user and bot in turn, the user first");
            }
        }
        if (utterances.size() % 2 != 0) {
            throw new IllegalArgumentException("the last utterance is the user's; expected a reply behind it");
        }
    }
}
