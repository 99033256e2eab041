package org.vecformer.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.model.Trace;
import org.vecformer.loader.GptConfig;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;

/** One run of a GPT, its numbers into a file. */
final class GptForward {
    private final Gpt gpt;
    private final GptConfig config;
    private final int[] tokens;
    private final int[] types;
    private final boolean allHidden;

    /**
     * @param types a token for each token, whose embedding is added; null for none
     * @throws CommandException if there are no tokens, or too many, or a type is none of the model's tokens
     */
    GptForward(LoadedGpt loaded, int[] tokens, int[] types, boolean allHidden) throws CommandException {
        this.gpt = loaded.gpt();
        this.config = gpt.config();
        this.tokens = tokens;
        this.types = types == null ? null : loaded.checked(types);
        this.allHidden = allHidden;
        if (tokens.length == 0 || tokens.length > config.contextLength()) {
            throw new CommandException(
                    "the input has " + tokens.length + " tokens; expected 1 to " + config.contextLength()
                            + ", the model's context length");
        }
    }

    private List<Declaration> declare() {
        int positions = tokens.length;
        List<Declaration> tensors = new ArrayList<>();
        tensors.add(Declaration.f32("logits", positions, gpt.outputs()));
        tensors.add(Declaration.f32("last_hidden_state", positions, config.hiddenSize()));
        if (gpt.hasChoiceHead()) {
            tensors.add(Declaration.f32("mc_logits", 1));
        }
        for (int i = 0; allHidden && i <= config.layers(); i++) {
            tensors.add(Declaration.f32("hidden_" + i, positions, config.hiddenSize()));
        }
        return tensors;
    }

    /**
     * Runs and writes.
     *
     * @return what was written
     */
    List<Declaration> write(Path file) throws IOException {
        List<Declaration> tensors = declare();
        HiddenStates states = new HiddenStates(config.layers(), tokens.length, allHidden);
        try (Session session = gpt.openSession(SessionOptions.defaults());
                Sequence sequence = session.newSequence();
                SafetensorsWriter writer = SafetensorsWriter.create(file, tensors, Map.of())) {
            session.trace(states);
            Batch batch = session.batch();
            float[] row = new float[gpt.outputs()];
            float choice = 0;
            for (int from = 0; from < tokens.length;) {
                batch.clear();
                int to = Math.min(tokens.length, from + batch.room());
                batch.add(sequence, tokens, types, from, to, Logits.ALL);
                states.first = from;
                session.step(batch);
                for (int i = 0; i < session.logitsRows(); i++) {
                    session.logits(i, row);
                    writer.append(row);
                }
                if (gpt.hasChoiceHead()) {
                    choice = session.choice(session.logitsRows() - 1);
                }
                from = to;
            }
            append(writer, states.layers[config.layers()]);
            if (gpt.hasChoiceHead()) {
                writer.append(new float[]{choice});
            }
            for (int i = 0; allHidden && i <= config.layers(); i++) {
                append(writer, states.layers[i]);
            }
            writer.finish();
        }
        return tensors;
    }

    private static void append(SafetensorsWriter writer, float[][] rows) throws IOException {
        for (float[] row : rows) {
            writer.append(row);
        }
    }

    /** Keeps the hidden states of all steps: of each layer, or of the last one. */
    private static final class HiddenStates implements Trace {
        private final float[][][] layers;
        private int first;

        HiddenStates(int last, int positions, boolean all) {
            layers = new float[last + 1][][];
            for (int i = all ? 0 : last; i <= last; i++) {
                layers[i] = new float[positions][];
            }
        }

        @Override
        public void hidden(int layer, int row, float[] state) {
            if (layers[layer] != null) {
                layers[layer][first + row] = state;
            }
        }
    }
}
