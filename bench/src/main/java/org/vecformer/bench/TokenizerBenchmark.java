package org.vecformer.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.vecformer.tokenizer.BytePairTokenizer;
import org.vecformer.tokenizer.Encoding;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Tokenizing a text and back, on one thread, in bytes of UTF-8 per second. Needs {@code
 * -Dvecformer.bench.tokenizer=DIR} with the files of a vocabulary and {@code -Dvecformer.bench.text=FILE}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 4, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class TokenizerBenchmark {

    /** Counts what was done, which JMH divides by the time. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Work {
        /** Bytes of text. */
        public long bytes;
    }

    private Tokenizer tokenizer;
    private String text;
    private int bytes;
    private int[] ids;

    @Setup
    public void load() throws IOException {
        tokenizer = Tokenizer.load(Path.of(property("vecformer.bench.tokenizer", "a folder with a vocabulary")));
        text = Files.readString(Path.of(property("vecformer.bench.text", "a text file")));
        bytes = text.getBytes(StandardCharsets.UTF_8).length;
        ids = tokenizer.ids(text);
        if (!Arrays.equals(tokenizer.encode(text).ids(), ids)) {
            throw new IllegalStateException("the text has other ids when its offsets are asked for too");
        }
        // The others lose white space, and what the model lower-cases.
        boolean lossless = tokenizer instanceof BytePairTokenizer;
        if (lossless && !tokenizer.decode(ids).equals(text)) {
            throw new IllegalStateException("the text does not come back from its " + ids.length + " ids");
        }
    }

    private static String property(String name, String what) {
        String value = System.getProperty(name);
        if (value == null) {
            throw new IllegalStateException("not measured: give " + what + " by -D" + name + "=...");
        }
        return value;
    }

    @Benchmark
    public int[] ids(Work work) {
        work.bytes += bytes;
        return tokenizer.ids(text);
    }

    /** With tokens and where they come from. */
    @Benchmark
    public Encoding encode(Work work) {
        work.bytes += bytes;
        return tokenizer.encode(text);
    }

    @Benchmark
    public String decode(Work work) {
        work.bytes += bytes;
        return tokenizer.decode(ids);
    }
}
