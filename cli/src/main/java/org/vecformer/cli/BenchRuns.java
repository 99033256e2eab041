package org.vecformer.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.EncoderBatch;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.yardstick.BertWork;
import org.vecformer.yardstick.GptWork;

/** The work that {@code bench} measures, on random tokens: which they are makes no difference to the speed. */
interface BenchRuns extends AutoCloseable {

    /** Reads the prompts of a batch, so many tokens each. */
    void readPrompts(int tokens);

    /** Generates so many tokens for each sequence of a batch. */
    void generate(int tokens);

    /** Operations for a token of a prompt of so many; 0 if nobody has counted them. */
    double flopsPerPromptToken(int tokens);

    /** Bytes of weights to be read for a token that is generated, in a batch of this size; 0 if nobody has counted. */
    double bytesPerNewToken();

    @Override
    void close();

    /**
     * The runs of a model.
     *
     * @param batchSize sequences at once
     * @param longest the most tokens of a sequence
     * @param stopped whether a run is to end early
     */
    static BenchRuns of(LoadedModel model, int batchSize, int longest, BooleanSupplier stopped) {
        return switch (model) {
            case LoadedGpt loaded -> new OfGpt(loaded, batchSize, longest, stopped);
            case LoadedBert loaded -> new OfBert(loaded, batchSize, stopped);
        };
    }

    private static int[] randomIds(LoadedModel model, int count) {
        return new SplittableRandom(1).ints(count, 0, model.vocabularySize()).toArray();
    }

    /** A decoder: steps of rows, with a cache. */
    final class OfGpt implements BenchRuns {
        private static final int STEP_ROWS = 128;
        /** The cache gives memory to sequences in whole pages. */
        private static final int PAGE = 256;

        private final LoadedGpt model;
        private final int batchSize;
        private final BooleanSupplier stopped;
        private final Session session;

        private OfGpt(LoadedGpt model, int batchSize, int longest, BooleanSupplier stopped) {
            this.model = model;
            this.batchSize = batchSize;
            this.stopped = stopped;
            long cached = (long) batchSize * Math.ceilDiv(longest, PAGE) * PAGE;
            session = model.gpt().openSession(new SessionOptions(cached, Math.max(STEP_ROWS, batchSize)));
        }

        @Override
        public void readPrompts(int tokens) {
            int[] ids = randomIds(model, tokens);
            List<Sequence> sequences = open();
            try {
                Batch batch = session.batch();
                batch.clear();
                for (Sequence sequence : sequences) {
                    for (int from = 0; from < tokens;) {
                        if (batch.room() == 0) {
                            session.step(batch);
                            batch.clear();
                            if (stopped.getAsBoolean()) {
                                return;
                            }
                        }
                        int to = Math.min(tokens, from + batch.room());
                        batch.add(sequence, ids, from, to, to == tokens ? Logits.LAST : Logits.NONE);
                        from = to;
                    }
                }
                session.step(batch);
                session.await();
            } finally {
                sequences.forEach(Sequence::close);
            }
        }

        @Override
        public void generate(int tokens) {
            int[] ids = randomIds(model, tokens);
            List<Sequence> sequences = open();
            try {
                Batch batch = session.batch();
                for (int i = 0; i < tokens && !stopped.getAsBoolean(); i++) {
                    batch.clear();
                    for (Sequence sequence : sequences) {
                        batch.add(sequence, ids, i, i + 1, Logits.LAST);
                    }
                    session.step(batch);
                    // Whoever generates has to know a token before the next one can be computed.
                    session.await();
                }
            } finally {
                sequences.forEach(Sequence::close);
            }
        }

        @Override
        public double flopsPerPromptToken(int tokens) {
            return languageModel() ? (double) GptWork.flopsPerPrompt(model.gpt().config(), tokens) / tokens : 0;
        }

        @Override
        public double bytesPerNewToken() {
            return languageModel()
                    ? (double) GptWork.bytesPerToken(model.gpt().config(), model.weightType()) / batchSize
                    : 0;
        }

        /** A classifier has not the output layer that is counted. */
        private boolean languageModel() {
            return model.gpt().isLanguageModel();
        }

        private List<Sequence> open() {
            List<Sequence> sequences = new ArrayList<>();
            for (int i = 0; i < batchSize; i++) {
                sequences.add(session.newSequence());
            }
            return sequences;
        }

        @Override
        public void close() {
            session.close();
        }
    }

    /** An encoder: whole sequences, as many in a run as tasks put there. */
    final class OfBert implements BenchRuns {
        private final LoadedBert model;
        private final int batchSize;
        private final BooleanSupplier stopped;
        private final EncoderSession session;

        private OfBert(LoadedBert model, int batchSize, BooleanSupplier stopped) {
            this.model = model;
            this.batchSize = batchSize;
            this.stopped = stopped;
            session = model.bert().openSession(EncoderOptions.defaults());
        }

        @Override
        public void readPrompts(int tokens) {
            EncoderInput input = EncoderInput.of(randomIds(model, tokens));
            EncoderBatch batch = session.batch();
            batch.clear();
            for (int i = 0; i < batchSize; i++) {
                if (!batch.fits(tokens)) {
                    session.run(batch);
                    batch.clear();
                    if (stopped.getAsBoolean()) {
                        return;
                    }
                }
                batch.add(input);
            }
            session.run(batch);
            session.await();
        }

        @Override
        public void generate(int tokens) {
            throw new UnsupportedOperationException("an encoder generates nothing");
        }

        @Override
        public double flopsPerPromptToken(int tokens) {
            return (double) BertWork.flops(model.bert().config(), List.of(tokens)) / tokens;
        }

        @Override
        public double bytesPerNewToken() {
            return 0;
        }

        @Override
        public void close() {
            session.close();
        }
    }
}
