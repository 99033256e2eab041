package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

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
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.bench.EncoderRun.Shape;
import org.vecformer.bench.SentenceEncoder.Arithmetic;
import org.vecformer.bench.TargetsReport.Options;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.ModelFiles;
import org.vecformer.yardstick.CpuLimits;
import org.vecformer.yardstick.Limit;
import org.vecformer.yardstick.Limits;
import org.vecformer.yardstick.Samples;

/** The parts of the table on tiny models, and the rows that they make of what was measured. */
class TargetsReportTest {

    @TempDir
    Path folder;

    private final List<Target> rows = new ArrayList<>();

    private static Engine engine() {
        return Engine.create(EngineOptions.defaults().withBackend(BackendChoice.SCALAR).withThreads(1));
    }

    private static Samples samples(double... values) {
        return new Samples(values);
    }

    private static Options options(String... args) {
        return Options.parse(args);
    }

    @Test
    void aRowAsTextAndAsJson() throws IOException {
        Target row = Target.of("decode int4", "faster", 123.4, "tokens/s").of(Limit.READ_BANDWIDTH, 31.96, 0.4567)
                .beside("our int8", 99.96, 1.2345).reached(true);
        assertThat(row.text()).isEqualTo("| decode int4 | faster | read bandwidth 32.0 GB/s | 123 tokens/s | 45.7 % |"
                + " our int8 100.0 | 1.23 | yes |");
        assertThat(row.json()).isEqualTo("""
                {"target":"decode int4","goal":"faster","limit":"read bandwidth","limit_value":31.96,\
                "limit_unit":"GB/s","ours":123.4,"unit":"tokens/s","share":0.4567,"peer":"our int8","theirs":99.96,\
                "ratio":1.2345,"reached":true}""");
        assertThat(Target.of("heap", "none", 0, "bytes").reached(false).text())
                .isEqualTo("| heap | none |  | 0 bytes |  |  |  | no |");
        Target missing = Target.missing("start", "< 1 s", "no jar");
        assertThat(missing.text()).isEqualTo("| start | < 1 s | | not measured: no jar | | | | |");
        assertThat(missing.json()).isEqualTo("{\"target\":\"start\",\"goal\":\"< 1 s\",\"not_measured\":\"no jar\"}");
        // As many columns as the header has.
        long columns = Target.HEADER.lines().findFirst().orElseThrow().chars().filter(c -> c == '|').count();
        for (Target target : List.of(row, missing)) {
            assertThat(target.text().chars().filter(c -> c == '|').count()).isEqualTo(columns);
        }
    }

    @Test
    void decode() throws IOException {
        RandomModel.write(folder, Gpt2Config.ofSizes(300, 256, 32, 1, 2), 1);
        try (Engine engine = engine(); Limits limits = new CpuLimits(1, 1)) {
            new DecodeTargets(engine, ModelFiles.of(folder), limits, 1, 0.0001).measure(rows::add);
        }
        assertThat(rows).extracting(Target::name).containsExactly("decode f32", "decode bf16", "decode int8",
                "decode int4", "decode f32 x 16", "prompt f32", "decode int8 x 16", "heap a token");
        assertThat(rows.subList(0, 7)).allSatisfy(row -> {
            assertThat(row.ours()).isPositive();
            assertThat(row.share()).isPositive();
            assertThat(row.limitUnit()).isEqualTo(row.name().startsWith("prompt") ? "GFLOP/s" : "GB/s");
        });
        Target int4 = rows.get(3);
        assertThat(int4.ratio()).isCloseTo(int4.ours() / rows.get(2).ours(), within(1e-9));
        assertThat(int4.reached()).isEqualTo(int4.ratio() > 1);
        assertThat(rows.get(4).reached()).isEqualTo(rows.get(4).ratio() >= 8);
        assertThat(rows.get(4).theirs()).isEqualTo(rows.get(0).ours());
        assertThat(rows.get(5).reached()).isNull();
        assertThat(rows.get(7).unit()).isEqualTo("bytes");
        assertThat(rows.get(7).reached()).isEqualTo(rows.get(7).ours() <= 16);
    }

    @Test
    void matrices() throws IOException {
        try (Engine engine = engine(); Limits limits = new CpuLimits(1, 1)) {
            new MatrixTargets(List.of(new MatrixTargets.Shape(5, 32, 40), new MatrixTargets.Shape(3, 40, 16)),
                    engine.cpu(), limits, 2, 0.0001).measure(rows::add);
        }
        assertThat(rows).extracting(Target::name).containsExactly("product f32 5 x 32 x 40",
                "product f32 3 x 40 x 16");
        assertThat(rows).allSatisfy(row -> assertThat(row.share()).isPositive().isFinite())
                .allSatisfy(row -> assertThat(row.reached()).isEqualTo(row.share() >= 0.75));
    }

