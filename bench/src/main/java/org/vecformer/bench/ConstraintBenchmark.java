package org.vecformer.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.vecformer.engine.constraint.Constraint;
import org.vecformer.engine.constraint.Vocabulary;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.tokenizer.Tokenizer;

/**
 * One step of a text that is constrained, the copy of the logits included: the first time a constraint sees the text,
 * its making included, and again. Needs {@code -Dvecformer.bench.tokenizer=DIR} with the files of GPT-2's vocabulary.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsPrepend = {"--add-modules", "jdk.incubator.vector"})
public class ConstraintBenchmark {

    private static final int STEPS = 24;

    /** The constraints. */
    public enum Kind {
        REGEX("""
                Name: [A-Z][a-z]+( [A-Z][a-z]+)*, born \\d{4}-\\d\\d-\\d\\d in [A-Z][a-z]+\\. ("[^"\\n]{1,60}" ?)+""",
                """
                        Name: Lewis Carroll, born 1832-01-27 in Daresbury. "Begin at the beginning" "and go on\""""),
        JSON("""
                {"type": "object", "properties": {"name": {"type": "string"}, "born": {"type": "integer", "minimum": 1},
                 "books": {"type": "array", "items": {"type": "object", "properties": {"title": {"type": "string"},
                 "kind": {"enum": ["novel", "poem"]}}, "required": ["title"]}}}, "required": ["name", "born"],
                 "additionalProperties": false}""",
                """
                        {"name": "Lewis Carroll", "born": 1832, "books": [{"title": "The Hunting of the Snark", "kind": "poem"}]}""");

        private final String source;
        private final String text;

        Kind(String source, String text) {
            this.source = source;
            this.text = text;
        }

        /** A constraint that is not like those made before. */
        Constraint make(int number, Vocabulary vocabulary) {
            return switch (this) {
                case REGEX -> Constraint.regex(source + "|" + number, vocabulary);
                case JSON ->
                    Constraint.jsonSchema("{\"$comment\": \"" + number + "\", " + source.substring(1), vocabulary);
            };
        }
    }

    @Param
    public Kind kind;

    private Vocabulary vocabulary;
    private int[] ids;
    private float[] logits;
    private Candidates candidates;
    private Sampler known;
    private int made;

    @Setup
    public void load() throws IOException {
        String folder = System.getProperty("vecformer.bench.tokenizer");
        if (folder == null) {
            throw new IllegalStateException(
                    "not measured: give a folder with a vocabulary by -Dvecformer.bench.tokenizer=...");
        }
        prepare(Tokenizer.load(Path.of(folder)));
    }

    void prepare(Tokenizer tokenizer) {
        vocabulary = Vocabulary.of(tokenizer);
        ids = Arrays.copyOf(tokenizer.ids(kind.text), STEPS);
        SplittableRandom random = new SplittableRandom(7);
        logits = new float[tokenizer.vocabularySize()];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (2.5 * random.nextGaussian());
        }
        candidates = new Candidates(logits.length);
        known = kind.make(made++, vocabulary).sampler();
        if (firstTime() == Float.NEGATIVE_INFINITY || again() == Float.NEGATIVE_INFINITY) {
            throw new IllegalStateException(kind + " does not allow its own text");
        }
    }

    /** The least logit of a token of the text. */
    private float write(Sampler sampler) {
        float least = Float.POSITIVE_INFINITY;
        for (int id : ids) {
            candidates.load(logits);
            sampler.apply(candidates);
            least = Math.min(least, candidates.logits()[id]);
            sampler.accept(id);
        }
        return least;
    }

    @Benchmark
    @OperationsPerInvocation(STEPS)
    public float firstTime() {
        return write(kind.make(made++, vocabulary).sampler());
    }

    @Benchmark
    @OperationsPerInvocation(STEPS)
    public float again() {
        known.reset();
        return write(known);
    }
}
