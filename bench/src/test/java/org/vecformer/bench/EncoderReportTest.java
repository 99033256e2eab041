package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.bench.EncoderReport.Options;
import org.vecformer.bench.SentenceEncoder.Arithmetic;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.ModelFiles;

/** The report on a tiny model, and beside peers that are ourselves in disguise. */
class EncoderReportTest {

    private static final int VOCABULARY = 300;

    @TempDir
    static Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @BeforeAll
    static void write() throws IOException {
        RandomModel.write(folder, BertConfig.ofSizes(VOCABULARY, 512, 24, 2, 3), 1);
        Files.write(folder.resolve("vocab.txt"), vocabulary());
    }

    /** Special tokens, and letters that begin and continue a word. */
    static List<String> vocabulary() {
        List<String> tokens = new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "?"));
        for (char letter = 'a'; letter <= 'z'; letter++) {
            tokens.add(String.valueOf(letter));
            tokens.add("##" + letter);
        }
        while (tokens.size() < VOCABULARY) {
            tokens.add("[unused" + tokens.size() + "]");
        }
        return tokens;
    }

    /** Another library with the same model. */
    private record Disguised(VecformerEncoder encoder, Engine engine, Arithmetic arithmetic, float error)
            implements
                SentenceEncoder {

        @Override
        public String name() {
            return "other " + arithmetic;
        }

        @Override
        public Prepared prepare(List<int[]> sequences) {
            Prepared prepared = encoder.prepare(sequences);
            return new Prepared() {
                @Override
                public float[][] encode() {
                    float[][] vectors = prepared.encode();
                    vectors[vectors.length - 1][3] += error;
                    return vectors;
                }

                @Override
                public void close() {
                    prepared.close();
                }
            };
        }

        @Override
        public void close() {
            encoder.close();
            engine.close();
        }
    }

    private record Others(float floatError, float integerError) implements EncoderReport.Peers {

        @Override
        public void open(ModelFiles model, int threads, List<? super SentenceEncoder> encoders) throws IOException {
            encoders.add(open(model, threads, Arithmetic.FLOAT32, floatError));
            encoders.add(open(model, threads, Arithmetic.INTEGER, integerError));
        }

        private static SentenceEncoder open(ModelFiles model, int threads, Arithmetic arithmetic, float error)
                throws IOException {
            Engine engine = Engine
                    .create(EngineOptions.defaults().withBackend(BackendChoice.SCALAR).withThreads(threads));
            return new Disguised(VecformerEncoder.load(engine, model, WeightType.F32), engine, arithmetic, error);
        }
    }

    private static final EncoderReport.Peers NONE = (_, _, _) -> {
    };

    private int run(EncoderReport.Peers peers, String... more) throws InterruptedException {
        List<String> args = new ArrayList<>(List.of("--model", folder.toString(), "--backend", "scalar", "--threads",
                "1", "--rounds", "2", "--seconds", "0.0001"));
        args.addAll(List.of(more));
        return EncoderReport.run("TheReport", args.toArray(String[]::new), peers, new PrintStream(out),
                new PrintStream(err));
    }

    private String errors() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private List<String> lines() {
        return out.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void aloneThereIsALineForEachBatchAndTypeOfWeights() throws Exception {
        assertThat(run(NONE, "--weights", "f32,bf16")).as(errors()).isZero();
        assertThat(lines()).filteredOn(line -> line.startsWith("  vecformer f32")).hasSize(4)
                .allMatch(line -> line.endsWith("%"));
        assertThat(lines()).filteredOn(line -> line.startsWith("  vecformer bf16")).hasSize(5)
                .allMatch(line -> line.contains("cosine 0.99"));
        assertThat(lines()).anyMatch(line -> line.startsWith("8 x 9-128: 411 tokens, 1024 with the padding"));
    }

    @Test
    void peersInTurns() throws Exception {
        assertThat(run(new Others(0, 0.5f))).as(errors()).isZero();
        assertThat(errors()).isEmpty();
        assertThat(lines()).filteredOn(line -> line.startsWith("  other FLOAT32 ")).hasSize(5)
                .allMatch(line -> line.endsWith("cosine 1.0000000, difference 0.0e+00"));
        assertThat(lines()).filteredOn(line -> line.startsWith("  other INTEGER ")).hasSize(5)
                .noneMatch(line -> line.contains("cosine 1.0") || line.contains("%"));
        // Where sequences differ in length, peers need not pad.
        assertThat(lines()).filteredOn(line -> line.startsWith("  other FLOAT32, one by one ")).hasSize(1)
                .allMatch(line -> line.endsWith("cosine 1.0000000, difference 0.0e+00"));
    }

    @Test
    void otherVectorsAreAFailure() throws Exception {
        assertThat(run(new Others(0.5f, 0))).isEqualTo(EncoderReport.DIFFERENT);
        assertThat(errors().lines()).hasSize(6)
                .allMatch(line -> line.startsWith("TheReport: the vectors of other FLOAT32"))
                .anyMatch(line -> line.contains("and ours differ on the sentences: cosine 0."))
                .anyMatch(line -> line.contains("one by one and ours differ on 8 x 9-128: cosine 0."));
    }

    @Test
    void jsonLines() throws Exception {
        assertThat(run(new Others(0, 0), "--json")).as(errors()).isZero();
        // Sentences with 2 peers, three batches with 3 encoders, one with 5.
        assertThat(lines()).hasSize(2 + 3 * 3 + 5);
        for (String line : lines()) {
            try (JsonParser parser = new JsonFactory().createParser(line)) {
                while (parser.nextToken() != null) {
                    // It is well-formed.
                }
            }
        }
        assertThat(lines().get(2))
                .startsWith("{\"test\":\"encode 1 x 16\",\"encoder\":\"vecformer f32\",\"backend\":\"scalar\","
                        + "\"threads\":1,\"rounds\":2,\"unit\":\"tokens/s\",\"median\":")
                .contains("\"limit\":\"FMA peak\",\"share_median\":").doesNotContain("first_by_this");
        assertThat(lines().get(3)).contains("\"first_by_this_median\":").contains("\"cosine\":1.0")
                .contains("\"difference\":0.0");
    }

    @Test
    void options() {
        Options options = Options.parse("--model", "m", "--weights", "bf16,f32", "--backend", "scalar", "--rounds", "3",
                "--threads", "5", "--seconds", "0.25", "--json");
        assertThat(options.model()).hasToString("Optional[m]");
        assertThat(options.weights()).containsExactly(WeightType.BF16, WeightType.F32);
        assertThat(options.backend()).isEqualTo(BackendChoice.SCALAR);
        assertThat(options.plan()).isEqualTo(new EncoderRun.Plan(3, 0.25, 1, 0.05));
        assertThat(options.threads()).isEqualTo(5);
        assertThat(options.json()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"--wat,unknown option", "--rounds,needs a value", "--rounds 0,expected 1 to",
        "--seconds 0,expected more than 0", "--seconds x,expected more than 0", "--seconds NaN,expected more than 0",
        "--weights f64,expected f32", "--backend gpu,expected vector or scalar"})
    void badOptions(String line, String message) {
        assertThatThrownBy(() -> Options.parse(line.split(" "))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void usageErrorsAreOneLineAndStatus2() throws Exception {
        PrintStream nowhere = new PrintStream(out);
        assertThat(EncoderReport.run("TheReport", new String[]{"--rounds", "many"}, NONE, nowhere,
                new PrintStream(err))).isEqualTo(2);
        assertThat(errors().lines()).containsExactly("TheReport: --rounds is many; expected 1 to 10000");
        err.reset();
        assertThat(EncoderReport.run("TheReport", new String[]{"--model", folder.resolve("nowhere").toString()}, NONE,
                nowhere, new PrintStream(err))).isEqualTo(2);
        assertThat(errors().lines()).singleElement().asString().startsWith("TheReport: ").contains("nowhere");
        assertThat(out.size()).isZero();
    }
}