    @Test
    void encodersWithoutPeersSaySo() throws IOException {
        RandomModel.write(folder, BertConfig.ofSizes(300, 128, 32, 1, 2), 1);
        try (Engine engine = engine(); Limits limits = new CpuLimits(1, 1)) {
            new EncoderTargets(engine, options("--rounds", "1", "--seconds", "0.0001", "--threads", "1"),
                    ModelFiles.of(folder), Rivals.NONE, limits).measure(rows::add);
        }
        assertThat(rows).extracting(Target::name).containsExactly("MiniLM", "BERT-base beside ONNX Runtime",
                "BERT-base f32 1 x 16", "BERT-base int8 1 x 16", "BERT-base f32 1 x 128", "BERT-base int8 1 x 128",
                "BERT-base f32 8 x 128", "BERT-base int8 8 x 128");
        assertThat(rows.get(0).why()).contains("--minilm");
        assertThat(rows.get(1).why()).contains("TargetsPeersReport");
        assertThat(rows.subList(2, 8)).allSatisfy(row -> assertThat(row.share()).isPositive())
                .allSatisfy(row -> assertThat(row.reached()).isNull());
    }

    /** An encoder by name. */
    private record Named(String name, Arithmetic arithmetic) implements SentenceEncoder {
        @Override
        public Prepared prepare(List<int[]> sequences) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {
        }
    }

    private static EncoderReport.Line line(String name, Arithmetic arithmetic, double cosine, double... speeds) {
        return new EncoderReport.Line(new Named(name, arithmetic), samples(speeds),
                arithmetic == Arithmetic.INTEGER ? null : samples(0.5, 0.6), null, new Likeness(cosine, 0));
    }

    private static EncoderReport.Lines lines(double cosine) {
        return new EncoderReport.Lines(samples(300, 400),
                List.of(line("vecformer f32", Arithmetic.FLOAT32, 1, 120, 240),
                        line("vecformer int8", Arithmetic.ROUNDED_WEIGHTS, 0.9, 90, 180),
                        line("other f32", Arithmetic.FLOAT32, cosine, 100, 200),
                        line("other int8", Arithmetic.INTEGER, 0.9, 100, 200)));
    }

    @Test
    void eachPeerIsBesideOursOfItsKind() {
        List<Target> all = EncoderTargets.rows("X ", Shape.ALL.getFirst(), lines(1));
        assertThat(all).extracting(Target::name).containsExactly("X f32 1 x 16", "X int8 1 x 16");
        assertThat(all).extracting(Target::ratio).containsExactly(1.2, 0.9);
        assertThat(all).extracting(Target::reached).containsExactly(true, false);
        assertThat(all).extracting(Target::theirs).containsExactly(150.0, 150.0);
        assertThat(all.getFirst().limit()).isEqualTo(350);
        EncoderReport.Lines floatsOnly = new EncoderReport.Lines(samples(300, 400), lines(1).lines().subList(0, 3));
        assertThat(EncoderTargets.rows("X ", Shape.ALL.getFirst(), floatsOnly)).extracting(Target::peer)
                .containsExactly("other f32", null);
        assertThatThrownBy(() -> EncoderTargets.rows("X ", Shape.ALL.getFirst(), lines(0.99)))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("other f32").hasMessageContaining(
                        "1 x 16");
    }

    private static TokenizerReport.Row row(String name, double... speeds) {
        return new TokenizerReport.Row(name, samples(80, 80), samples(speeds), samples(80, 80).shareOf(1,
                samples(speeds)));
    }

    @Test
    void tokenizersAreComparedWithOffsetsWhereThePeerHasThem() {
        List<TokenizerReport.Row> measured = List.of(row("ids", 80, 80), row("offsets", 30, 30),
                row("Hugging Face 1", 5, 5), row("jtokkit 2", 50, 50));
        List<Target> bert = TokenizerTargets.rows("t", "g", 8, "Hugging Face", measured);
        assertThat(bert).extracting(Target::name).containsExactly("t", "t, with offsets");
        assertThat(bert).extracting(Target::ratio).containsExactly(16.0, 6.0);
        assertThat(bert).extracting(Target::reached).containsExactly(true, false);
        List<Target> gpt2 = TokenizerTargets.rows("t", "g", 1.3, "jtokkit", measured);
        assertThat(gpt2).singleElement().satisfies(target -> {
            assertThat(target.ratio()).isEqualTo(1.6);
            assertThat(target.peer()).isEqualTo("jtokkit 2");
        });
        assertThat(TokenizerTargets.rows("t", "g", 1.3, "nobody", measured)).singleElement()
                .satisfies(target -> assertThat(target.reached()).isNull())
                .satisfies(target -> assertThat(target.ours()).isEqualTo(80));
    }

