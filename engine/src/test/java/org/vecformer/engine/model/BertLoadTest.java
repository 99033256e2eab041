package org.vecformer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.engine.Engine;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.TestBerts;
import org.vecformer.engine.TestBerts.Shape;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.ModelFiles;

/** Loading a BERT and asking it: what does not fit is refused in a sentence that tells what is wrong. */
class BertLoadTest {

    private static Engine engine;

    @TempDir
    private Path directory;

    @BeforeAll
    static void open() {
        engine = TestBackends.open(2);
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private Bert load() throws IOException {
        return Bert.load(engine, ModelFiles.of(directory), LoadOptions.defaults());
    }

    private void configure(String old, String changed) throws IOException {
        Path config = directory.resolve("config.json");
        String text = Files.readString(config);
        assertThat(text).contains(old);
        Files.writeString(config, text.replace(old, changed));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "\"model_type\": \"bert\"          | \"model_type\": \"gpt2\"          | model_type is \"gpt2\", expected \"bert\"",
        "\"num_attention_heads\": 3        | \"num_attention_heads\": 4        | hidden_size is 30",
        "\"hidden_act\": \"gelu\"          | \"hidden_act\": \"mish\"          | hidden_act is \"mish\"",
        "\"type_vocab_size\": 2            | \"type_vocab_size\": 3            | expected [3, 30]",
        "\"type_vocab_size\": 2            | \"position_embedding_type\": \"relative_key\" | position_embedding_type",
        "\"type_vocab_size\": 2            | \"add_cross_attention\": true     | add_cross_attention is true",
        "\"type_vocab_size\": 2            | \"problem_type\": \"guess\"       | problem_type is \"guess\"",
        "\"max_position_embeddings\": 70   | \"max_position_embeddings\": 71   | expected [71, 30]",
        "\"intermediate_size\": 37         | \"intermediate_size\": 38         | expected [38, 30]",
        "\"num_hidden_layers\": 2          | \"num_hidden_layers\": 3          | has no tensor bert.encoder.layer.2.attention.self.query.weight",
        "\"LABEL_1\"                       | 7                                 | no text under \"1\"",
        "\"1\":                            | \"2\":                            | no text under \"1\"",
        ", \"1\": \"LABEL_1\"              | ''                                | id2label has 1 labels"})
    void aConfigThatDoesNotFitIsRefused(String old, String changed, String message) throws IOException {
        TestBerts.write(directory, Shape.ODD, "BertForSequenceClassification", 2, 1, DType.F32);
        configure(old, changed);
        assertThatExceptionOfType(FormatException.class).isThrownBy(() -> load().close())
                .withMessageContaining(message).satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n"));
    }

    @Test
    void labelsAndProblemTypeAreRead() throws IOException {
        TestBerts.write(directory, Shape.ODD, "BertForTokenClassification", 3, 1, DType.F32);
        configure("\"LABEL_2\"", "\"B-PER\"");
        configure("\"pad_token_id\": 0", "\"pad_token_id\": -1, \"problem_type\": \"multi_label_classification\"");
        try (Bert model = load()) {
            assertThat(model.config().labels()).containsExactly("LABEL_0", "LABEL_1", "B-PER");
            assertThat(model.config().problemType()).hasValue(
                    org.vecformer.loader.BertConfig.ProblemType.MULTI_LABEL);
            assertThat(model.config().padTokenId()).isEmpty();
            assertThat(model.heads()).containsExactly(Head.TOKEN_CLASSIFIER);
            assertThat(model.outputs(Head.TOKEN_CLASSIFIER)).isEqualTo(3);
            assertThatIllegalStateException().isThrownBy(() -> model.outputs(Head.MASKED_LM))
                    .withMessageContaining("no masked-LM head").withMessageContaining("a token classifier")
                    .withMessageContaining("BertForTokenClassification");
        }
    }

