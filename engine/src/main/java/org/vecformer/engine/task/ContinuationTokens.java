package org.vecformer.engine.task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A prompt and what may follow it, as tokens: see {@link Scorer#compare(String, List)}.
 *
 * @param prompt        empty if the prompt is, or is white space only
 * @param continuations what follows
 */
record ContinuationTokens(int[] prompt, List<int[]> continuations) {

    static ContinuationTokens of(Tokenizer tokenizer, String prompt, List<String> continuations) {
        String stripped = prompt.stripTrailing();
        String moved = prompt.substring(stripped.length());
        int[] ids = tokenizer.ids(stripped);
        List<int[]> all = new ArrayList<>();
        for (String continuation : continuations) {
            int[] whole = tokenizer.ids(stripped + moved + continuation);
            boolean after = whole.length > ids.length && Arrays.mismatch(whole, ids) == ids.length;
            all.add(after
                    ? Arrays.copyOfRange(whole, ids.length, whole.length)
                    : tokenizer.ids(moved + continuation));
        }
        return new ContinuationTokens(ids, all);
    }
}
