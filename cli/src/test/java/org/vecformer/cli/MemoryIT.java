package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How much memory gpt2.jar takes: the weights once, and little beside. */
class MemoryIT {
    private static final long BESIDE_WEIGHTS = 150L << 20;
    private static final int VOCABULARY = 50257;
    private static final int CONTEXT = 1024;
    private static final int HIDDEN = 768;
    private static final int LAYERS = 12;

    @TempDir
    Path folder;

    /**
     * The peak resident set (VmHWM) of {@code generate} on a float32 model of the size of GPT-2 stays under
     * the file's size + 150 MB, also where there are many processors.
     */
    @ParameterizedTest
    @ValueSource(ints = {2, 16})
    @EnabledOnOs(OS.LINUX)
    void peakResidentSetOfAModelOf500Megabytes(int processors) throws Exception {
        Map<String, String> environment = Map.of("JDK_JAVA_OPTIONS", "-XX:ActiveProcessorCount=" + processors);
        Path weights = writeModel(folder);
        assertThat(Files.size(weights)).isBetween(480_000_000L, 520_000_000L);
        try (JarProcess run = JarProcess.start(environment, JarProcess.javas().getFirst(), "generate", "--model",
                folder.toString(), "--ids", "464,2068,7586", "--greedy", "--ignore-eos", "--max-new-tokens", "20",
                "--threads", String.valueOf(processors))) {
            ProcessHandle child = run.child();
            long peak = 0;
            while (child.isAlive()) {
                peak = Math.max(peak, peakResidentSet(child.pid()));
                Thread.sleep(5);
            }
            assertThat(run.await()).as(run.err()).isZero();
            // All weights are zero, so all logits are, and the first token wins.
            assertThat(run.out().strip().split(" ")).hasSize(20).containsOnly("0");
            assertThat(peak).as("peak resident set in bytes").isGreaterThan(Files.size(weights))
                    .isLessThan(Files.size(weights) + BESIDE_WEIGHTS);
        }
    }

    /** The most memory that a process had so far, in bytes; 0 if it has ended. */
    static long peakResidentSet(long pid) throws IOException {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
                if (line.startsWith("VmHWM:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (NoSuchFileException e) {
            // It has ended.
        } catch (IOException e) {
            if (!String.valueOf(e.getMessage()).contains("No such process")) {
                throw e;
            }
        }
        return 0;
    }

    /** The 124M shape, all zeros but the header: a sparse file that takes no room on the disk. */
    private static Path writeModel(Path directory) throws IOException {
        Files.writeString(directory.resolve("config.json"), """
                {"model_type": "gpt2", "vocab_size": %d, "n_positions": %d, "n_embd": %d, "n_layer": %d, "n_head": 12}
                """.formatted(VOCABULARY, CONTEXT, HIDDEN, LAYERS));
        List<String> entries = new ArrayList<>();
        long end = 0;
        end = add(entries, end, "wte.weight", VOCABULARY, HIDDEN);
        end = add(entries, end, "wpe.weight", CONTEXT, HIDDEN);
        for (int i = 0; i < LAYERS; i++) {
            String block = "h." + i + ".";
            for (String norm : List.of("ln_1", "ln_2")) {
                end = add(entries, end, block + norm + ".weight", HIDDEN);
                end = add(entries, end, block + norm + ".bias", HIDDEN);
            }
            end = linear(entries, end, block + "attn.c_attn", HIDDEN, 3 * HIDDEN);
            end = linear(entries, end, block + "attn.c_proj", HIDDEN, HIDDEN);
            end = linear(entries, end, block + "mlp.c_fc", HIDDEN, 4 * HIDDEN);
            end = linear(entries, end, block + "mlp.c_proj", 4 * HIDDEN, HIDDEN);
        }
        end = add(entries, end, "ln_f.weight", HIDDEN);
        end = add(entries, end, "ln_f.bias", HIDDEN);
        byte[] header = ("{" + String.join(",", entries) + "}").getBytes(StandardCharsets.UTF_8);
        Path file = directory.resolve("model.safetensors");
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(header.length).array());
            out.write(header);
            out.setLength(8 + header.length + end);
        }
        return file;
    }

    private static long linear(List<String> entries, long start, String name, long inputs, long outputs) {
        return add(entries, add(entries, start, name + ".weight", inputs, outputs), name + ".bias", outputs);
    }

    private static long add(List<String> entries, long start, String name, long... shape) {
        long bytes = Float.BYTES;
        List<String> dimensions = new ArrayList<>();
        for (long dimension : shape) {
            bytes *= dimension;
            dimensions.add(Long.toString(dimension));
        }
        entries.add("\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]}".formatted(name,
                String.join(",", dimensions),
                start, start + bytes));
        return start + bytes;
    }
}
