package org.vecformer.engine.task;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestBerts;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.EncoderBatch;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.engine.model.LoadOptions;
import org.vecformer.loader.DType;
import org.vecformer.loader.ModelFiles;
import org.vecformer.tokenizer.Tokenizer;

/**
 * A BERT of random weights with 70 positions and a vocabulary of 101: special tokens, letters, letters within a word, a
 * few words, punctuation.
 */
public record TinyBert(Engine engine, Bert model, Tokenizer tokenizer) implements AutoCloseable {

    static final int CONTEXT = TestBerts.Shape.ODD.context();
    static final int HIDDEN = TestBerts.Shape.ODD.hidden();
    static final int VOCABULARY = TestBerts.Shape.ODD.vocabulary();
    static final int CLS = 2;
    static final int SEP = 3;
    static final int MASK = 4;

    /**
     * @param architecture such as BertForMaskedLM
     */
    public static TinyBert open(Path directory, String architecture, int labels) throws IOException {
        TestBerts.write(directory, TestBerts.Shape.ODD, architecture, labels, 77, DType.F32);
        List<String> vocabulary = new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "?", "!",
                ",", "'", "the", "man", "city", "is", "good", "in"));
        for (char letter = 'a'; letter <= 'z'; letter++) {
            vocabulary.add(String.valueOf(letter));
            vocabulary.add("##" + letter);
        }
        for (int i = vocabulary.size(); i < VOCABULARY; i++) {
            vocabulary.add("word" + i);
        }
        Files.write(directory.resolve("vocab.txt"), vocabulary);
        Files.writeString(directory.resolve("tokenizer_config.json"), """
                {"tokenizer_class": "BertTokenizer", "do_lower_case": true, "cls_token": "[CLS]", "sep_token": "[SEP]",
                 "mask_token": "[MASK]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
                """);
        Engine engine = TestBackends.open(2);
        try {
            return new TinyBert(engine, Bert.load(engine, ModelFiles.of(directory), LoadOptions.defaults()),
                    Tokenizer.load(directory));
        } catch (Throwable e) {
            engine.close();
            throw e;
        }
    }

    /** Texts of 0 to {@code maxWords} words. */
    static List<String> texts(int count, int maxWords, long seed) {
        String[] words = {"the", "man", "is", "good", "in", "city", "Bob", "q", "zebra.", "no!", "a,b",
            "\u00e9t\u00e9"};
        SplittableRandom random = new SplittableRandom(seed);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            StringBuilder text = new StringBuilder();
            for (int j = random.nextInt(maxWords + 1); j > 0; j--) {
                text.append(words[random.nextInt(words.length)]).append(' ');
            }
            texts.add(text.toString());
        }
        return texts;
    }

    /** The last hidden states of a sequence. */
    float[][] states(EncoderInput input) {
        float[][] states = new float[input.length()][HIDDEN];
        try (EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            EncoderBatch batch = session.batch();
            batch.add(input);
            session.run(batch);
            for (int i = 0; i < states.length; i++) {
                session.hidden(0, i, states[i]);
            }
        }
        return states;
    }

    @Override
    public void close() {
        model.close();
        engine.close();
    }
}
