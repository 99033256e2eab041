package org.vecformer.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of passages: one a line, or as LAMBADA is published, a JSON object a line with the field {@code text}. Which
 * of the two is told by its first line that is not blank. Blank lines are passed over.
 */
final class Passages {
    private static final JsonFactory JSON = new JsonFactory();

    private Passages() {
    }

    /** @throws CommandException if the file is no UTF-8, or a line is not as the first one */
    static List<String> read(Path file) throws IOException {
        List<String> passages = new ArrayList<>();
        String[] lines = Texts.file(file).split("\n", -1);
        boolean objects = false;
        for (int i = 0; i < lines.length; i++) {
            String line = lines[i].strip();
            if (!line.isEmpty()) {
                objects |= passages.isEmpty() && line.startsWith("{");
                passages.add(objects ? text(line, file + ", line " + (i + 1) + ": ") : line);
            }
        }
        return passages;
    }

    /** The field {@code text} of an object that may have others. */
    private static String text(String line, String where) throws IOException {
        String text = null;
        try (JsonParser json = JSON.createParser(line)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new CommandException(where + "expected a JSON object, as in the first line");
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                boolean isText = json.currentName().equals("text");
                if (json.nextToken() == JsonToken.VALUE_STRING && isText) {
                    text = json.getText();
                }
                json.skipChildren();
            }
            if (json.nextToken() != null) {
                throw new CommandException(where + "there is something after the JSON object");
            }
        } catch (JacksonException e) {
            throw new CommandException(where + "not JSON: " + e.getOriginalMessage(), e);
        }
        if (text == null) {
            throw new CommandException(where + "the field \"text\" with a string is missing");
        }
        return text;
    }
}
