package org.vecformer.cli;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The kinds of models that commands ask for. */
enum ModelKind {
    GPT("GPT"), BERT("BERT");

    private final String shown;

    ModelKind(String shown) {
        this.shown = shown;
    }

    /**
     * What a config.json describes: what its {@code model_type} says, else (files of 2018 and 2019 lack it) what the
     * names of its sizes tell. GPT if nothing tells otherwise: its loader says what is wrong.
     *
     * @throws CommandException if it is a model of another type
     * @throws IOException if the file cannot be read
     */
    static ModelKind of(Path configJson) throws IOException {
        boolean bertFields = false;
        try (JsonParser json = new JsonFactory().createParser(Files.readAllBytes(configJson))) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return GPT;
            }
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                if (name.equals("model_type") && value == JsonToken.VALUE_STRING) {
                    return named(json.getText(), configJson);
                }
                bertFields |= name.equals("type_vocab_size") || name.equals("intermediate_size");
                json.skipChildren();
            }
        } catch (JacksonException e) {
            return GPT;
        }
        return bertFields ? BERT : GPT;
    }

    private static ModelKind named(String type, Path configJson) throws CommandException {
        return switch (type) {
            case "gpt2", "openai-gpt" -> GPT;
            case "bert" -> BERT;
            default -> throw new CommandException(
                    configJson + ": field model_type is \"" + Texts.printable(Texts.shortened(type))
                            + "\"; this build runs models of the types gpt2, openai-gpt and bert");
        };
    }

    /** As people write it. */
    @Override
    public String toString() {
        return shown;
    }
}
