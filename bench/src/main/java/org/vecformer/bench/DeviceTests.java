package org.vecformer.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderBatch;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.tensor.KeyValueMemory;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.yardstick.BertWork;
import org.vecformer.yardstick.GptWork;
import org.vecformer.yardstick.Limit;

/** The tests of one model on a device, with the session that they run in. */
final class DeviceTests implements AutoCloseable {

    /** What issue 6 sets: a token of one sequence, 16-bit weights. */
    private static final double DECODE_GOAL = 0.60;
    /** What issue 6 sets: the largest batch of the encoder, float32. */
    private static final double ENCODER_GOAL = 0.40;

    /**
     * How large everything is.
     *
     * @param decodeTokens tokens that each sequence is given one by one, behind as many
     * @param batches      numbers of sequences that generate at once
     * @param prompts      lengths of prompts
     * @param encoderBatches numbers of sequences that are encoded at once, the largest first
     * @param encoderTokens  tokens of each
     */
    record Sizes(Gpt2Config gpt2, BertConfig bert, int decodeTokens, List<Integer> batches, List<Integer> prompts,
            List<Integer> encoderBatches, int encoderTokens) {

        /** The shapes that everybody knows. */
        static final Sizes USUAL = new Sizes(RandomModel.gpt2Small(), RandomModel.bertBase(), 64, List.of(1, 16),
                List.of(128, 512), List.of(32, 8), 128);
        /** To see that everything works. */
        static final Sizes SMALL = new Sizes(Gpt2Config.ofSizes(500, 128, 64, 2, 2),
                BertConfig.ofSizes(500, 64, 64, 2, 2), 4, List.of(1, 3), List.of(8, 40), List.of(3, 2), 16);

        private int longestPrompt() {
            return Collections.max(prompts);
        }

        private int mostSequences() {
            return Collections.max(batches);
        }
    }

    private final List<DeviceTest> tests = new ArrayList<>();
    private final AutoCloseable session;

    private DeviceTests(AutoCloseable session) {
        this.session = session;
    }

    List<DeviceTest> all() {
        return List.copyOf(tests);
    }

    /** Generation and prompts. */
    static DeviceTests of(Engine engine, Gpt model, WeightType type, Sizes sizes) {
        int cached = sizes.batches.stream().mapToInt(Integer::intValue).sum() * wholePages(2 * sizes.decodeTokens)
                + wholePages(sizes.longestPrompt());
        Session session = model.openSession(
                new SessionOptions(cached, Math.max(sizes.longestPrompt(), sizes.mostSequences())));
        DeviceTests tests = new DeviceTests(session);
        try {
            tests.add(engine, session, type, sizes);
            return tests;
        } catch (RuntimeException | Error e) {
            session.close();
            throw e;
        }
    }

    private void add(Engine engine, Session session, WeightType type, Sizes sizes) {
        Gpt model = session.model();
        double bytes = GptWork.bytesPerToken(model.config(), type);
        String weights = Arguments.spelt(type);
        for (int count : sizes.batches) {
            Decode decode = new Decode(engine, session, count, sizes.decodeTokens);
            tests.add(new DeviceTest("decode " + weights + (count == 1 ? "" : " x " + count),
                    count == 1 && type == WeightType.F16 ? DECODE_GOAL : Double.NaN, Limit.READ_BANDWIDTH,
                    bytes * sizes.decodeTokens / 1e9, count * sizes.decodeTokens, decode::run, decode::check));
        }
        for (int length : sizes.prompts) {
            Prompt prompt = new Prompt(engine, session, length);
            tests.add(new DeviceTest("prompt " + weights + " " + length, Double.NaN, Limit.FMA_PEAK,
                    GptWork.flopsPerPrompt(model.config(), length) / 1e9, length, prompt::run, prompt::check));
        }
    }

    /** Batches of sequences of the same length. */
    static DeviceTests of(Engine engine, Bert model, WeightType type, Sizes sizes) {
        int most = Collections.max(sizes.encoderBatches);
        EncoderSession session = model.openSession(
                EncoderOptions.defaults().withMaxBatchTokens(most * wholePages(sizes.encoderTokens)));
        DeviceTests tests = new DeviceTests(session);
        for (int count : sizes.encoderBatches) {
            Encode encode = new Encode(engine, session, count, sizes.encoderTokens);
            tests.tests.add(new DeviceTest(
                    "BERT " + Arguments.spelt(type) + " " + count + " x " + sizes.encoderTokens,
                    count == most && type == WeightType.F32 ? ENCODER_GOAL : Double.NaN, Limit.FMA_PEAK,
                    BertWork.flops(model.config(), Collections.nCopies(count, sizes.encoderTokens)) / 1e9,
                    count * sizes.encoderTokens, encode::run, encode::check));
        }
        return tests;
    }

