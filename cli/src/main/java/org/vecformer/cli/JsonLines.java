package org.vecformer.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The inputs of {@code --jsonl}: one JSON object a line. Each is read when it is asked for, so a program can write a
 * line, read the answer, and write the next; {@link #ready} tells whether the next one is there already. Empty lines
 * are passed over.
 *
 * @param <T> what a line is
 */
final class JsonLines<T> {
    private static final int LONGEST_LINE = 1 << 30;

    private final JsonFactory json = new JsonFactory();
    private final InputStream in;
    private final LineShape<T> shape;
    private byte[] buffer = new byte[1 << 13];
    private int start;
    private int end;
    /** Where the search for the end of the line goes on; no line ends before. */
    private int searched;
    private int line;
    private long bytes;

    JsonLines(InputStream in, LineShape<T> shape) {
        this.in = in;
        this.shape = shape;
    }

    /** The number of the line that was read last, from 1. */
    int line() {
        return line;
    }

    /** How many bytes the lines had that were read so far. */
    long bytes() {
        return bytes;
    }

    /**
     * The next input; null at the end.
     *
     * @throws CommandException if a line is not such an object; the message names the line
     */
    T next() throws IOException {
        while (true) {
            int length = lineLength();
            while (length < 0 && fill()) {
                length = lineLength();
            }
            if (length < 0 && start == end) {
                return null;
            }
            int from = start;
            int to = length < 0 ? end : start + length;
            start = length < 0 ? end : to + 1;
            searched = start;
            bytes += start - from;
            line++;
            if (!isBlank(from, to)) {
                return parse(from, to);
            }
        }
    }

    /** Whether a whole line is there, so that {@link #next} need not wait for anybody. */
    boolean ready() throws IOException {
        while (lineLength() < 0) {
            if (in.available() == 0 || !fill()) {
                return false;
            }
        }
        return true;
    }

    /** The length of the line at the start of the buffer; -1 if its end is not there yet. */
    private int lineLength() {
        for (; searched < end; searched++) {
            if (buffer[searched] == '\n') {
                return searched - start;
            }
        }
        return -1;
    }

    private boolean fill() throws IOException {
        if (start > 0) {
            System.arraycopy(buffer, start, buffer, 0, end - start);
            end -= start;
            searched -= start;
            start = 0;
        }
        if (end == LONGEST_LINE) {
            line++;
            throw bad("the line is longer than " + LONGEST_LINE + " bytes");
        }
        if (end == buffer.length) {
            buffer = Arrays.copyOf(buffer, Math.min(LONGEST_LINE, buffer.length * 2));
        }
        int read = in.read(buffer, end, buffer.length - end);
        end += Math.max(read, 0);
        return read > 0;
    }

    private boolean isBlank(int from, int to) {
        for (int i = from; i < to; i++) {
            if (buffer[i] != ' ' && buffer[i] != '\t' && buffer[i] != '\r') {
                return false;
            }
        }
        return true;
    }

    private T parse(int from, int to) throws IOException {
        Map<String, Object> values = new HashMap<>();
        try (JsonParser parser = json.createParser(buffer, from, to - from)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw bad("expected a JSON object");
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String field = parser.currentName();
                if (!shape.fields().contains(field)) {
                    throw bad("unknown field \"" + Texts.shortened(field) + "\"; expected " + expected());
                }
                parser.nextToken();
                if (values.put(field, value(parser, field)) != null) {
                    throw bad("the field \"" + field + "\" is there twice");
                }
            }
            if (parser.nextToken() != null) {
                throw bad("there is something after the JSON object");
            }
        } catch (JacksonException e) {
            throw new CommandException("line " + line + " of standard input is not JSON: " + e.getOriginalMessage(), e);
        }
        try {
            return shape.read(new LineFields(values));
        } catch (LineFields.WrongFieldException e) {
            throw bad(e.getMessage());
        }
    }

    private String expected() {
        List<String> fields = shape.fields();
        int last = fields.size() - 1;
        return last == 0 ? fields.get(0) : String.join(", ", fields.subList(0, last)) + " or " + fields.get(last);
    }

    /** A string, a list of strings, or a list of numbers (which an empty list is taken for). */
    private Object value(JsonParser parser, String field) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            return parser.getText();
        }
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            throw bad("\"" + field + "\" is not a string and not a list");
        }
        return parser.nextToken() == JsonToken.VALUE_STRING ? strings(parser, field) : numbers(parser, field);
    }

    private List<String> strings(JsonParser parser, String field) throws IOException {
        List<String> strings = new ArrayList<>();
        for (; parser.currentToken() != JsonToken.END_ARRAY; parser.nextToken()) {
            if (parser.currentToken() != JsonToken.VALUE_STRING) {
                throw bad("\"" + field + "\" is not a list of strings");
            }
            strings.add(parser.getText());
        }
        return strings;
    }

    private int[] numbers(JsonParser parser, String field) throws IOException {
        int[] numbers = new int[16];
        int count = 0;
        for (; parser.currentToken() != JsonToken.END_ARRAY; parser.nextToken()) {
            if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT || parser.getLongValue() < 0
                    || parser.getLongValue() > Integer.MAX_VALUE) {
                throw bad("\"" + field + "\" is not a list of whole numbers from 0");
            }
            if (count == numbers.length) {
                numbers = Arrays.copyOf(numbers, count * 2);
            }
            numbers[count++] = parser.getIntValue();
        }
        return Arrays.copyOf(numbers, count);
    }

    /** A failure at the line that was read last. */
    CommandException bad(String problem) {
        return new CommandException(at(line) + problem);
    }

    /** A failure at a line. */
    static CommandException bad(int line, Exception cause) {
        return new CommandException(at(line) + cause.getMessage(), cause);
    }

    private static String at(int line) {
        return "line " + line + " of standard input: ";
    }
}
