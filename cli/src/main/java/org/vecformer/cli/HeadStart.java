package org.vecformer.cli;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Loads the model while the command line is still being read: making sense of options costs a fifth of a second of
 * class loading, on a machine with a processor to spare. It is the embedded model, which most people want who call a
 * command without saying which, or the one that {@code generate --model} names.
 */
final class HeadStart {
    private static final Set<String> COMMANDS = Set.of("generate", "score", "next", "predict",
            "evaluate", "chat", "forward", "info", "bench");

    /**
     * What makes a difference to loading. Where a prompt looks like one of these the head start is lost,
     * nothing else.
     */
    private static final List<String> OPTIONS = List.of("--model", "--threads", "--device", "--backend",
            "--require-simd", "--weights",
            "--tensors", "--help", "-h");

    /** Every other command loads a named model in a way of its own. */
    private static final String NAMING_COMMAND = "generate";
    private static final String MODEL = "--model";

    private static final HeadStart NONE = new HeadStart(null, null);

    private final String name;
    private final CompletableFuture<LoadedGpt> model;

    private HeadStart(String name, CompletableFuture<LoadedGpt> model) {
        this.name = name;
        this.model = model;
    }

    static HeadStart none() {
        return NONE;
    }

    /**
     * Begins to load what a command line seems to ask for.
     *
     * @param terminal whether standard error is one, on which a bar shows how a named model is being loaded
     */
    static HeadStart of(String[] arguments, boolean terminal) {
        if (arguments.length == 0 || !COMMANDS.contains(arguments[0])) {
            return NONE;
        }
        String named = null;
        for (int i = 1; i < arguments.length; i++) {
            if (arguments[i].equals(MODEL) && arguments[0].equals(NAMING_COMMAND) && !terminal && named == null
                    && i + 1 < arguments.length) {
                named = arguments[++i];
                continue;
            }
            for (String option : OPTIONS) {
                if (arguments[i].startsWith(option)) {
                    return NONE;
                }
            }
        }
        String name = named;
        CompletableFuture<LoadedGpt> future = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("head-start").start(() -> {
            try {
                future.complete(ModelLoading.early(name));
            } catch (Throwable e) {
                future.completeExceptionally(e);
            }
        });
        return new HeadStart(name, future);
    }

    /**
     * A model with default options; null if nobody began to load it, or it is no GPT-2.
     *
     * @param wanted what {@code --model} names; null for the embedded one
     */
    LoadedGpt model(String wanted) throws IOException {
        if (model == null || !Objects.equals(wanted, name)) {
            return null;
        }
        try {
            return model.join();
        } catch (CompletionException e) {
            throw Failures.asChecked(e.getCause());
        }
    }
}
