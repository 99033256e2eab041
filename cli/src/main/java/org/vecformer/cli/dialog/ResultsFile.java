package org.vecformer.cli.dialog;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vecformer.engine.dialog.ExampleScore;

/**
 * What came of each example of an evaluation, written as soon as it is known, so that an evaluation that was interrupted
 * can go on. The first line tells what the results belong to, and each other line is an example:
 *
 * <pre>{@code
 * {"format":"vecformer-evaluate-dialog","model":"","weights":"f32",...}
 * {"example":1,"hit":true,"sum_logprob":-12.5,"tokens":9,"scores":[0.1,2.5],"reply":"","f1":0.5}
 * {"example":2,"too_long":true}
 * }</pre>
 *
 * Numbers are written with all their digits, so that results read back are the same. A last line that was not written to
 * its end is dropped. The file is locked while it is open. Not thread-safe.
 */
public final class ResultsFile implements Closeable {
    private static final String FORMAT = "vecformer-evaluate-dialog";
    private static final JsonFactory FACTORY = new JsonFactory();

    private final Path file;
    private final FileChannel channel;
    private final List<ExampleScore> done = new ArrayList<>();

    private ResultsFile(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** What the members of an example's line may be. */
    private interface Content {
        void write(JsonGenerator json) throws IOException;
    }

    /**
     * Opens the file to go on, or makes it.
     *
     * @param belongsTo what its results depend on, by name
     * @throws IOException if it cannot be written, is in use, is no such file, or belongs to something else; the file has
     *                     not changed then
     */
    public static ResultsFile open(Path file, Map<String, String> belongsTo) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException("cannot write " + file + ": it is not a file");
        }
        Path directory = file.toAbsolutePath().getParent();
        if (!Files.isDirectory(directory)) {
            throw new IOException("cannot write " + file + ": there is no directory " + directory);
        }
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE,
                StandardOpenOption.CREATE);
        ResultsFile results = new ResultsFile(file, channel);
        try {
            results.lock();
            results.read(belongsTo);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
        return results;
    }

    private void lock() throws IOException {
        try {
            if (channel.tryLock() != null) {
                return;
            }
        } catch (OverlappingFileLockException _) {
            // Another one in this process.
        }
        throw new IOException(file + " is in use by another evaluation");
    }

    private void read(Map<String, String> belongsTo) throws IOException {
        byte[] header = line(json -> {
            json.writeStringField("format", FORMAT);
            for (Map.Entry<String, String> entry : belongsTo.entrySet()) {
                json.writeStringField(entry.getKey(), entry.getValue());
            }
        });
        InputStream in = new BufferedInputStream(Channels.newInputStream(channel), 1 << 16);
        byte[] first = line(in);
        if (isBeginning(first, header)) {
            channel.truncate(0);
            write(header);
            return;
        }
        checkHeader(text(first), text(header));
        long good = first.length;
        for (byte[] next = line(in); next.length > 0; next = line(in)) {
            boolean last = good + next.length == channel.size();
            try {
                if (next[next.length - 1] != '\n') {
                    break;
                }
                done.add(example(text(next), done.size() + 1));
            } catch (IOException e) {
                if (!last) {
                    throw new IOException(file + ", line " + (done.size() + 2) + " is not example " + (done.size() + 1)
                            + ": " + e.getMessage(), e);
                }
                break;
            }
            good += next.length;
        }
        channel.truncate(good);
        channel.position(good);
    }

    /** Whether a file with this first line was left before it had one. */
    private static boolean isBeginning(byte[] first, byte[] header) {
        return first.length < header.length && text(header).startsWith(text(first));
    }

    private void checkHeader(String first, String header) throws IOException {
        Map<String, String> theirs;
        try {
            theirs = fields(first);
        } catch (IOException e) {
            theirs = Map.of();
        }
        if (!FORMAT.equals(theirs.get("format"))) {
            throw new IOException(file + " is not a file of results of evaluate-dialog; it was not touched");
        }
        Map<String, String> ours = fields(header);
        for (Map.Entry<String, String> entry : ours.entrySet()) {
            String their = theirs.remove(entry.getKey());
            if (!entry.getValue().equals(their)) {
                throw new IOException(file + " belongs to another evaluation: there " + entry.getKey() + " is "
                        + (their == null ? "missing" : their) + ", here it is " + entry.getValue()
                        + "; name another file or delete this one");
            }
        }
        if (!theirs.isEmpty()) {
            throw new IOException(file + " belongs to another evaluation: it has " + theirs.keySet()
                    + "; name another file or delete this one");
        }
    }

    private static Map<String, String> fields(String line) throws IOException {
        Map<String, String> fields = new LinkedHashMap<>();
        try (JsonParser json = FACTORY.createParser(line)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                fields.put(name, json.getText());
                json.skipChildren();
            }
        }
        return fields;
    }

    /** An example's line; null for one that was too long. */
    private static ExampleScore example(String line, int number) throws IOException {
        Boolean hit = null;
        double logprob = Double.NaN;
        int tokens = 0;
        List<Double> scores = new ArrayList<>();
        String reply = null;
        double f1 = 0;
        boolean tooLong = false;
        int example = 0;
        try (JsonParser json = FACTORY.createParser(line)) {
            expect(json.nextToken() == JsonToken.START_OBJECT, "it is no JSON object");
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                json.nextToken();
                switch (name) {
                    case "example" -> example = json.getIntValue();
                    case "too_long" -> tooLong = json.getBooleanValue();
                    case "hit" -> hit = json.getBooleanValue();
                    case "sum_logprob" -> logprob = json.getDoubleValue();
                    case "tokens" -> tokens = json.getIntValue();
                    case "scores" -> {
                        expect(json.currentToken() == JsonToken.START_ARRAY, "its scores are no list");
                        while (json.nextToken() != JsonToken.END_ARRAY) {
                            scores.add(json.getDoubleValue());
                        }
                    }
                    case "reply" -> reply = json.getText();
                    case "f1" -> f1 = json.getDoubleValue();
                    default -> throw new IOException("its field \"" + name + "\" is unknown");
                }
            }
            expect(json.currentToken() == JsonToken.END_OBJECT, "it has no end");
        } catch (JacksonException e) {
            throw new IOException(e.getOriginalMessage(), e);
        }
        expect(example == number, "it is of example " + example);
        if (tooLong) {
            return null;
        }
        expect(hit != null && !Double.isNaN(logprob) && tokens > 0 && !scores.isEmpty(), "a field is missing");
        return new ExampleScore(scores, hit, logprob, tokens, reply, f1);
    }

    private static void expect(boolean good, String problem) throws IOException {
        if (!good) {
            throw new IOException(problem);
        }
    }

    /** A line with its end; without one at the end of the file. */
    private static byte[] line(InputStream in) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int next;
        do {
            next = in.read();
            if (next >= 0) {
                line.write(next);
            }
        } while (next >= 0 && next != '\n' && line.size() < 1 << 24);
        return line.toByteArray();
    }

    private static String text(byte[] line) {
        return new String(line, StandardCharsets.UTF_8);
    }

    /** The results that are there, of the first examples, in their order; null for one that was too long. */
    public List<ExampleScore> done() {
        return Collections.unmodifiableList(done);
    }

    /**
     * Adds the result of the next example.
     *
     * @param score null if it was too long
     */
    public void add(ExampleScore score) throws IOException {
        int number = done.size() + 1;
        write(line(json -> {
            json.writeNumberField("example", number);
            if (score == null) {
                json.writeBooleanField("too_long", true);
                return;
            }
            json.writeBooleanField("hit", score.hit());
            json.writeNumberField("sum_logprob", score.logprob());
            json.writeNumberField("tokens", score.tokens());
            json.writeArrayFieldStart("scores");
            for (double one : score.scores()) {
                json.writeNumber(one);
            }
            json.writeEndArray();
            if (score.reply() != null) {
                json.writeStringField("reply", score.reply());
                json.writeNumberField("f1", score.f1());
            }
        }));
        done.add(score);
    }

    private static byte[] line(Content content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = FACTORY.createGenerator(bytes)) {
            json.writeStartObject();
            content.write(json);
            json.writeEndObject();
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    private void write(byte[] line) throws IOException {
        ByteBuffer buffer = ByteBuffer.wrap(line);
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
