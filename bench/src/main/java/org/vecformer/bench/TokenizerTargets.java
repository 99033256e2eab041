package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.vecformer.bench.TargetsReport.Options;
import org.vecformer.yardstick.Samples;

/** Both tokenizers on a text and on sources, on one thread, by {@link TokenizerReport}. */
record TokenizerTargets(Options options, Rivals rivals) implements TargetsReport.Part {

    private static final String OFFSETS_TOO = "Hugging Face";

    @Override
    public void measure(Consumer<Target> rows) throws IOException {
        measure("GPT-2", options.gpt2(), "--gpt2", "jtokkit", 1.3, rows);
        measure("BERT", options.minilm(), "--minilm", OFFSETS_TOO, 8, rows);
    }

    private void measure(String name, Optional<Path> folder, String option, String peer, double goal,
            Consumer<Target> rows) throws IOException {
        measure(name + " tokenizer, text", folder, option, options.text(), "--text", peer, goal, rows);
        measure(name + " tokenizer, code", folder, option, options.code(), "--code", peer, goal, rows);
    }

    private void measure(String name, Optional<Path> folder, String option, Optional<Path> text, String textOption,
            String peer, double goal, Consumer<Target> rows) throws IOException {
        String goalText = ">= " + goal + " x " + peer;
        if (folder.isEmpty() || text.isEmpty()) {
            rows.accept(Target.missing(name, goalText, "give " + (folder.isEmpty() ? option : textOption)));
            return;
        }
        rows(name, goalText, goal, peer,
                TokenizerReport.rows(folder.get(), text.get(), rivals, options.rounds(), options.seconds()))
                .forEach(rows);
    }

    /**
     * Our ids beside the peers of that name, or alone; and our ids with offsets beside Hugging Face's library, which
     * always computes them. The first row has our ids, the second our offsets too.
     */
    static List<Target> rows(String name, String goalText, double goal, String peer,
            List<TokenizerReport.Row> measured) {
        List<Target> rows = new ArrayList<>();
        for (TokenizerReport.Row row : measured) {
            if (row.name().startsWith(peer)) {
                rows.add(row(name, goalText, goal, row.ours(), row));
                if (peer.equals(OFFSETS_TOO)) {
                    rows.add(row(name + ", with offsets", goalText, goal, measured.get(1).speed(), row));
                }
            }
        }
        if (rows.isEmpty()) {
            rows.add(Target.of(name, goalText, measured.getFirst().speed().median(), "MB/s"));
        }
        return rows;
    }

    private static Target row(String name, String goalText, double goal, Samples ours, TokenizerReport.Row peer) {
        double ratio = ours.shareOf(1, peer.speed()).median();
        return Target.of(name, goalText, ours.median(), "MB/s").beside(peer.name(), peer.speed().median(), ratio)
                .reached(ratio >= goal);
    }
}