    @Test
    void aTokenizerOnAText() throws IOException {
        Files.write(folder.resolve("vocab.txt"), EncoderReportTest.vocabulary());
        Path text = Files.writeString(folder.resolve("text"), "a bird in the hand");
        new TokenizerTargets(options("--minilm", folder.toString(), "--text", text.toString(), "--rounds", "1",
                "--seconds", "0.0001"), Rivals.NONE).measure(rows::add);
        assertThat(rows).extracting(Target::name).containsExactly("GPT-2 tokenizer, text", "GPT-2 tokenizer, code",
                "BERT tokenizer, text", "BERT tokenizer, code");
        assertThat(rows).extracting(Target::why).containsExactly("give --gpt2", "give --gpt2", null, "give --code");
        assertThat(rows.get(2).ours()).isPositive();
    }

    @Test
    void processesNeedTheJar() throws Exception {
        RandomModel.write(folder, Gpt2Config.ofSizes(300, 128, 32, 1, 2), 1);
        try (Engine engine = engine()) {
            new ProcessTargets(engine, options(), ModelFiles.of(folder)).measure(rows::add);
        }
        assertThat(rows).singleElement().satisfies(row -> assertThat(row.why()).contains("--jar"));
    }

    @Test
    void whatEndsAPartIsItsLastRow() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        TargetsReport.print("encoders", told -> {
            told.accept(Target.of("first", "", 1, "s"));
            throw new NoClassDefFoundError("ai/onnxruntime/OrtSession");
        }, true, new PrintStream(out));
        assertThat(out.toString(StandardCharsets.UTF_8).lines()).containsExactly(
                "{\"target\":\"first\",\"goal\":\"\",\"ours\":1.0,\"unit\":\"s\"}",
                "{\"target\":\"encoders\",\"goal\":\"\",\"not_measured\":\"ai/onnxruntime/OrtSession\"}");
    }

    @Test
    void theProgramOnOnePart() throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = TargetsReport.run("TheReport", new String[]{"--only", "tokenizers", "--json"}, Rivals.NONE,
                new PrintStream(out), new PrintStream(err));
        assertThat(status).as(err.toString(StandardCharsets.UTF_8)).isZero();
        assertThat(out.toString(StandardCharsets.UTF_8).lines()).hasSize(4).allSatisfy(line -> {
            try (JsonParser parser = new JsonFactory().createParser(line)) {
                while (parser.nextToken() != null) {
                    // It is well-formed.
                }
            }
        });
        assertThat(TargetsReport.run("TheReport", new String[]{"--only", "speed"}, Rivals.NONE,
                new PrintStream(out), new PrintStream(err))).isEqualTo(2);
        assertThat(err.toString(StandardCharsets.UTF_8).lines()).containsExactly("TheReport: --only names \"speed\";"
                + " expected some of decode, matrices, encoders, tokenizers, processes");
    }

    @Test
    void allOptions() {
        Options all = options("--minilm", "m", "--gpt2", "g", "--text", "t", "--code", "c", "--jar", "j", "--only",
                "decode,processes", "--rounds", "2", "--seconds", "0.5", "--threads", "3", "--json");
        assertThat(List.of(all.minilm(), all.gpt2(), all.text(), all.code(), all.jar()))
                .isEqualTo(List.of("m", "g", "t", "c", "j").stream().map(name -> Optional.of(Path.of(name))).toList());
        assertThat(all.only()).containsExactly("decode", "processes");
        assertThat(all.needs("encoders")).isFalse();
        assertThat(all.needs("decode", "encoders")).isTrue();
        assertThat(all.encoderPlan()).isEqualTo(new EncoderRun.Plan(2, 0.5, 2, 0.1));
        assertThat(all.threads()).isEqualTo(3);
        assertThat(all.json()).isTrue();
        assertThat(options().only()).isEqualTo(TargetsReport.PARTS);
    }

    @ParameterizedTest
    @CsvSource({"--wat,unknown option", "--rounds 0,expected 1 to", "--only,needs a value",
        "--seconds 0,expected more than 0"})
    void badOptions(String line, String message) {
        assertThatThrownBy(() -> options(line.split(" "))).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}
