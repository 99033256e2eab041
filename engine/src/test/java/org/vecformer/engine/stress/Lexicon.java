package org.vecformer.engine.stress;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.vecformer.engine.Engine;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.engine.task.Embedder;
import org.vecformer.engine.task.EmbedderOptions;
import org.vecformer.engine.task.FillMask;
import org.vecformer.engine.task.FillMaskOptions;
import org.vecformer.engine.task.MaskFill;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A BERT's files, and what its model makes of texts when nothing else runs.
 *
 * @param inputs  texts of all lengths, each with a mask
 * @param vectors theirs
 * @param fills   what may stand at their masks
 */
record Lexicon(Path files, Tokenizer tokenizer, List<TaskInput> inputs, List<float[]> vectors,
        List<List<MaskFill>> fills) {

    private static final int INPUTS = 40;
    /** Of up to six tokens, so that all fit the context of 70. */
    private static final int MOST_WORDS = 10;

    /** Computes alone: one thing after the other, with an engine of one thread. */
    static Lexicon read(Engine engine, Path files, List<String> words, long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        Tokenizer tokenizer = Tokenizer.load(files);
        List<TaskInput> inputs = new ArrayList<>();
        List<float[]> vectors = new ArrayList<>();
        List<List<MaskFill>> fills = new ArrayList<>();
        try (Bert model = Bert.load(engine, ModelFiles.of(files), LoadOptions.defaults())) {
            for (int i = 0; i < INPUTS; i++) {
                StringBuilder text = new StringBuilder("the [MASK] ");
                for (int left = random.nextInt(MOST_WORDS + 1); left > 0; left--) {
                    text.append(words.get(random.nextInt(words.size()))).append(' ');
                }
                TaskInput input = TaskInput.of(text.toString());
                inputs.add(input);
                try (Embedder embedder = Embedder.open(model, tokenizer);
                        FillMask fillMask = FillMask.open(model, tokenizer)) {
                    vectors.add(embedder.embed(input, EmbedderOptions.defaults()).vector());
                    fills.add(fillMask.fill(input, FillMaskOptions.defaults()));
                }
            }
        }
        return new Lexicon(files, tokenizer, List.copyOf(inputs), List.copyOf(vectors), List.copyOf(fills));
    }
}
