package org.vecformer.cli.dialog;

import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.vecformer.engine.dialog.DialogExample;

/**
 * The examples of a file with as many candidates as are wanted. Where the file has none, distractors are drawn from the
 * replies of the other dialogs, each text once and none that says what gold says, so that which ones they are depends on
 * the file, the seed and the number alone. Not thread-safe.
 */
public final class CandidateExamples implements Closeable {

    private final ExampleFile file;
    private final Integer candidates;
    private final ExampleReader reader;
    private final SplittableRandom random;
    /** Indices of the pool, in an order that changes with each draw. */
    private final int[] order;

    CandidateExamples(ExampleFile file, Integer candidates, long seed) throws IOException {
        this.file = file;
        this.candidates = candidates;
        random = new SplittableRandom(seed);
        order = new int[file.pool().size()];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        reader = ExampleReader.open(file.file(), file.split());
    }

    /**
     * The next example; null behind the last one.
     *
     * @throws IOException if the file cannot be read, or there are too few replies to draw from
     */
    public DialogExample next() throws IOException {
        NumberedExample next = reader.next();
        if (next == null) {
            return null;
        }
        DialogExample example = next.example();
        List<String> given = example.candidates();
        if (given.size() == 1) {
            List<String> drawn = draw(next.dialog(), example.gold(),
                    (candidates == null ? ExampleFile.CANDIDATES : candidates) - 1);
            drawn.add(example.gold());
            return new DialogExample(example.persona(), example.history(), drawn);
        }
        return candidates == null
                ? example
                : new DialogExample(example.persona(), example.history(),
                        given.subList(given.size() - candidates, given.size()));
    }

    /** A shuffle (Fisher and Yates) that ends when enough are found. */
    private List<String> draw(int dialog, String gold, int count) throws IOException {
        List<String> drawn = new ArrayList<>();
        Set<String> known = new HashSet<>(Set.of(gold));
        for (int i = 0; drawn.size() < count; i++) {
            if (i == order.length) {
                throw new IOException(file.file() + " has " + drawn.size() + " different replies of other dialogs than "
                        + "dialog " + dialog + " to draw from; " + count + " are needed: ask for fewer candidates");
            }
            int other = random.nextInt(i, order.length);
            int chosen = order[other];
            order[other] = order[i];
            order[i] = chosen;
            ExampleFile.NumberedReply reply = file.pool().get(chosen);
            if (reply.dialog() != dialog && known.add(reply.text())) {
                drawn.add(reply.text());
            }
        }
        return drawn;
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
