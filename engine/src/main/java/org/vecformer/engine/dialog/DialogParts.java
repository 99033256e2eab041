package org.vecformer.engine.dialog;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.vecformer.engine.generation.PromptTooLongException;

/**
 * The parts of a dialog that fit, as tokens.
 *
 * @param persona    what stands first
 * @param utterances the last ones of the history
 * @param opening    what the reply stands behind
 */
record DialogParts(int[] persona, List<int[]> utterances, int[] opening) {

    /**
     * Leaves out the oldest utterances that do not fit, but neither persona nor last utterance.
     *
     * @param persona   with what stands around it
     * @param history   how many utterances there are
     * @param utterance of each by its distance from the reply: 1 is the last one; with what stands around it
     * @param opening   what the reply stands behind
     * @param room      the most tokens
     * @throws PromptTooLongException if persona, last utterance and opening have more
     */
    static DialogParts fitting(int[] persona, int history, IntFunction<int[]> utterance, int[] opening, int room) {
        List<int[]> utterances = new ArrayList<>();
        int length = persona.length + opening.length;
        for (int distance = 1; distance <= history; distance++) {
            int[] next = utterance.apply(distance);
            if (distance > 1 && next.length > room - length) {
                break;
            }
            utterances.add(next);
            length += next.length;
        }
        if (length > room) {
            throw new PromptTooLongException("the persona" + (history > 0 ? " and the last utterance" : "") + " take "
                    + length + " tokens, and beside the reply there is room for " + Math.max(0, room)
                    + " in the model's context: shorten them or the reply");
        }
        return new DialogParts(persona, utterances.reversed(), opening);
    }

    /** All parts, in order. */
    List<int[]> blocks() {
        List<int[]> blocks = new ArrayList<>(utterances);
        blocks.addFirst(persona);
        blocks.add(opening);
        return blocks;
    }

    /** All tokens, one after the other. */
    int[] ids() {
        return blocks().stream().flatMapToInt(Arrays::stream).toArray();
    }
}
