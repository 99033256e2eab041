package org.vecformer.cli.dialog;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.vecformer.engine.dialog.DialogExample;

/**
 * The JSON of Hugging Face's conversational agent (personachat_self_original.json), whose last candidate is gold:
 *
 * <pre>{@code
 * {"train":[...],"valid":[{"personality":["i have two dogs ."],
 *   "utterances":[{"candidates":["i like pizza .","fine ."],"history":["how are you ?"]}]}]}
 * }</pre>
 *
 * or such a list alone. It has 200 MB: one dialog at a time is held. Other fields are passed over.
 */
final class PersonaJsonReader implements ExampleReader {
    private static final String DEFAULT_SPLIT = "valid";
    private static final JsonFactory FACTORY = new JsonFactory();

    private final Path file;
    private final JsonParser json;
    private final String list;
    private final Deque<NumberedExample> read = new ArrayDeque<>();
    private int dialog;
    private boolean finished;

    /** An utterance of the file: a reply with what was said before. */
    private record Utterance(List<String> candidates, List<String> history) {}

    PersonaJsonReader(Path file, InputStream in, String split) throws IOException {
        this.file = file;
        json = FACTORY.createParser(in);
        try {
            if (json.nextToken() == JsonToken.START_ARRAY) {
                if (split != null) {
                    throw new IOException(file + " is one list, which has no split " + split);
                }
                list = "";
            } else {
                list = split == null ? DEFAULT_SPLIT : split;
                find(list);
            }
        } catch (JacksonException e) {
            throw notJson(e);
        }
    }

    private void find(String split) throws IOException {
        List<String> others = new ArrayList<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            if (name.equals(split)) {
                if (value != JsonToken.START_ARRAY) {
                    throw new IOException(file + ": " + split + " is no list; expected one of dialogs");
                }
                return;
            }
            if (others.size() < 10) {
                others.add(shortened(name));
            }
            json.skipChildren();
        }
        throw new IOException(file + " has no list " + split + (others.isEmpty()
                ? "; it is empty"
                : "; it has " + String.join(", ", others)));
    }

    @Override
    public NumberedExample next() throws IOException {
        try {
            while (read.isEmpty()) {
                if (finished || json.nextToken() == JsonToken.END_ARRAY) {
                    finished = true;
                    return null;
                }
                dialog++;
                dialog();
            }
            return read.remove();
        } catch (JacksonException e) {
            throw notJson(e);
        }
    }

    private void dialog() throws IOException {
        String where = list + "[" + (dialog - 1) + "]";
        expect(json.currentToken() == JsonToken.START_OBJECT, where, "is not an object");
        List<String> persona = null;
        List<Utterance> utterances = null;
        List<String> others = new ArrayList<>();
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            json.nextToken();
            switch (name) {
                case "personality" -> persona = strings(where + ".personality");
                case "utterances" -> utterances = utterances(where + ".utterances");
                default -> {
                    if (others.size() < 10) {
                        others.add(shortened(name));
                    }
                    json.skipChildren();
                }
            }
        }
        expect(persona != null, where, "has no \"personality\"" + found(others));
        expect(utterances != null, where, "has no \"utterances\"" + found(others));
        for (Utterance utterance : utterances) {
            read.add(new NumberedExample(dialog,
                    new DialogExample(persona, utterance.history, utterance.candidates)));
        }
    }

    private static String found(List<String> others) {
        return others.isEmpty() ? "" : " (but " + String.join(", ", others) + ")";
    }

    private List<Utterance> utterances(String where) throws IOException {
        expect(json.currentToken() == JsonToken.START_ARRAY, where, "is not a list");
        List<Utterance> utterances = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            utterances.add(utterance(where + "[" + utterances.size() + "]"));
        }
        return utterances;
    }

    private Utterance utterance(String where) throws IOException {
        expect(json.currentToken() == JsonToken.START_OBJECT, where, "is not an object");
        List<String> candidates = null;
        List<String> history = null;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            json.nextToken();
            switch (name) {
                case "candidates" -> candidates = strings(where + ".candidates");
                case "history" -> history = strings(where + ".history");
                default -> json.skipChildren();
            }
        }
        expect(candidates != null && !candidates.isEmpty(), where, "has no \"candidates\"");
        expect(history != null, where, "has no \"history\"");
        return new Utterance(candidates, history);
    }

    private List<String> strings(String where) throws IOException {
        expect(json.currentToken() == JsonToken.START_ARRAY, where, "is not a list");
        List<String> strings = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            expect(json.currentToken() == JsonToken.VALUE_STRING, where + "[" + strings.size() + "]",
                    "is not a string");
            strings.add(json.getText());
        }
        return strings;
    }

    private void expect(boolean good, String where, String problem) throws IOException {
        if (!good) {
            throw new IOException(file + ": " + where + " " + problem
                    + "; expected dialogs such as {\"personality\":[],\"utterances\":[{\"candidates\":[],"
                    + "\"history\":[]}]}");
        }
    }

    private IOException notJson(JacksonException e) {
        return new IOException(file + ", line " + json.currentLocation().getLineNr() + ", column "
                + json.currentLocation().getColumnNr() + ": it is not JSON: " + e.getOriginalMessage(), e);
    }

    private static String shortened(String text) {
        return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }

    @Override
    public void close() throws IOException {
        json.close();
    }
}
