package org.vecformer.engine.stress;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.vecformer.engine.Engine;
import org.vecformer.engine.generation.DecodingStrategy;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.Scorer;
import org.vecformer.engine.task.ScoringOptions;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A GPT's files, and what its model writes and thinks when nothing else runs.
 *
 * @param texts  of all kinds of prompts and options
 * @param scores the log-probabilities of each of the texts' prompts, NaN for the first token
 */
record Library(Path files, Tokenizer tokenizer, List<TextJob> texts, List<double[]> scores) {

    /** Jobs that a scheduler takes, and those with beams and the like. */
    private static final int PLAIN = 40;
    private static final int OTHERS = 8;

    /**
     * Computes alone: one thing after the other, on one thread.
     *
     * @param engine    of one thread, not the one that is put under stress
     * @param mostNew   the most new tokens of a text
     * @param words     what prompts are made of
     */
    static Library read(Engine engine, Path files, List<String> words, int mostPrompt, int mostNew, long seed)
            throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        Tokenizer tokenizer = Tokenizer.load(files);
        List<TextJob> texts = new ArrayList<>();
        List<double[]> scores = new ArrayList<>();
        try (Gpt model = Gpt.load(engine, ModelFiles.of(files), LoadOptions.defaults())) {
            for (int i = 0; i < PLAIN + OTHERS; i++) {
                boolean plain = i < PLAIN;
                int[] prompt = prompt(tokenizer, words, 1 + random.nextInt(mostPrompt), random);
                GenerationOptions options = plain ? plain(random, words) : other(random);
                options = options.withMaxNewTokens(1 + random.nextInt(mostNew));
                // For each a new one: alone is alone.
                try (TextGenerator generator = TextGenerator.open(model, tokenizer);
                        Scorer scorer = Scorer.open(model, tokenizer)) {
                    texts.add(TextJob.of(prompt, options, plain,
                            generator.generate(prompt, options, TokenListener.NONE), tokenizer));
                    scores.add(scorer.score(prompt, ScoringOptions.defaults()).logprobs());
                }
            }
        }
        return new Library(files, tokenizer, List.copyOf(texts), List.copyOf(scores));
    }

    private static int[] prompt(Tokenizer tokenizer, List<String> words, int tokens, SplittableRandom random) {
        StringBuilder text = new StringBuilder();
        int[] ids = new int[0];
        while (ids.length < tokens) {
            text.append(words.get(random.nextInt(words.size()))).append(' ');
            ids = tokenizer.ids(text.toString());
        }
        return Arrays.copyOf(ids, tokens);
    }

    private static GenerationOptions plain(SplittableRandom random, List<String> words) {
        GenerationOptions options = GenerationOptions.defaults();
        if (random.nextInt(4) > 0) {
            options = options.withStrategy(DecodingStrategy.random(random.nextLong()));
            options = switch (random.nextInt(5)) {
                case 0 -> options;
                case 1 -> options.withSampling(s -> s.temperature(0.7).topK(40));
                case 2 -> options.withSampling(s -> s.topP(0.9).repetitionPenalty(1.2));
                case 3 -> options.withSampling(s -> s.minP(0.05).noRepeatNgramSize(3));
                default -> options.withSampling(s -> s.mirostat(4, 0.1));
            };
            if (random.nextInt(4) == 0) {
                options = options.withReturnSequences(2 + random.nextInt(2));
            }
        }
        if (random.nextInt(4) == 0) {
            options = options.withLogprobs(random.nextInt(4));
        }
        if (random.nextInt(4) == 0) {
            options = options.withStopTexts(words.get(random.nextInt(words.size())).substring(0, 1));
        }
        return random.nextInt(3) == 0 ? options.withEndTokens(0) : options;
    }

    private static GenerationOptions other(SplittableRandom random) {
        return GenerationOptions.defaults().withStrategy(switch (random.nextInt(3)) {
            case 0 -> new DecodingStrategy.BeamSearch(3);
            case 1 -> new DecodingStrategy.BeamSearch(4).withDrawing().withSeed(random.nextLong());
            default -> new DecodingStrategy.ContrastiveSearch(4, 0.6);
        });
    }
}
