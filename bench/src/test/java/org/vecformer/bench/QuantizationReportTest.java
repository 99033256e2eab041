package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.Safetensors;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;
import org.vecformer.loader.TensorInfo;

class QuantizationReportTest {

    private static final int HIDDEN = 64;

    @TempDir
    Path folder;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private int run(String... args) {
        List<String> all = new ArrayList<>(List.of(args));
        all.addAll(List.of("--backend", "scalar", "--threads", "1"));
        return QuantizationReport.run(all.toArray(String[]::new), new PrintStream(out), new PrintStream(err));
    }

    private List<String> lines() {
        return out.toString(StandardCharsets.UTF_8).lines().toList();
    }

    private String errors() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private Path text() throws IOException {
        return Files.writeString(folder.resolve("text.txt"), """
                a bird in the hand is worth two in the bush.
                short
                early to bed, early to rise, and nobody is wise?
                the cat sat on the mat and the dog sat on the cat.
                where there is smoke there is fire, or another smoke.
                """);
    }

    private static double number(String line, String name) {
        String rest = line.substring(line.indexOf("  " + name + " ") + name.length() + 3);
        return Double.parseDouble(rest.split(" ")[0]);
    }

    @Test
    void aGpt2ComparedWithItself() throws IOException {
        Path model = folder.resolve("gpt2");
        RandomModel.write(model, Gpt2Config.ofSizes(300, 160, HIDDEN, 2, 2), 1);
        // Bytes in GPT-2's spelling: printable ones stand for themselves, the others for characters from 256 on.
        Map<String, Integer> vocabulary = new LinkedHashMap<>();
        int next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            vocabulary.put(Character.toString(printable ? b : next++), b);
        }
        List<String> entries = new ArrayList<>();
        vocabulary.forEach((token, id) -> entries
                .add('"' + (token.equals("\"") || token.equals("\\") ? "\\" + token : token) + "\": " + id));
        Files.writeString(model.resolve("vocab.json"), "{" + String.join(", ", entries) + ", \"<|endoftext|>\": 256}");
        Files.writeString(model.resolve("merges.txt"), "#version: 0.2\n");
        assertThat(run("--gpt2", model.toString(), "--text", text().toString(), "--weights", "int8,int4", "--tokens",
                "180")).as(errors()).isZero();
        assertThat(lines()).hasSize(3);
        String exact = lines().getFirst();
        assertThat(exact).startsWith("gpt2 ").contains(" f32 ");
        assertThat(number(exact, "of f32")).isOne();
        assertThat(number(exact, "largest logit difference")).isZero();
        assertThat(number(exact, "same next token")).isOne();
        double eight = number(lines().get(1), "largest logit difference");
        double four = number(lines().get(2), "largest logit difference");
        assertThat(eight).isPositive().isLessThan(four / 4);
        assertThat(number(lines().get(1), "of f32")).isEqualTo(1, within(0.01)).isNotEqualTo(1);
    }

    @Test
    void aBertWithItsHead() throws IOException {
        Path model = folder.resolve("bert");
        RandomModel.write(model, BertConfig.ofSizes(100, 128, HIDDEN, 2, 2), 1);
        Files.write(model.resolve("vocab.txt"), EncoderReportTest.vocabulary().subList(0, 100));
        addHead(model.resolve("model.safetensors"));
        assertThat(run("--bert", model.toString(), "--text", text().toString(), "--weights", "int8,int4", "--json"))
                .as(errors()).isZero();
        assertThat(lines()).hasSize(3).allMatch(line -> line.contains("\"pairs\":6.0") && line.contains("\"masks\":"));
        assertThat(lines().getFirst()).contains("\"weights\":\"f32\"", "\"spearman\":1.0", "\"same_as_f32\":1.0",
                "\"mean_probability_difference\":0.0", "\"largest_cosine_difference\":0.0");
        assertThat(lines().get(2)).contains("\"weights\":\"int4\"")
                .doesNotContain("\"mean_probability_difference\":0.0,", "\"largest_cosine_difference\":0.0}");
    }

    private static void addHead(Path file) throws IOException {
        List<Declaration> declarations = new ArrayList<>();
        List<byte[]> all = new ArrayList<>();
        try (Safetensors weights = Safetensors.open(file)) {
            for (TensorInfo tensor : weights.tensors()) {
                declarations.add(new Declaration(tensor.name(), tensor.dtype(), tensor.shape()));
                all.add(new byte[(int) tensor.byteSize()]);
                weights.read(tensor, 0, MemorySegment.ofArray(all.getLast()));
            }
        }
        int old = declarations.size();
        String head = "cls.predictions.";
        declarations.add(Declaration.f32(head + "bias", 100));
        declarations.add(Declaration.f32(head + "transform.dense.weight", HIDDEN, HIDDEN));
        for (String name : List.of("transform.dense.bias", "transform.LayerNorm.weight", "transform.LayerNorm.bias")) {
            declarations.add(Declaration.f32(head + name, HIDDEN));
        }
        Random random = new Random(1);
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of())) {
            for (byte[] bytes : all) {
                writer.append(MemorySegment.ofArray(bytes));
            }
            for (Declaration added : declarations.subList(old, declarations.size())) {
                float[] values = new float[(int) added.byteSize() / Float.BYTES];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) random.nextGaussian();
                }
                writer.append(values);
            }
            writer.finish();
        }
    }

    @Test
    void ranksAndCorrelation() {
        assertThat(BertFidelity.ranks(new double[]{5, 1, 5, -2})).containsExactly(2.5, 1, 2.5, 0);
        double[] a = BertFidelity.ranks(new double[]{1, 2, 3, 4, 5});
        assertThat(BertFidelity.correlation(a, BertFidelity.ranks(new double[]{1, 8, 9, 100, 101}))).isOne();
        assertThat(BertFidelity.correlation(a, BertFidelity.ranks(new double[]{9, 8, 7, 6, 5}))).isEqualTo(-1);
        // 1 - 6 sum d^2 / (n (n^2 - 1)), with d = 0, 1, 1, 0, 0
        assertThat(BertFidelity.correlation(a, BertFidelity.ranks(new double[]{1, 3, 2, 4, 5}))).isEqualTo(0.9,
                within(1e-12));
    }

    @Test
    void wrongArgumentsAreSaid() throws IOException {
        assertThat(run("--text", text().toString())).isEqualTo(2);
        assertThat(errors()).contains("--gpt2 or --bert");
        assertThat(run("--bert", folder.toString())).isEqualTo(2);
        assertThat(errors()).contains("--text is missing");
        assertThat(run("--weights", "int3")).isEqualTo(2);
        assertThat(errors()).contains("int3");
        assertThat(run("--gpt2", folder.resolve("nowhere").toString(), "--text", text().toString())).isEqualTo(1);
        assertThat(errors()).contains("nowhere");
        assertThat(run("--help")).isZero();
        assertThat(lines()).anyMatch(line -> line.contains("--lines N"));
    }
}
