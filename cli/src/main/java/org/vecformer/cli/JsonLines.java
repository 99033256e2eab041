package org.vecformer.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * The inputs of {@code --jsonl}: one JSON object a line, {@code {"text":"...","pair":"..."}} or {@code {"ids":[...]}}.
 * Each is read when it is asked for, so a program can write a line, read the answer, and write the next. Empty lines
 * are passed over.
 */
final class JsonLines {
    private final JsonFactory json = new JsonFactory();
    private final InputStream in;
    private int line;

    JsonLines(InputStream in) {
        this.in = new BufferedInputStream(in);
    }

    /** The number of the line that was read last, from 1. */
    int line() {
        return line;
    }

    /**
     * The next input; null at the end.
     *
     * @throws CommandException if a line is not such an object; the message names the line
     */
    Input next() throws IOException {
        for (byte[] bytes = nextLine(); bytes != null; bytes = nextLine()) {
            line++;
            if (!isBlank(bytes)) {
                return parse(bytes);
            }
        }
        return null;
    }

    private byte[] nextLine() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
        int b = in.read();
        if (b < 0) {
            return null;
        }
        while (b >= 0 && b != '\n') {
            bytes.write(b);
            b = in.read();
        }
        return bytes.toByteArray();
    }

    private static boolean isBlank(byte[] bytes) {
        for (byte b : bytes) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }

    private Input parse(byte[] bytes) throws IOException {
        String text = null;
        String pair = null;
        int[] ids = null;
        try (JsonParser parser = json.createParser(bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw bad("expected a JSON object");
            }
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                switch (field) {
                    case "text" -> text = once(field, text, string(parser, value, field));
                    case "pair" -> pair = once(field, pair, string(parser, value, field));
                    case "ids" -> ids = once(field, ids, ids(parser, value));
                    default -> throw bad("unknown field \"" + field + "\"; expected text, pair or ids");
                }
            }
            if (parser.nextToken() != null) {
                throw bad("there is something after the JSON object");
            }
        } catch (JacksonException e) {
            throw new CommandException("line " + line + " of standard input is not JSON: " + e.getOriginalMessage(), e);
        }
        if ((text == null) == (ids == null)) {
            throw bad("expected either \"text\" or \"ids\"");
        }
        if (pair != null && text == null) {
            throw bad("\"pair\" goes with \"text\"");
        }
        return new Input(text, pair, ids);
    }

    private <T> T once(String field, T before, T value) throws CommandException {
        if (before != null) {
            throw bad("the field \"" + field + "\" is there twice");
        }
        return value;
    }

    private String string(JsonParser parser, JsonToken value, String field) throws IOException {
        if (value != JsonToken.VALUE_STRING) {
            throw bad("\"" + field + "\" is not a string");
        }
        return parser.getText();
    }

    private int[] ids(JsonParser parser, JsonToken value) throws IOException {
        if (value != JsonToken.START_ARRAY) {
            throw bad("\"ids\" is not a list of numbers");
        }
        int[] ids = new int[16];
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT || parser.getLongValue() < 0
                    || parser.getLongValue() > Integer.MAX_VALUE) {
                throw bad("\"ids\" is not a list of token ids (whole numbers from 0)");
            }
            if (count == ids.length) {
                ids = Arrays.copyOf(ids, count * 2);
            }
            ids[count++] = parser.getIntValue();
        }
        return Arrays.copyOf(ids, count);
    }

    /** A failure at the line that was read last. */
    CommandException bad(String problem) {
        return new CommandException("line " + line + " of standard input: " + problem);
    }
}