    @Test
    void whatTheModelDoesNotHaveIsRefused() throws IOException {
        TestBerts.write(directory, Shape.ODD, "BertForMaskedLM", 0, 1, DType.F32);
        float[] row = new float[101];
        try (Bert model = load(); EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            assertThatIllegalStateException().isThrownBy(() -> session.hidden(0, 0, row))
                    .withMessageContaining("run a batch first");
            EncoderBatch batch = session.batch();
            assertThatIllegalArgumentException().isThrownBy(() -> batch.add(EncoderInput.of(1, 101)))
                    .withMessageContaining("token id 101").withMessageContaining("0 to 100");
            assertThatIllegalArgumentException().isThrownBy(() -> batch.add(EncoderInput.of(1, -1)));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> batch.add(new EncoderInput(new int[]{1}, new int[]{2}, null)))
                    .withMessageContaining("token type 2");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> batch.add(new EncoderInput(new int[]{1}, null, new int[]{0})))
                    .withMessageContaining("none of which is attended to");
            assertThatIllegalArgumentException().isThrownBy(() -> batch.add(EncoderInput.of()));
            assertThatIllegalArgumentException().isThrownBy(() -> batch.add(EncoderInput.of(new int[71])))
                    .withMessageContaining("71").withMessageContaining("context length is 70");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> batch.add(new EncoderInput(new int[]{1, 2}, null, new int[]{1, 0}), 1))
                    .withMessageContaining("not attended to");
            assertThat(batch.sequences()).isZero();
            batch.add(EncoderInput.of(1, 2, 3), 1, 1);
            session.run(batch);
            session.vocabularyLogits(0, 1, row);
            assertThatIllegalArgumentException().isThrownBy(() -> session.vocabularyLogits(0, 2, row))
                    .withMessageContaining("not asked for");
            assertThatIllegalStateException().isThrownBy(() -> session.pooled(0, row)).withMessageContaining("pooler");
            assertThatIllegalStateException().isThrownBy(() -> session.scores(0, row))
                    .withMessageContaining("no sequence classifier");
            assertThatIllegalStateException().isThrownBy(() -> session.tokenScores(0, 0, row));
            assertThatIllegalStateException().isThrownBy(() -> session.nextSentence(0, row));
        }
    }

    @Test
    void aFirstTokenThatIsHiddenHasNoPooledState() throws IOException {
        TestBerts.write(directory, Shape.ODD, "BertModel", 0, 1, DType.F32);
        try (Bert model = load(); EncoderSession session = model.openSession(EncoderOptions.defaults())) {
            session.batch().add(new EncoderInput(new int[]{1, 2}, null, new int[]{0, 1}));
            session.run(session.batch());
            assertThatIllegalStateException().isThrownBy(() -> session.pooled(0, new float[30]))
                    .withMessageContaining("first token");
        }
    }

    @Test
    void aBatchIsBounded() throws IOException {
        TestBerts.write(directory, Shape.ODD, "BertModel", 0, 1, DType.F32);
        try (Bert model = load(); EncoderSession session = model.openSession(new EncoderOptions(40))) {
            EncoderBatch batch = session.batch();
            batch.add(EncoderInput.of(new int[70]));
            assertThat(batch.fits(1)).as("one long sequence is a batch of its own").isFalse();
            assertThatIllegalArgumentException().isThrownBy(() -> batch.add(EncoderInput.of(1)))
                    .withMessageContaining("do not fit");
            batch.clear();
            batch.add(EncoderInput.of(new int[33]));
            assertThat(batch.fits(7)).isTrue();
            assertThat(batch.fits(8)).isFalse();
        }
    }

    @Test
    void closedMeansClosed() throws IOException {
        TestBerts.write(directory, Shape.ODD, "BertModel", 0, 1, DType.F32);
        Bert model = load();
        EncoderSession session = model.openSession(EncoderOptions.defaults());
        session.batch().add(EncoderInput.of(1));
        session.run(session.batch());
        session.close();
        session.close();
        assertThatIllegalStateException().isThrownBy(() -> session.run(session.batch()))
                .withMessageContaining("session is closed");
        model.close();
        model.close();
        assertThatIllegalStateException().isThrownBy(() -> model.openSession(EncoderOptions.defaults()))
                .withMessageContaining("model is closed");
    }

    /** Of 30 x 30 numbers: a matrix on its own or three side by side, the same numbers. */
    @Test
    void parametersAndBytesAreCounted() throws IOException {
        TestBerts.write(directory, Shape.ODD, "BertModel", 0, 1, DType.F32);
        long block = 4 * (900 + 30) + 2 * 60 + (30 * 37 + 37) + (37 * 30 + 30);
        long parameters = (101 + 70 + 2) * 30 + 60 + 2 * block + 930;
        long matrices = 30 * (128 + 96 + 32) + 2 * (30 * 96 + 30 * 32 + 30 * 64 + 37 * 32) + 30 * 32;
        long vectors = 2 * 32 + 2 * (96 + 32 + 4 * 32 + 64 + 32) + 32;
        try (Bert model = load()) {
            assertThat(model.parameters()).isEqualTo(parameters);
            assertThat(model.weightBytes()).isEqualTo(4 * (matrices + vectors));
            assertThat(model.weights()).isEqualTo(WeightType.F32);
        }
        try (Bert model = Bert.load(engine, ModelFiles.of(directory),
                LoadOptions.defaults().withWeights(WeightType.F16))) {
            assertThat(model.weightBytes()).isEqualTo(2 * matrices + 4 * vectors);
        }
    }

    // ---- inputs

    @Test
    void masksAndTokensArePutWhereTheyBelong() {
        EncoderInput pair = new EncoderInput(new int[]{1, 5, 6, 2, 7, 2, 0, 0}, new int[]{0, 0, 0, 0, 1, 1, 0, 0},
                new int[]{1, 1, 1, 1, 1, 1, 0, 0});
        assertThat(pair.withMasksAt(9, 1, 4)).isEqualTo(new EncoderInput(new int[]{1, 9, 6, 2, 9, 2, 0, 0},
                pair.typeIds(), pair.attentionMask()));
        assertThat(pair.insertBeforeLast(2, 9, 9)).isEqualTo(new EncoderInput(
                new int[]{1, 5, 6, 2, 7, 9, 9, 2, 0, 0}, new int[]{0, 0, 0, 0, 1, 1, 1, 1, 0, 0},
                new int[]{1, 1, 1, 1, 1, 1, 1, 1, 0, 0}));
        assertThat(pair.with(1, 8).positionsOf(8)).containsExactly(1);
        assertThat(pair.positionsOf(2)).containsExactly(3, 5);
        assertThat(EncoderInput.of(1, 5, 2).insertBeforeLast(2, 9)).isEqualTo(EncoderInput.of(1, 5, 9, 2));
        assertThat(EncoderInput.of(1, 5).insertBeforeLast(2, 9)).as("no separator").isEqualTo(EncoderInput.of(1, 5, 9));
        assertThat(EncoderInput.of().insertBeforeLast(2, 9)).isEqualTo(EncoderInput.of(9));
        assertThat(EncoderInput.of(2, 5).insertBeforeLast(2, 9)).isEqualTo(EncoderInput.of(9, 2, 5));
        assertThatIllegalArgumentException().isThrownBy(() -> new EncoderInput(new int[2], new int[1], null))
                .withMessageContaining("2 token ids, 1 token types");
        assertThatIllegalArgumentException().isThrownBy(() -> new EncoderInput(new int[1], null, new int[]{2}))
                .withMessageContaining("has a 2");
    }
}
