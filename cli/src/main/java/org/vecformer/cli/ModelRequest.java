package org.vecformer.cli;

import java.io.IOException;
import java.util.Set;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.model.LoadProgress;

/**
 * A command's wish for a model.
 *
 * @param command the command's name
 * @param model what {@code --model} names; null for the embedded model
 * @param compute on what it shall compute
 * @param common what every command has
 * @param context what every command works with
 * @param longWork whether there will be much to compute: not one short text
 */
record ModelRequest(String command, String model, ComputeOptions compute, CommonOptions common, Context context,
        boolean longWork) {

    /** A model of any kind. */
    LoadedModel any() throws IOException {
        return open(Set.of(ModelKind.values()));
    }

    /**
     * A GPT-2 or OpenAI GPT.
     *
     * @throws CommandException if the model is a BERT
     */
    LoadedGpt gpt() throws IOException {
        return (LoadedGpt) open(Set.of(ModelKind.GPT));
    }

    /**
     * A BERT.
     *
     * @throws UsageException if no model is named
     * @throws CommandException if the model is a GPT
     */
    LoadedBert bert() throws IOException {
        if (model == null) {
            throw new UsageException(command + " needs a BERT, and none is embedded: name its directory with --model;"
                    + " convert makes one of a published checkpoint");
        }
        return (LoadedBert) open(Set.of(ModelKind.BERT));
    }

    /**
     * A smaller GPT that guesses what another one would write; computed as that one is.
     *
     * @param name as {@code --model} would name it
     * @throws CommandException if it is no GPT, or has another vocabulary
     */
    Gpt draft(String name, LoadedGpt large) throws IOException {
        try (ModelSource source = ModelSource.open(name)) {
            ModelKind kind = ModelKind.of(source.files().config());
            if (kind != ModelKind.GPT) {
                throw new CommandException("the draft model " + name + " is a " + kind + "; expected a GPT");
            }
            Gpt draft = Gpt.load(large.engine(), source.files(),
                    new LoadOptions(compute.weightType(), LoadProgress.NONE, longWork));
            int tokens = draft.config().vocabularySize();
            if (tokens != large.vocabularySize() || !draft.isLanguageModel()) {
                draft.close();
                throw new CommandException("the draft model " + name + " has " + tokens + " tokens and the model "
                        + large.name() + " has " + large.vocabularySize()
                        + "; expected a language model of the same vocabulary");
            }
            return draft;
        }
    }

    /** What does the same with a model of the other kind; the end of a sentence. */
    private String advice() {
        return switch (command) {
            case "generate" -> ": use mask-generate";
            case "mask-generate" -> ": use generate";
            default -> "";
        };
    }

    /** Opens a model of one of these kinds. */
    private LoadedModel open(Set<ModelKind> kinds) throws IOException {
        // Refuse what cannot be before reading what may be large.
        EngineOptions options = compute.engine();
        WeightType weights = compute.weightType();
        LoadedModel early = compute.given() ? null : context.headStart().model(model);
        if (early != null) {
            return early;
        }
        ModelLoading.Check check = kind -> {
            if (!kinds.contains(kind)) {
                throw new CommandException("the model " + model + " is a " + kind + "; " + command + " needs a "
                        + kinds.iterator().next() + advice());
            }
        };
        Streams streams = context.streams();
        if (common.quiet || !streams.terminal()) {
            return ModelLoading.load(model, check, options, new LoadOptions(weights, LoadProgress.NONE, longWork));
        }
        try (ProgressBar bar = new ProgressBar(streams.err(), "loading")) {
            return ModelLoading.load(model, check, options, new LoadOptions(weights, bar::show, longWork));
        }
    }
}
