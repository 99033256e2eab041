package org.vecformer.cli;

import java.util.List;
import org.vecformer.engine.dialog.RankedReply;
import org.vecformer.engine.generation.GenerationResult;

/** What comes of a line of a chat. */
sealed interface ChatResult {

    /** The model's reply. */
    record Reply(GenerationResult reply, boolean stopped) implements ChatResult {}

    /** What the user could say. */
    record Suggestion(GenerationResult suggestion) implements ChatResult {}

    /** Replies, the best first. */
    record Ranking(List<RankedReply> replies) implements ChatResult {}

    /** What was asked to be shown. */
    record Listing(String name, List<String> lines) implements ChatResult {}

    /** Something was done; said in a sentence. */
    record Done(String sentence) implements ChatResult {}

    /** Something could not be done, and nothing has changed; said in a sentence. */
    record Problem(String sentence, Throwable cause) implements ChatResult {}

    /** There was nothing in the line. */
    record Nothing() implements ChatResult {}
}
