package org.vecformer.cli.dialog;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.vecformer.cli.dialog.Conversation.Speaker;
import org.vecformer.cli.dialog.Conversation.Utterance;

/**
 * Conversations as JSON:
 *
 * <pre>{@code
 * {"format":"vecformer-conversation","version":1,"model":"","persona":[],"user_persona":[],
 *  "sampling":{"temperature":0.7},"seed":7,"drawn":1,
 *  "utterances":[{"speaker":"user","text":""},{"speaker":"bot","text":"","stopped":true}]}
 * }</pre>
 *
 * {@code stopped} stands only where a reply was stopped.
 */
public final class ConversationFile {
    private static final String FORMAT = "vecformer-conversation";
    private static final int VERSION = 1;
    /** Far more than anybody types. */
    private static final int MOST_BYTES = 1 << 26;
    /** The random numbers of a reply take time to find that grows with it. */
    private static final int MOST_DRAWN = 1_000_000;

    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?(E-?[0-9]+)?");
    private static final JsonFactory FACTORY = new JsonFactory().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    private final String name;
    private final JsonParser json;

    private ConversationFile(String name, JsonParser json) {
        this.name = name;
        this.json = json;
    }

    /** A conversation as the text of a file. */
    public static String text(Conversation conversation) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = FACTORY.createGenerator(text)) {
            json.setPrettyPrinter(new DefaultPrettyPrinter());
            write(json, conversation);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return text.append('\n').toString();
    }

    private static void write(JsonGenerator json, Conversation conversation) throws IOException {
        json.writeStartObject();
        json.writeStringField("format", FORMAT);
        json.writeNumberField("version", VERSION);
        json.writeStringField("model", conversation.model());
        strings(json, "persona", conversation.persona());
        strings(json, "user_persona", conversation.userPersona());
        json.writeObjectFieldStart("sampling");
        for (Map.Entry<String, String> setting : conversation.sampling().entrySet()) {
            json.writeFieldName(setting.getKey());
            value(json, setting.getValue());
        }
        json.writeEndObject();
        json.writeNumberField("seed", conversation.seed());
        json.writeNumberField("drawn", conversation.drawn());
        json.writeArrayFieldStart("utterances");
        for (Utterance utterance : conversation.utterances()) {
            json.writeStartObject();
            json.writeStringField("speaker", utterance.speaker().name().toLowerCase(Locale.ROOT));
            json.writeStringField("text", utterance.text());
            if (utterance.stopped()) {
                json.writeBooleanField("stopped", true);
            }
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    private static void value(JsonGenerator json, String value) throws IOException {
        if (value.equals("true")) {
            json.writeBoolean(true);
        } else if (NUMBER.matcher(value).matches()) {
            json.writeNumber(value);
        } else {
            json.writeString(value);
        }
    }

    private static void strings(JsonGenerator json, String field, List<String> values) throws IOException {
        json.writeArrayFieldStart(field);
        for (String value : values) {
            json.writeString(value);
        }
        json.writeEndArray();
    }

    /**
     * Reads a conversation.
     *
     * @throws IOException if the file cannot be read, or is no conversation; the message names the file and what is wrong
     */
    public static Conversation read(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file");
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(MOST_BYTES + 1);
        }
        if (bytes.length > MOST_BYTES) {
            throw new IOException(file + " has more than " + MOST_BYTES + " bytes; expected a saved conversation");
        }
        try (JsonParser json = FACTORY.createParser(bytes)) {
            return new ConversationFile(file.toString(), json).conversation();
        } catch (JacksonException e) {
            throw new IOException(file + " is not a saved conversation: it is not JSON: " + e.getOriginalMessage(), e);
        }
    }

    private Conversation conversation() throws IOException {
        expect(json.nextToken() == JsonToken.START_OBJECT, "expected a JSON object");
        String format = null;
        int version = -1;
        String model = "";
        List<String> persona = List.of();
        List<String> userPersona = List.of();
        Map<String, String> sampling = Map.of();
        long seed = 0;
        int drawn = 0;
        List<Utterance> utterances = null;
        for (String field = nextField(); field != null; field = nextField()) {
            switch (field) {
                case "format" -> format = string(field);
                case "version" -> version = (int) number(field, Integer.MAX_VALUE);
                case "model" -> model = string(field);
                case "persona" -> persona = strings(field);
                case "user_persona" -> userPersona = strings(field);
                case "sampling" -> sampling = values(field);
                case "seed" -> seed = number(field, Long.MAX_VALUE);
                case "drawn" -> drawn = (int) number(field, MOST_DRAWN);
                case "utterances" -> utterances = utterances(field);
                default -> throw bad("unknown field \"" + shortened(field) + "\"");
            }
        }
        expect(json.nextToken() == null, "there is something behind the JSON object");
        expect(FORMAT.equals(format), "its field format is not \"" + FORMAT + "\"");
        expect(version == VERSION, "its field version is not " + VERSION + ", the one that this build reads");
        expect(utterances != null, "it has no utterances");
        try {
            return new Conversation(model, persona, userPersona, sampling, seed, drawn, utterances);
        } catch (IllegalArgumentException e) {
            throw new IOException(name + " is not a saved conversation: " + e.getMessage(), e);
        }
    }

    /** The name of the next field of an object, whose value is the current token then; null at the object's end. */
    private String nextField() throws IOException {
        if (json.nextToken() == JsonToken.END_OBJECT) {
            return null;
        }
        String field = json.currentName();
        json.nextToken();
        return field;
    }

    private String string(String field) throws IOException {
        expect(json.currentToken() == JsonToken.VALUE_STRING, "\"" + field + "\" is not a string");
        return json.getText();
    }

    private long number(String field, long most) throws IOException {
        boolean whole = json.currentToken() == JsonToken.VALUE_NUMBER_INT
                && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
        expect(whole && json.getLongValue() >= -most && json.getLongValue() <= most,
                "\"" + field + "\" is not a whole number up to " + most);
        return json.getLongValue();
    }

    private List<String> strings(String field) throws IOException {
        expect(json.currentToken() == JsonToken.START_ARRAY, "\"" + field + "\" is not a list");
        List<String> strings = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            strings.add(string(field));
        }
        return strings;
    }

    private Map<String, String> values(String field) throws IOException {
        expect(json.currentToken() == JsonToken.START_OBJECT, "\"" + field + "\" is not an object");
        Map<String, String> values = new LinkedHashMap<>();
        for (String name = nextField(); name != null; name = nextField()) {
            expect(json.currentToken().isScalarValue() && json.currentToken() != JsonToken.VALUE_NULL,
                    "\"" + shortened(name) + "\" is not a number, a string or true");
            values.put(name, json.getText());
        }
        return values;
    }

    private List<Utterance> utterances(String field) throws IOException {
        expect(json.currentToken() == JsonToken.START_ARRAY, "\"" + field + "\" is not a list");
        List<Utterance> utterances = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            utterances.add(utterance());
        }
        return utterances;
    }

    private Utterance utterance() throws IOException {
        expect(json.currentToken() == JsonToken.START_OBJECT, "an utterance is not an object");
        String speaker = null;
        String text = null;
        boolean stopped = false;
        for (String field = nextField(); field != null; field = nextField()) {
            switch (field) {
                case "speaker" -> speaker = string(field);
                case "text" -> text = string(field);
                case "stopped" -> {
                    expect(json.currentToken().isBoolean(), "\"stopped\" is not true or false");
                    stopped = json.getBooleanValue();
                }
                default -> throw bad("unknown field \"" + shortened(field) + "\" of an utterance");
            }
        }
        expect("user".equals(speaker) || "bot".equals(speaker),
                "the speaker of an utterance is not \"user\" or \"bot\"");
        expect(text != null, "an utterance has no text");
        return new Utterance("user".equals(speaker) ? Speaker.USER : Speaker.BOT, text, stopped);
    }

    private void expect(boolean good, String problem) throws IOException {
        if (!good) {
            throw bad(problem);
        }
    }

    private IOException bad(String problem) {
        return new IOException(name + " is not a saved conversation: line " + json.currentLocation().getLineNr() + ": "
                + problem);
    }

    private static String shortened(String text) {
        return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }
}
