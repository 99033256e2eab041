package org.vecformer.engine.snippets;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.dialog.DialogExample;
import org.vecformer.engine.dialog.TinyDialogModel;
import org.vecformer.engine.generation.FinishReason;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.engine.task.Classifier;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.engine.task.TinyBert;
import org.vecformer.engine.task.TinyGpt2;

/** Runs the code that the documentation shows. */
class SnippetsTest {

    private static final GenerationOptions OPTIONS = GenerationOptions.defaults().withMaxNewTokens(12);

    @TempDir
    private Path directory;
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final PrintStream out = new PrintStream(written, false, StandardCharsets.UTF_8);

    private interface Run<M> {
        void with(M model) throws Exception;
    }

    private void gpt(Run<Gpt> run) throws Exception {
        try (TinyGpt2 tiny = TinyGpt2.open(directory)) {
            run.with(tiny.model());
        }
    }

    private void bert(String architecture, int labels, Run<Bert> run) throws Exception {
        try (TinyBert tiny = TinyBert.open(directory, architecture, labels)) {
            run.with(tiny.model());
        }
    }

    private String written() {
        out.flush();
        String text = written.toString(StandardCharsets.UTF_8);
        written.reset();
        return text;
    }

    @Test
    void models() throws Exception {
        Path other = directory.resolve("bert");
        TinyBert.open(other, "BertForMaskedLM", 0).close();
        gpt(gpt -> {
            ModelSnippets.load(directory, out);
            assertThat(written()).contains(gpt.parameters() + " parameters");
            ModelSnippets.load(other, out);
            assertThat(written()).contains("parameters", "Candidate");
            ModelSnippets.engine(directory, other, out);
            assertThat(written()).contains("weights of ");
        });
    }

    @Test
    void sessions() throws Exception {
        gpt(model -> {
            int[] greedy;
            try (TextGenerator generator = TextGenerator.open(model)) {
                greedy = generator.generate("the man", OPTIONS.withMaxNewTokens(10), TokenListener.NONE).ids();
            }
            ModelSnippets.session(model, out);
            assertThat(written().stripTrailing()).isEqualTo(model.tokenizer().decode(greedy).stripTrailing());
            ModelSnippets.batch(model, out);
            assertThat(written()).startsWith(greedy[0] + " ");
            try (Session session = model.openSession(SessionOptions.defaults());
                    Sequence sequence = session.newSequence()) {
                session.feed(sequence, new int[]{1, 2, 3}, 0, 3);
                assertThat(ModelSnippets.sample(session, model)).isBetween(0, model.outputs() - 1);
            }
        });
        bert("BertForMaskedLM", 0, model -> ModelSnippets.encoder(model, out));
        assertThat(written().split(",")).hasSizeGreaterThan(20);
    }

    @Test
    void generation() throws Exception {
        gpt(model -> {
            GenerationSnippets.generate(model, out);
            String generated = written();
            GenerationSnippets.schedule(model, out);
            assertThat(written()).isEqualTo(generated).isNotBlank();
            try (TextGenerator generator = TextGenerator.open(model)) {
                String text = generator.generate("Once upon a time", OPTIONS, TokenListener.NONE).text();
                assertThat(generator.generate("the man", GenerationSnippets.options(), TokenListener.NONE).ids())
                        .isNotEmpty();
                assertThat(GenerationSnippets.listen(generator, OPTIONS, out)).isEqualTo(FinishReason.LENGTH);
                assertThat(written()).isEqualToNormalizingNewlines(text + "\n");
                GenerationSnippets.stream(generator, OPTIONS, out);
                assertThat(written()).isEqualTo(text);
                assertThat(GenerationSnippets.publish(generator, OPTIONS, out).get()).isEqualTo(FinishReason.LENGTH);
                assertThat(written()).startsWith(text);
            }
            // Another one: the publisher's may be about to end.
            try (TextGenerator generator = TextGenerator.open(model)) {
                assertThat(GenerationSnippets.batch(generator, model, OPTIONS)).hasSize(2);
                assertThat(GenerationSnippets.cancel(generator, OPTIONS, out)).isEqualTo(FinishReason.LENGTH);
                assertThat(GenerationSnippets.constrain(model, generator)).matches("(yes|no), \\d{1,3}%");
            }
            assertThat(GenerationSnippets.sampling()).isNotNull();
        });
    }

    @Test
    void maskedModels() throws Exception {
        bert("BertForMaskedLM", 0, model -> {
            TaskSnippets.fill(model, out);
            assertThat(written().lines()).hasSize(5);
            TaskSnippets.write(model, out);
            assertThat(written()).isNotBlank();
        });
    }

    @Test
    void classifiers() throws Exception {
        bert("BertForSequenceClassification", 3, model -> {
            TaskSnippets.classify(model, out);
            assertThat(written()).contains("LABEL_");
            try (Classifier classifier = Classifier.open(model)) {
                assertThat(TaskSnippets.classifyMany(classifier, List.of(TaskInput.of("a"), TaskInput.of("b")), out))
                        .hasSize(2);
                assertThat(written()).contains("2 of 2");
            }
        });
        bert("BertForTokenClassification", 3, model -> TaskSnippets.tag(model, out));
        assertThat(written()).contains("LABEL_");
    }

    @Test
    void answersAndRanks() throws Exception {
        bert("BertForQuestionAnswering", 0, model -> TaskSnippets.answer(model, out));
        assertThat(written().lines().count()).isBetween(1L, 3L);
        bert("BertForSequenceClassification", 1, model -> TaskSnippets.rank(model, out));
        assertThat(written()).contains("The man is in the city.", "Zebras are good.");
    }

    @Test
    void scoresAndDialogs() throws Exception {
        gpt(model -> {
            TaskSnippets.score(model, out);
            double[] numbers = Arrays.stream(written().split("\\s+")).mapToDouble(Double::parseDouble).toArray();
            assertThat(numbers).hasSize(2);
            assertThat(numbers[0]).isGreaterThan(1);
        });
        try (TinyDialogModel tiny = TinyDialogModel.open("tiny-gpt2")) {
            TaskSnippets.chat(tiny.model(), out);
            assertThat(written()).endsWith(System.lineSeparator());
            List<DialogExample> examples = List.of(
                    new DialogExample(List.of("i like football ."), List.of("hello"), List.of("no .", "hi .")));
            TaskSnippets.evaluate(tiny.model(), examples, out);
            assertThat(Double.parseDouble(written())).isBetween(0.0, 1.0);
        }
    }
}
