package org.vecformer.engine.snippets;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.DeadlineException;
import org.vecformer.engine.dialog.Dialog;
import org.vecformer.engine.dialog.DialogEvaluator;
import org.vecformer.engine.dialog.DialogExample;
import org.vecformer.engine.dialog.GptPartner;
import org.vecformer.engine.dialog.ReplyOptions;
import org.vecformer.engine.generation.MaskGenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.task.Answer;
import org.vecformer.engine.task.Classification;
import org.vecformer.engine.task.Classifier;
import org.vecformer.engine.task.ClassifierOptions;
import org.vecformer.engine.task.ContinuationScore;
import org.vecformer.engine.task.Entity;
import org.vecformer.engine.task.FillMask;
import org.vecformer.engine.task.FillMaskOptions;
import org.vecformer.engine.task.MaskFill;
import org.vecformer.engine.task.MaskGenerator;
import org.vecformer.engine.task.QuestionAnswerer;
import org.vecformer.engine.task.QuestionAnswererOptions;
import org.vecformer.engine.task.Ranked;
import org.vecformer.engine.task.Reranker;
import org.vecformer.engine.task.RerankerOptions;
import org.vecformer.engine.task.Scorer;
import org.vecformer.engine.task.ScoringOptions;
import org.vecformer.engine.task.TaskInput;
import org.vecformer.engine.task.TaskProgress;
import org.vecformer.engine.task.TokenClassifier;
import org.vecformer.engine.task.TokenClassifierOptions;

/** Code of the documentation: the other tasks. */
final class TaskSnippets {

    private TaskSnippets() {
    }

    static void fill(Bert model, PrintStream out) throws IOException {
        // @start region="fill"
        try (FillMask fillMask = FillMask.open(model)) {
            List<MaskFill> masks = fillMask.fill(TaskInput.of("Paris is the [MASK] of France."),
                    FillMaskOptions.defaults());
            masks.getFirst().candidates().forEach(each -> out.println(each.probability() + " " + each.text()));
        }
        // @end
    }

    static void write(Bert model, PrintStream out) throws IOException {
        // @start region="write"
        try (MaskGenerator generator = MaskGenerator.open(model)) {
            TaskInput input = TaskInput.of("Bob is a good man.", "He has");
            out.println(generator.generate(input, MaskGenerationOptions.sequential(), TokenListener.NONE).text());
        }
        // @end
    }

    static void classify(Bert model, PrintStream out) throws IOException {
        // @start region="classify"
        try (Classifier classifier = Classifier.open(model)) {
            Classification result = classifier.classify(TaskInput.of("The man is good."), ClassifierOptions.defaults());
            result.labels().forEach(each -> out.println(each.label() + " " + each.score()));
        }
        // @end
    }

    static List<Classification> classifyMany(Classifier classifier, List<TaskInput> inputs, PrintStream out) {
        // @start region="deadline"
        try {
            return classifier.classifyAll(inputs, ClassifierOptions.defaults(),
                    (done, total) -> out.println(done + " of " + total), Cancellation.after(Duration.ofSeconds(30)));
        } catch (DeadlineException e) {
            out.println("too late: " + e.getMessage());
            return List.of();
        }
        // @end
    }

    static void tag(Bert model, PrintStream out) throws IOException {
        // @start region="tag"
        try (TokenClassifier tagger = TokenClassifier.open(model)) {
            List<Entity> entities = tagger.tag(TaskInput.of("Bob is in the city."), TokenClassifierOptions.defaults())
                    .entities();
            entities.forEach(each -> out.println(each.label() + ": " + each.word()));
        }
        // @end
    }

    static void answer(Bert model, PrintStream out) throws IOException {
        // @start region="answer"
        try (QuestionAnswerer answerer = QuestionAnswerer.open(model)) {
            List<Answer> answers = answerer.answer("Where is the man?", "The man is in the city. He is good.",
                    QuestionAnswererOptions.defaults().withTopK(3));
            answers.forEach(each -> out.println(each.score() + " " + each.text()));
        }
        // @end
    }

    static void rank(Bert model, PrintStream out) throws IOException {
        // @start region="rank"
        List<String> documents = List.of("The man is in the city.", "Zebras are good.");
        try (Reranker reranker = Reranker.open(model)) {
            for (Ranked each : reranker.rank("Where is he?", documents, RerankerOptions.defaults(),
                    TaskProgress.NONE)) {
                out.println(each.score() + " " + documents.get(each.index()));
            }
        }
        // @end
    }

    static void score(Gpt model, PrintStream out) throws IOException {
        // @start region="score"
        try (Scorer scorer = Scorer.open(model)) {
            out.println(scorer.score("Once upon a time", ScoringOptions.defaults()).perplexity());
            List<ContinuationScore> scores = scorer.compare("the man is in the", List.of(" city", " zebra"));
            out.println(scores.get(1).ratioToFirst());
        }
        // @end
    }

    static void chat(Gpt model, PrintStream out) throws IOException {
        // @start region="chat"
        try (GptPartner partner = GptPartner.open(model)) {
            Dialog dialog = new Dialog(List.of("i have two dogs ."), List.of("do you have a pet ?"));
            out.println(partner.reply(dialog, ReplyOptions.defaults(), TokenListener.NONE).text());
        }
        // @end
    }

    static void evaluate(Gpt model, List<DialogExample> examples, PrintStream out) throws IOException {
        // @start region="evaluate"
        try (DialogEvaluator evaluator = DialogEvaluator.open(model)) {
            ReplyOptions greedy = ReplyOptions.defaults().withGreedy(true);
            out.println(evaluator.evaluate(examples, greedy, true, TaskProgress.NONE).hitsAt1());
        }
        // @end
    }
}
