package org.vecformer.engine.snippets;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderBatch;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Model;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Multinomial;
import org.vecformer.engine.sampler.SamplerChain;
import org.vecformer.engine.sampler.Temperature;
import org.vecformer.engine.sampler.TopK;
import org.vecformer.engine.task.FillMask;
import org.vecformer.engine.task.FillMaskOptions;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TextGenerator;

/** Code of the documentation: engines, models and sessions. */
final class ModelSnippets {

    private ModelSnippets() {
    }

    static void load(Path directory, PrintStream out) throws IOException {
        // @start region="load"
        try (Model model = Model.load(directory)) {
            out.println(model.parameters() + " parameters, " + model.engine().description());
            switch (model) {
                case Gpt gpt -> {
                    try (TextGenerator generator = TextGenerator.open(gpt)) {
                        GenerationOptions options = GenerationOptions.of(gpt).withMaxNewTokens(20);
                        out.println(generator.generate("Once upon a time", options, TokenListener.NONE).text());
                    }
                }
                case Bert bert -> {
                    try (FillMask fillMask = FillMask.open(bert)) {
                        out.println(fillMask.fill(TaskInput.of("the man is [MASK]."), FillMaskOptions.defaults()));
                    }
                }
            }
        }
        // @end
    }

    static void engine(Path directory, Path other, PrintStream out) throws IOException {
        // @start region="engine"
        try (Engine engine = Engine.create(EngineOptions.defaults().withMemoryLimit(1L << 30));
                Gpt gpt = Gpt.load(engine, directory);
                Bert bert = Bert.load(engine, other)) {
            out.println(engine.description() + ", weights of " + engine.memory().weights() + " bytes");
            out.println(gpt.parameters() + " and " + bert.parameters() + " parameters");
        }
        // @end
    }

    static void session(Gpt model, PrintStream out) throws IOException {
        // @start region="session"
        int[] ids = model.tokenizer().ids("the man");
        try (Session session = model.openSession(SessionOptions.defaults());
                Sequence sequence = session.newSequence()) {
            session.feed(sequence, ids, 0, ids.length);
            int[] written = new int[10];
            for (int i = 0; i < written.length; i++) {
                written[i] = session.argMax(0);
                session.feed(sequence, written, i, i + 1);
            }
            out.println(model.tokenizer().decode(written));
        }
        // @end
    }

    static void batch(Gpt model, PrintStream out) throws IOException {
        // @start region="batch"
        List<int[]> texts = List.of(model.tokenizer().ids("the man"), model.tokenizer().ids("a city in the"));
        try (Session session = model.openSession(SessionOptions.defaults().withCacheTokens(1000))) {
            Batch batch = session.batch();
            for (int[] ids : texts) {
                batch.add(session.newSequence(), ids, 0, ids.length, Logits.LAST);
            }
            session.step(batch);
            out.println(session.argMax(0) + " " + session.argMax(1));
        }
        // @end
    }

    static int sample(Session session, Gpt model) {
        // @start region="sample"
        Candidates candidates = new Candidates(model.outputs());
        SamplerChain chain = SamplerChain.of(new Temperature(0.8), new TopK(40), new Multinomial(7));
        // After each step:
        session.logits(0, candidates.logits());
        candidates.fill();
        chain.apply(candidates);
        int token = candidates.selectedToken();
        chain.accept(token);
        // @end
        return token;
    }

    static void encoder(Bert model, PrintStream out) throws IOException {
        // @start region="encoder"
        EncoderInput input = EncoderInput.of(model.tokenizer().ids("the man is good."));
        try (EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            EncoderBatch batch = session.batch();
            batch.add(input);
            session.run(batch);
            float[] state = new float[model.config().hiddenSize()];
            session.hidden(0, input.length() - 1, state);
            out.println(Arrays.toString(state));
        }
        // @end
    }
}
