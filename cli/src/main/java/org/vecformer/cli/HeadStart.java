package org.vecformer.cli;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Loads the embedded model while the command line is still being read: making sense of options costs a fifth of a
 * second of class loading, and most people who call a command without saying which model want this one, on a machine
 * with a processor to spare.
 */
final class HeadStart {
    private static final Set<String> COMMANDS = Set.of("generate", "score", "next", "predict",
            "evaluate", "forward", "info", "bench");

    /**
     * What makes a difference to loading. Where a prompt looks like one of these the head start is lost,
     * nothing else.
     */
    private static final List<String> OPTIONS = List.of("--model", "--threads", "--device", "--backend",
            "--require-simd", "--weights",
            "--tensors", "--help", "-h");

    private static final HeadStart NONE = new HeadStart(null);

    private final CompletableFuture<LoadedGpt2> model;

    private HeadStart(CompletableFuture<LoadedGpt2> model) {
        this.model = model;
    }

    static HeadStart none() {
        return NONE;
    }

    static HeadStart of(String[] arguments) {
        if (arguments.length == 0 || !COMMANDS.contains(arguments[0])) {
            return NONE;
        }
        for (String argument : arguments) {
            for (String option : OPTIONS) {
                if (argument.startsWith(option)) {
                    return NONE;
                }
            }
        }
        CompletableFuture<LoadedGpt2> future = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("head-start").start(() -> {
            try {
                future.complete(ModelLoading.embedded());
            } catch (Throwable e) {
                future.completeExceptionally(e);
            }
        });
        return new HeadStart(future);
    }

    /** The embedded model with default options; null if nobody began to load it. */
    LoadedGpt2 model() throws IOException {
        if (model == null) {
            return null;
        }
        try {
            return model.join();
        } catch (CompletionException e) {
            throw Failures.asChecked(e.getCause());
        }
    }
}