    /** Positions that a sequence of so many tokens takes. */
    private static int wholePages(int tokens) {
        return Math.ceilDiv(tokens, KeyValueMemory.POSITIONS) * KeyValueMemory.POSITIONS;
    }

    private static int[] tokens(int count, int vocabulary) {
        return new SplittableRandom(1).ints(count, 1, vocabulary).toArray();
    }

    /** @throws IllegalStateException if they do not agree, or are no numbers */
    private static void agree(Engine engine, String what, float[] one, float[] other) {
        boolean numbers = IntStream.range(0, one.length).allMatch(i -> Float.isFinite(one[i]));
        if (!numbers || !Twin.agree(engine, one, other)) {
            throw new IllegalStateException(what + " do not agree or are no numbers: what was measured is wrong");
        }
    }

    /**
     * Sequences of the same random tokens, each of which is given when the most likely one behind the last is known:
     * greedy search waits for that, and it is all that it brings back.
     */
    private static final class Decode {
        private final Engine engine;
        private final Session session;
        /** Closed with the session. */
        private final List<Sequence> sequences = new ArrayList<>();
        private final int[] tokens;
        private final int begin;

        Decode(Engine engine, Session session, int count, int steps) {
            this.engine = engine;
            this.session = session;
            begin = steps;
            tokens = tokens(2 * steps, session.model().config().vocabularySize());
            for (int s = 0; s < count; s++) {
                Sequence sequence = session.newSequence();
                sequences.add(sequence);
                session.feed(sequence, tokens, 0, begin);
                session.reserve(sequence, tokens.length);
            }
        }

        void run() {
            Batch batch = session.batch();
            for (int i = begin; i < tokens.length; i++) {
                batch.clear();
                for (Sequence sequence : sequences) {
                    batch.add(sequence, tokens, i, i + 1, Logits.LAST);
                }
                session.step(batch);
                session.argMax(0);
            }
            // All has been read already; but a profile is told of what was waited for.
            session.await();
            sequences.forEach(sequence -> sequence.truncate(begin));
        }

        void check() {
            run();
            float[] first = new float[session.model().outputs()];
            float[] other = first.clone();
            session.logits(0, first);
            for (int s = 0; s < sequences.size(); s++) {
                session.logits(s, other);
                agree(engine, "the logits of sequences with the same tokens", first, other);
            }
        }
    }

    /** A prompt of random tokens, until the most likely next one is known. */
    private static final class Prompt {
        private final Engine engine;
        private final Session session;
        private final int[] tokens;

        Prompt(Engine engine, Session session, int length) {
            this.engine = engine;
            this.session = session;
            tokens = tokens(length, session.model().config().vocabularySize());
        }

        void run() {
            try (Sequence sequence = session.newSequence()) {
                session.feed(sequence, tokens, 0, tokens.length);
                session.argMax(0);
                session.await();
            }
        }

        void check() {
            float[] together = new float[session.model().outputs()];
            float[] parted = together.clone();
            run();
            session.logits(0, together);
            try (Sequence sequence = session.newSequence()) {
                session.feed(sequence, tokens, 0, tokens.length - 1);
                session.feed(sequence, tokens, tokens.length - 1, tokens.length);
                session.logits(0, parted);
            }
            agree(engine, "the logits of a prompt in one step and in two", together, parted);
        }
    }

    /** A batch of sequences of random tokens, to their last hidden states, which stay on the device. */
    private static final class Encode {
        private final Engine engine;
        private final EncoderSession session;
        private final int count;
        private final EncoderInput input;

        Encode(Engine engine, EncoderSession session, int count, int length) {
            this.engine = engine;
            this.session = session;
            this.count = count;
            input = EncoderInput.of(tokens(length, session.model().config().vocabularySize()));
        }

        void run() {
            run(count);
        }

        private void run(int sequences) {
            EncoderBatch batch = session.batch();
            batch.clear();
            for (int s = 0; s < sequences; s++) {
                batch.add(input);
            }
            session.run(batch);
            session.await();
        }

        void check() {
            float[] together = new float[session.model().config().hiddenSize()];
            float[] alone = together.clone();
            run();
            session.hidden(count - 1, 0, together);
            run(1);
            session.hidden(0, 0, alone);
            agree(engine, "the states of a sequence in a batch and alone", together, alone);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("sessions throw nothing checked", e);
        }
    }
}
