package org.vecformer.cli.dialog;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a PersonaChat file has, found out by reading it once.
 *
 * @param file     where it is
 * @param split    as it was asked for
 * @param dialogs  how many have examples
 * @param examples how many there are
 * @param bare     how many of them have no candidates but gold
 * @param fewest   the fewest candidates, gold included, of one that has others; 0 if there is none
 * @param pool     what distractors are drawn from if any are needed: every gold with its dialog
 */
public record ExampleFile(Path file, String split, int dialogs, int examples, int bare, int fewest,
        List<NumberedReply> pool) {

    /** How many candidates examples get that have none, as those of ConvAI2 have. */
    public static final int CANDIDATES = 20;

    /** A reply of a dialog. */
    public record NumberedReply(int dialog, String text) {}

    /**
     * Reads a file.
     *
     * @throws IOException as {@link ExampleReader}, and if there are no examples
     */
    public static ExampleFile scan(Path file, String split) throws IOException {
        List<NumberedReply> pool = new ArrayList<>();
        int dialogs = 0;
        int last = 0;
        int bare = 0;
        int fewest = 0;
        try (ExampleReader reader = ExampleReader.open(file, split)) {
            for (NumberedExample next = reader.next(); next != null; next = reader.next()) {
                int candidates = next.example().candidates().size();
                pool.add(new NumberedReply(next.dialog(), next.example().gold()));
                dialogs += next.dialog() == last ? 0 : 1;
                last = next.dialog();
                if (candidates == 1) {
                    bare++;
                } else {
                    fewest = fewest == 0 ? candidates : Math.min(fewest, candidates);
                }
            }
        }
        if (pool.isEmpty()) {
            throw new IOException(file + " has no replies to evaluate");
        }
        return new ExampleFile(file, split, dialogs, pool.size(), bare, fewest, bare == 0 ? List.of() : pool);
    }

    /**
     * Its examples, with candidates.
     *
     * @param candidates how many, gold included: the last ones of those in the file; null for all of them, or
     *                   {@link #CANDIDATES} where there are none
     * @param seed       of the random generator that draws distractors where there are none
     * @throws IOException if the file cannot be read, or has fewer candidates
     */
    public CandidateExamples open(Integer candidates, long seed) throws IOException {
        if (candidates != null && fewest > 0 && candidates > fewest) {
            throw new IOException(file + " has examples with " + fewest + " candidates; " + candidates
                    + " were asked for");
        }
        return new CandidateExamples(this, candidates, seed);
    }
}
