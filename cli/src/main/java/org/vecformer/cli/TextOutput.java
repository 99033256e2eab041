package org.vecformer.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import org.vecformer.engine.generation.GeneratedSequence;
import org.vecformer.engine.generation.GeneratedToken;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.TextEnd;
import org.vecformer.engine.generation.TokenListener;

/**
 * Continuations on standard output: one as it comes; several, when all are there, each behind a line that tells its
 * number, why it ended, and its score.
 */
final class TextOutput implements TokenListener {
    private final StandardOutput out;
    private final boolean asIds;
    private final ProbabilityColours probabilities;
    private final List<Part> parts = new ArrayList<>();

    /** One of the texts. */
    private static final class Part {
        final StringBuilder waiting = new StringBuilder();
        /** Of the tokens whose text has not been shown yet. */
        double leastProbability = 1;
        boolean begun;
    }

    /**
     * @param sequences how many
     * @param asIds whether to write ids, for want of a tokenizer
     * @param probabilities how to show them; null to write plain text
     * @param before what stands before each text
     */
    TextOutput(StandardOutput out, int sequences, boolean asIds, ProbabilityColours probabilities, String before) {
        this.out = out;
        this.asIds = asIds;
        this.probabilities = probabilities;
        for (int i = 0; i < sequences; i++) {
            Part part = new Part();
            part.waiting.append(before);
            part.begun = !before.isEmpty();
            parts.add(part);
        }
    }

    /** Writes what stands before the text, if there is one text alone. */
    void begin() throws IOException {
        flushSingle();
    }

    @Override
    public void token(GeneratedToken token) {
        Part part = parts.get(token.sequence());
        if (probabilities != null) {
            part.leastProbability = Math.min(part.leastProbability, Math.exp(token.score().logprob()));
        }
        append(part, asIds ? (part.begun ? " " : "") + token.id() : token.text());
    }

    @Override
    public void finished(TextEnd end) {
        append(parts.get(end.sequence()), end.text());
    }

    private void append(Part part, String text) {
        if (!text.isEmpty()) {
            part.begun = true;
            part.waiting.append(probabilities == null ? text : probabilities.show(text, part.leastProbability));
            part.leastProbability = 1;
        }
        try {
            flushSingle();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void flushSingle() throws IOException {
        StringBuilder waiting = parts.get(0).waiting;
        if (parts.size() == 1 && !waiting.isEmpty()) {
            out.print(waiting.toString());
            out.flush();
            waiting.setLength(0);
        }
    }

    /** Writes the end of the text, or all texts if there are several. */
    void end(GenerationResult result) throws IOException {
        for (int i = 0; i < parts.size(); i++) {
            if (parts.size() > 1) {
                out.println(heading(result.sequences().get(i), i + 1, parts.size()));
                out.print(parts.get(i).waiting.toString());
            }
            out.println("");
        }
        out.flush();
    }

    /** {@code == 2 of 3 (eos, score -1.2345)}. */
    static String heading(GeneratedSequence sequence, int number, int of) {
        return "== " + number + " of " + of + " (" + facts(sequence) + ")";
    }

    /** Why it ended, and its score if it has one. */
    static String facts(GeneratedSequence sequence) {
        OptionalDouble score = sequence.score();
        return GenerationJson.reason(sequence)
                + (score.isPresent() ? String.format(Locale.ROOT, ", score %.4f", score.getAsDouble()) : "");
    }
}
