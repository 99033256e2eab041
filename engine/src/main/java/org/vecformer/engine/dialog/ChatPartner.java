package org.vecformer.engine.dialog;

import java.util.List;
import java.util.concurrent.CancellationException;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.ClosedException;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.PromptTooLongException;
import org.vecformer.engine.generation.TokenListener;

/**
 * One who answers in a conversation. Owns a session: used by one thread at a time, {@link #cancel} from any; several
 * share a model. What it has read of a conversation it need not read again in the next turn: for each role (the bot, and
 * the user for whom replies are suggested) open one of its own.
 */
public sealed interface ChatPartner extends AutoCloseable permits GptPartner, BertPartner {

    /**
     * Writes a reply.
     *
     * @param listener told each token; its texts together are the result's
     * @return the reply, whose text has no white space around it; after {@link #cancel} with the reason CANCELLED
     * @throws PromptTooLongException if persona, last utterance and the most tokens of a reply do not fit the model's
     *                                context
     */
    default GenerationResult reply(Dialog dialog, ReplyOptions options, TokenListener listener) {
        return reply(dialog, options, listener, new Cancellation());
    }

    /** As {@link #reply(Dialog, ReplyOptions, TokenListener)}, which the cancellation may end. */
    GenerationResult reply(Dialog dialog, ReplyOptions options, TokenListener listener, Cancellation cancellation);

    /**
     * Compares replies. An empty one is what ends a reply, alone.
     *
     * @param historyTurns see {@link Dialog#lastTurns}
     * @return one for each candidate, the best first, equal ones in the candidates' order
     * @throws PromptTooLongException        if persona, last utterance and the longest candidate do not fit the model's
     *                                       context
     * @throws UnsupportedOperationException if the model has nothing to compare them by
     * @throws CancellationException         if it was cancelled
     */
    default List<RankedReply> rank(Dialog dialog, List<String> candidates, int historyTurns) {
        return rank(dialog, candidates, historyTurns, new Cancellation());
    }

    /** As {@link #rank(Dialog, List, int)}, which the cancellation may end. */
    List<RankedReply> rank(Dialog dialog, List<String> candidates, int historyTurns, Cancellation cancellation);

    /** How it reads dialogs, writes replies and ranks them, in a few words. */
    String description();

    /** Ends the reply or the ranking that runs, if any. From any thread. */
    void cancel();

    /**
     * Frees the session; the model stays open. A call that runs on another thread ends with a {@link ClosedException}, and
     * the session is freed behind it.
     */
    @Override
    void close();
}
