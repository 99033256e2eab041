package org.vecformer.cli;

import java.io.IOException;
import java.io.InputStream;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.Guidance;
import picocli.CommandLine.Option;

/** Away from another prompt. */
@Section("Guidance")
final class GuidanceOptions {
    @Option(names = "--guidance-scale", paramLabel = "X", description = "above 1: away from what the model would write behind the last token of the prompt alone, or behind --negative-prompt; each step costs two")
    Double scale;

    @Option(names = "--negative-prompt", paramLabel = "TEXT", description = "away from what the model would write behind this text; - for standard input, @file for a file")
    String negativePrompt;

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        Values.finite("--guidance-scale", scale);
        Values.needs("--negative-prompt", negativePrompt, "--guidance-scale", scale);
    }

    /** Reads what is in a file or comes from standard input. */
    void read(InputStream in) throws IOException {
        negativePrompt = negativePrompt == null ? null : Texts.resolve(negativePrompt, in);
    }

    /** @throws CommandException if a text was given and the model has no tokenizer */
    GenerationOptions apply(GenerationOptions recommended, LoadedGpt model) throws CommandException {
        if (scale == null) {
            return recommended;
        }
        return recommended.withGuidance(negativePrompt == null
                ? new Guidance(scale)
                : new Guidance(scale, model.requiredTokenizer().ids(negativePrompt)));
    }
}
