package org.vecformer.cli;

import java.io.IOException;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.generation.Drafting;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.SessionOptions;
import picocli.CommandLine.Option;

/** What changes speed and memory and, but for the cache's type, not the text. */
@Section("Speed and memory (the text stays the same, but with --kv-cache bf16)")
final class SpeedOptions {
    /** As many as a context may have. */
    private static final int MOST_TOKENS = 10_000;
    private static final int DEFAULT_DRAFT_TOKENS = 4;

    @Option(names = "--draft-model", paramLabel = "DIR|FILE|NAME", description = "a smaller model of the same vocabulary guesses the next tokens, and this one checks them together (speculative decoding)")
    String draftModel;

    @Option(names = "--draft-tokens", paramLabel = "N", description = "how many it guesses at once (default: "
            + DEFAULT_DRAFT_TOKENS + ")")
    Integer draftTokens;

    @Option(names = "--prompt-lookup", paramLabel = "N", description = "guess N tokens at once: what followed when the last two stood earlier in the text")
    Integer promptLookup;

    @Option(names = "--no-cache", description = "compute everything again for each token (slow; the result is the same)")
    boolean noCache;

    @Option(names = "--kv-cache", paramLabel = "f32|bf16", defaultValue = "f32", description = "keep keys and values as f32, or as bf16: half of the memory, and logits that differ in the third digit (default: ${DEFAULT-VALUE})")
    CacheType cacheType;

    /** Names as on the command line. */
    enum CacheType {
        f32(WeightType.F32), bf16(WeightType.BF16);

        private final WeightType type;

        CacheType(WeightType type) {
            this.type = type;
        }
    }

    /** @throws UsageException if the options contradict each other, or a value is out of range */
    void check() {
        Values.count(MOST_TOKENS, "--draft-tokens", draftTokens);
        Values.needs("--draft-tokens", draftTokens, "--draft-model", draftModel);
        Values.count(MOST_TOKENS, "--prompt-lookup", promptLookup);
        if (draftModel != null && promptLookup != null) {
            throw new UsageException("--draft-model and --prompt-lookup both guess tokens; give one of them");
        }
        if (given() && noCache) {
            throw new UsageException(
                    "guessed tokens (" + name() + ") need the cache; --no-cache does not go with them");
        }
    }

    /** Whether tokens are to be guessed. */
    boolean given() {
        return draftModel != null || promptLookup != null;
    }

    /** The option that was given. */
    String name() {
        return draftModel != null ? "--draft-model" : "--prompt-lookup";
    }

    /**
     * The draft model; null if none was named.
     *
     * @throws CommandException if it is no GPT-2, or has another vocabulary
     */
    Gpt open(ModelRequest request, LoadedGpt model) throws IOException {
        return draftModel == null ? null : request.draft(draftModel, model);
    }

    /** The memory of a generation. */
    SessionOptions session() {
        return SessionOptions.defaults().withCacheType(cacheType.type);
    }

    /** What was done for the speed, for standard error; empty for nothing. */
    String summary() {
        return cacheType == CacheType.bf16 ? ", bf16 cache" + how() : how();
    }

    private String how() {
        return noCache
                ? ", no cache"
                : draftModel != null
                        ? ", " + draftCount() + " tokens at once drafted by " + draftModel
                        : promptLookup != null ? ", " + promptLookup + " tokens at once looked up" : "";
    }

    private int draftCount() {
        return draftTokens == null ? DEFAULT_DRAFT_TOKENS : draftTokens;
    }

    /** @param draft the draft model; null if there is none */
    GenerationOptions apply(GenerationOptions recommended, Gpt draft) {
        GenerationOptions options = recommended.withUseCache(!noCache);
        if (draft != null) {
            return options.withDrafting(new Drafting.DraftModel(draft, draftCount()));
        }
        return promptLookup == null ? options : options.withDrafting(new Drafting.PromptLookup(promptLookup));
    }
}
