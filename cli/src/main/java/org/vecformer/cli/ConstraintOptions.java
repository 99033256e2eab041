package org.vecformer.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.vecformer.engine.constraint.Constraint;
import org.vecformer.engine.constraint.ConstraintException;
import org.vecformer.engine.constraint.Vocabulary;
import org.vecformer.engine.generation.GenerationOptions;
import picocli.CommandLine.Option;

/** What the text has to be. */
@Section("What the text has to be (one of these; a text that is cut by its length only begins one)")
final class ConstraintOptions {
    @Option(names = "--regex", paramLabel = "PATTERN", description = "a text that matches this regular expression as a whole")
    String regex;

    @Option(names = "--json-schema", paramLabel = "SCHEMA", description = "JSON that this schema allows; - for standard input, @file for a file")
    String jsonSchema;

    @Option(names = "--choices", paramLabel = "TEXTS", description = "one of these texts, as they stand: with commas between them (\\, is a comma) or by several options")
    List<String> choices;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        if (Stream.of(regex, jsonSchema, choices).filter(Objects::nonNull).count() > 1) {
            throw new UsageException("--regex, --json-schema and --choices each say what the whole text has to be; give"
                    + " one of them");
        }
        if (choices != null && texts().contains("")) {
            throw new UsageException("--choices has an empty text; expected texts, with commas between them");
        }
    }

    private List<String> texts() {
        return choices.stream().flatMap(list -> Values.list(list).stream()).toList();
    }

    /** Reads what is in a file or comes from standard input. */
    void read(InputStream in) throws IOException {
        jsonSchema = jsonSchema == null ? null : Texts.resolve(jsonSchema, in);
    }

    /**
     * @throws CommandException if the model has no tokenizer
     * @throws UsageException if the pattern or schema is none
     */
    GenerationOptions apply(GenerationOptions options, LoadedGpt model) throws CommandException {
        if (regex == null && jsonSchema == null && choices == null) {
            return options;
        }
        Vocabulary vocabulary = Vocabulary.of(model.requiredTokenizer(),
                options.stopping().endTokens().stream().mapToInt(Integer::intValue).toArray());
        try {
            Constraint constraint = regex != null
                    ? Constraint.regex(regex, vocabulary)
                    : jsonSchema != null
                            ? Constraint.jsonSchema(jsonSchema, vocabulary)
                            : Constraint.choices(texts(), vocabulary);
            return options.withSampling(sampling -> sampling.constraint(constraint.sampler()));
        } catch (ConstraintException e) {
            throw new UsageException(
                    (regex != null ? "--regex: " : jsonSchema != null ? "--json-schema: " : "--choices: ")
                            + e.getMessage());
        }
    }
}
