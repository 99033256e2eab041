package org.vecformer.engine.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.Engine;
import org.vecformer.engine.Oracle;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GeneratedSequence;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/** Constraints where they are for: in the decoding loop, and each step. */
class ConstrainedGenerationTest {

    private static final String SCHEMA = """
            {"type": "object", "properties": {"name": {"type": "string", "maxLength": 12},
             "animal": {"enum": ["dog", "cat"]}, "age": {"type": "integer", "minimum": 1, "maximum": 99}},
             "required": ["name", "animal", "age"]}""";

    @Test
    void aModelWritesWhatItMust() throws IOException {
        Path folder = Oracle.shared("models/storyteller");
        Tokenizer tokenizer = Tokenizer.load(folder);
        Vocabulary vocabulary = Vocabulary.of(tokenizer);
        SchemaCheck check = new SchemaCheck(SCHEMA);
        try (Engine engine = TestBackends.open(2);
                Gpt model = Gpt.load(engine, ModelFiles.of(folder), LoadOptions.defaults());
                TextGenerator generator = TextGenerator.open(model, tokenizer)) {
            int[] ends = vocabulary.endTokens();
            assertThat(ends).hasSize(1);
            for (DecodingStrategy strategy : List.of(DecodingStrategy.greedy(), DecodingStrategy.random(5))) {
                GenerationOptions options = GenerationOptions.defaults().withStrategy(strategy).withMaxNewTokens(100)
                        .withEndTokens(ends[0]);
                GeneratedSequence json = generate(generator, options, Constraint.jsonSchema(SCHEMA, vocabulary));
                assertThat(json.finishReason()).isEqualTo(FinishReason.STOP);
                assertThat(check.valid(json.text())).as(json.text()).isTrue();
                GeneratedSequence sentence = generate(generator, options,
                        Constraint.regex(" [a-z]+( [a-z]+){3,8}[.!]", vocabulary));
                assertThat(sentence.text()).matches(" [a-z]+( [a-z]+){3,8}[.!]");
                assertThat(sentence.finishReason()).isEqualTo(FinishReason.STOP);
                List<String> names = List.of(" Tom", " Lily", " Lily and Tom");
                GeneratedSequence name = generate(generator, options, Constraint.choices(names, vocabulary));
                assertThat(names).contains(name.text());
                assertThat(name.finishReason())
                        .isEqualTo(name.text().equals(" Lily") ? FinishReason.EOS : FinishReason.STOP);
            }
        }
    }

    private static GeneratedSequence generate(TextGenerator generator, GenerationOptions options,
            Constraint constraint) {
        return generator.generate("Once upon a time there was a girl named",
                options.withSampling(sampling -> sampling.constraint(constraint.sampler())), TokenListener.NONE)
                .sequences().getFirst();
    }

    /** Runs until the JIT is done with it; a single object a step would be 16,000 bytes. */
    @Test
    void aStepThatWasSeenBeforeAllocatesNothing() {
        Tokenizer tokenizer = TestVocabularies.bytes();
        Vocabulary vocabulary = Vocabulary.of(tokenizer);
        Sampler sampler = Constraint.jsonSchema("{\"items\":{\"type\":\"string\"}}", vocabulary).sampler();
        int[] ids = tokenizer.ids("[\"hello\", \"world\", \"name\"]");
        float[] logits = new float[tokenizer.vocabularySize()];
        Candidates candidates = new Candidates(logits.length);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long allocated = Long.MAX_VALUE;
        long start = System.nanoTime();
        while (allocated > 600 && System.nanoTime() - start < 60_000_000_000L) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int step = 0; step < 1000; step++) {
                if (step % ids.length == 0) {
                    sampler.reset();
                }
                candidates.load(logits);
                sampler.apply(candidates);
                sampler.accept(ids[step % ids.length]);
                sampler.isComplete();
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }
        assertThat(allocated).isLessThanOrEqualTo(600);
    }
}
