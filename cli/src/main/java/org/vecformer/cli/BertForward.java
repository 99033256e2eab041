package org.vecformer.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderBatch;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.Trace;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;

/** One run of a BERT, its numbers into a file. */
final class BertForward {
    private final Bert bert;
    private final EncoderInput input;
    private final boolean allHidden;
    private final int width;
    private final List<Output> outputs = new ArrayList<>();

    /** Tells one row of a tensor. */
    private interface Rows {
        void row(EncoderSession session, int position, float[] destination);
    }

    /** A tensor of the file: rows of positions, or one of the sequence (no position). */
    private record Output(Declaration declaration, boolean ofPositions, int columns, Rows rows) {}

    BertForward(Bert bert, EncoderInput input, boolean allHidden) throws CommandException {
        this.bert = bert;
        this.input = input;
        this.allHidden = allHidden;
        this.width = bert.config().hiddenSize();
        boolean pooled = bert.hasPooler();
        if (pooled && input.length() > 0 && input.attentionMask()[0] == 0) {
            throw new CommandException("the first position, which the pooler reads, is not attended to");
        }
        declareHeads();
        declare("last_hidden_state", true, width, (session, i, row) -> session.hidden(0, i, row));
        if (pooled) {
            declare("pooler_output", false, width, (session, _, row) -> session.pooled(0, row));
        }
    }

    /** The model's own head has the name logits, and what is beside it a name that tells more. */
    private void declareHeads() {
        List<Head> heads = List.of(Head.SEQUENCE_CLASSIFIER, Head.TOKEN_CLASSIFIER, Head.QUESTION_ANSWERING,
                Head.MULTIPLE_CHOICE, Head.MASKED_LM, Head.NEXT_SENTENCE).stream().filter(bert::has).toList();
        for (Head head : heads) {
            boolean first = head == heads.getFirst();
            int columns = bert.outputs(head);
            switch (head) {
                case SEQUENCE_CLASSIFIER, MULTIPLE_CHOICE -> declare("logits", false, columns,
                        (session, _, row) -> session.scores(0, row));
                case TOKEN_CLASSIFIER, QUESTION_ANSWERING -> declare("logits", true, columns,
                        (session, i, row) -> session.tokenScores(0, i, row));
                case MASKED_LM -> declare(first ? "logits" : "prediction_logits", true, columns, (session, i, row) -> {
                    if (input.attentionMask()[i] == 1) {
                        session.vocabularyLogits(0, i, row);
                    }
                });
                case NEXT_SENTENCE -> declare(first ? "logits" : "seq_relationship_logits", false, columns,
                        (session, _, row) -> session.nextSentence(0, row));
            }
        }
    }

    private void declare(String name, boolean ofPositions, int columns, Rows rows) {
        Declaration declaration = ofPositions
                ? Declaration.f32(name, input.length(), columns)
                : Declaration.f32(name, columns);
        outputs.add(new Output(declaration, ofPositions, columns, rows));
    }

    /**
     * Runs and writes.
     *
     * @return what was written
     */
    List<Declaration> write(Path file) throws IOException {
        int[] attended = IntStream.range(0, input.length()).filter(i -> input.attentionMask()[i] == 1).toArray();
        HiddenStates states = new HiddenStates(bert.config().layers(), attended.length);
        List<Declaration> declarations = new ArrayList<>(outputs.stream().map(Output::declaration).toList());
        for (int i = 0; allHidden && i < states.layers.length; i++) {
            declarations.add(Declaration.f32("hidden_" + i, input.length(), width));
        }
        try (EncoderSession session = bert.openSession(EncoderOptions.defaults())) {
            EncoderBatch batch = session.batch();
            batch.add(input, bert.has(Head.MASKED_LM) ? attended : new int[0]);
            if (allHidden) {
                session.trace(states);
            }
            session.run(batch);
            try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of())) {
                for (Output output : outputs) {
                    for (int i = 0; i < (output.ofPositions ? input.length() : 1); i++) {
                        float[] row = new float[output.columns];
                        output.rows.row(session, i, row);
                        writer.append(row);
                    }
                }
                for (int layer = 0; allHidden && layer < states.layers.length; layer++) {
                    for (int i = 0; i < input.length(); i++) {
                        int row = batch.row(0, i);
                        writer.append(row < 0 ? new float[width] : states.layers[layer][row]);
                    }
                }
                writer.finish();
            }
        }
        return declarations;
    }

    /** Keeps the hidden states of all layers, row by row. */
    private static final class HiddenStates implements Trace {
        private final float[][][] layers;

        HiddenStates(int last, int rows) {
            layers = new float[last + 1][rows][];
        }

        @Override
        public void hidden(int layer, int row, float[] state) {
            layers[layer][row] = state;
        }
    }
}
