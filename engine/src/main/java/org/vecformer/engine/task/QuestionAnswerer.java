package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.model.EncoderSession;
import org.vecformer.tokenizer.Encoding;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.OffsetUnit;
import org.vecformer.tokenizer.Tokenizer;
import org.vecformer.tokenizer.Truncation;

/**
 * Finds the piece of a context that answers a question, with a BERT that has a question answering head. The input is a
 * pair: the question and the context.
 * <p>
 * A span's score is the probability of its first token as a start times that of its last one as an end, each among the
 * context's tokens of one window. With a null answer [CLS] is one of them, as Hugging Face's pipeline always has it,
 * and its score in the window that is least sure of it is that of "there is no answer". A context that is too long is
 * seen through overlapping windows; the best answers of all are told, none twice.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="answer"}
 *
 * Owns a session: used by one thread at a time, {@link #cancel} from any. Several share a model.
 */
public final class QuestionAnswerer extends EncoderTask {

    private static final int USUAL_WINDOW = 384;
    private static final int USUAL_STRIDE = 128;

    private QuestionAnswerer(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(require(model, Head.QUESTION_ANSWERING), tokenizer, options);
    }

    /**
     * As {@link #open(Bert, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static QuestionAnswerer open(Bert model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * @param tokenizer the model's; null if inputs are given as ids
     * @throws IllegalArgumentException if the model has no question answering head
     */
    public static QuestionAnswerer open(Bert model, Tokenizer tokenizer) {
        return open(model, tokenizer, EncoderOptions.defaults());
    }

    /** As {@link #open(Bert, Tokenizer)}, with a bound on the tokens of one run. */
    public static QuestionAnswerer open(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        return new QuestionAnswerer(model, tokenizer, options);
    }

    /** The best answers to one question, the best one first; none if the context has no tokens. */
    public List<Answer> answer(String question, String context, QuestionAnswererOptions options) {
        return answerAll(List.of(TaskInput.of(question, context)), options, TaskProgress.NONE).getFirst();
    }

    /** As {@link #answer(String, String, QuestionAnswererOptions)}, which the cancellation may end. */
    public List<Answer> answer(String question, String context, QuestionAnswererOptions options,
            Cancellation cancellation) {
        return answerAll(List.of(TaskInput.of(question, context)), options, TaskProgress.NONE, cancellation).getFirst();
    }

    /** Part of a context with its question. */
    private record Window(int owner, EncoderInput input, Encoding encoding) {}

    /**
     * The best answers to many questions, in their order.
     *
     * @param inputs question and context; ids: the context's tokens are those of type 1 but for special ones
     * @throws IllegalArgumentException                   if there is no context, a question leaves no room for it, or
     *                                                    the stride is as large as that room
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<List<Answer>> answerAll(List<TaskInput> inputs, QuestionAnswererOptions options,
            TaskProgress progress) {
        return answerAll(inputs, options, progress, new Cancellation());
    }

    /** As {@link #answerAll(List, QuestionAnswererOptions, TaskProgress)}, which the cancellation may end. */
    public List<List<Answer>> answerAll(List<TaskInput> inputs, QuestionAnswererOptions options,
            TaskProgress progress, Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            int limit = encoder.limit(options.maxLength());
            if (options.maxLength() == 0) {
                limit = Math.min(limit, USUAL_WINDOW);
            }
            List<Window> windows = new ArrayList<>();
            for (int i = 0; i < inputs.size(); i++) {
                call.check();
                addWindows(i, inputs.get(i), limit, options, windows);
            }
            List<List<Answer>> found = new ArrayList<>();
            List<Double> none = new ArrayList<>();
            for (int i = 0; i < inputs.size(); i++) {
                found.add(new ArrayList<>());
                none.add(Double.POSITIVE_INFINITY);
            }
            List<BatchRunner.Job> jobs = windows.stream().map(window -> new BatchRunner.Job(window.owner, window.input))
                    .toList();
            runner.run(call, jobs, inputs.size(), progress, (session, sequence, job) -> {
                Window window = windows.get(job);
                AnswerSpans spans = spans(session, sequence, window, options.nullAnswer());
                for (AnswerSpans.Span span : spans.best(options.topK(), options.maxAnswerTokens())) {
                    found.get(window.owner).add(answer(inputs.get(window.owner), window, span, options));
                }
                none.set(window.owner, Math.min(none.get(window.owner), spans.score(0, 0)));
            });
            List<List<Answer>> results = new ArrayList<>();
            for (int i = 0; i < inputs.size(); i++) {
                if (options.nullAnswer()) {
                    found.get(i).add(new Answer("", none.get(i), 0, 0, 0, 0));
                }
                results.add(best(found.get(i), options.topK()));
            }
            return results;
        }
    }

    private void addWindows(int owner, TaskInput input, int limit, QuestionAnswererOptions options,
            List<Window> windows) {
        if (input.ids() != null) {
            windows.add(new Window(owner, input.ids(), null));
            return;
        }
        if (input.pair() == null) {
            throw new IllegalArgumentException("a question without a context; expected a pair of texts");
        }
        Encoding question = encoder.required().encode(input.text(), "", EncodingOptions.defaults());
        int room = limit - question.size();
        int stride = options.stride() == 0 ? Math.min(USUAL_STRIDE, room / 2) : options.stride();
        if (room < 1 || stride >= room) {
            throw new IllegalArgumentException("windows of " + limit + " tokens have room for " + Math.max(room, 0)
                    + " of the context beside the question"
                    + (room < 1 ? "; expected a shorter question" : ", the stride is " + stride + "; expected less"));
        }
        for (Encoding encoding : tokenizer.windows(input.text(), input.pair(), EncodingOptions.defaults()
                .withMaxLength(limit).withTruncation(Truncation.ONLY_SECOND).withStride(stride))) {
            windows.add(new Window(owner, EncoderInput.of(encoding), encoding));
        }
    }

    private AnswerSpans spans(EncoderSession session, int sequence, Window window, boolean nullAnswer) {
        int length = window.input.length();
        float[] starts = new float[length];
        float[] ends = new float[length];
        boolean[] allowed = new boolean[length];
        float[] scores = new float[2];
        for (int i = 0; i < length; i++) {
            session.tokenScores(sequence, i, scores);
            starts[i] = scores[0];
            ends[i] = scores[1];
            allowed[i] = window.input.attentionMask()[i] == 1 && isContext(window, i);
        }
        return new AnswerSpans(starts, ends, allowed, nullAnswer ? 0 : -1);
    }

    private boolean isContext(Window window, int i) {
        if (window.encoding != null) {
            return window.encoding.textOf(i) == 1;
        }
        return window.input.typeIds()[i] == 1
                && (tokenizer == null ? !isLast(window.input, i) : !encoder.isFrame(window.input.ids()[i]));
    }

    /** Whether this is the last token that is attended to: a separator, where nobody can tell. */
    private static boolean isLast(EncoderInput input, int i) {
        int last = input.length() - 1;
        while (input.attentionMask()[last] == 0) {
            last--;
        }
        return i == last;
    }

    private Answer answer(TaskInput input, Window window, AnswerSpans.Span span, QuestionAnswererOptions options) {
        Encoding encoding = window.encoding;
        if (encoding == null) {
            int[] ids = Arrays.copyOfRange(window.input.ids(), span.start(), span.end() + 1);
            return new Answer(tokenizer == null ? "" : tokenizer.decode(ids), span.score(), -1, -1, span.start(),
                    span.end());
        }
        int first = span.start();
        int last = span.end();
        while (options.alignToWords() && sameWord(encoding, first - 1, first)) {
            first--;
        }
        while (options.alignToWords() && last + 1 < encoding.size() && sameWord(encoding, last, last + 1)) {
            last++;
        }
        int start = encoding.start(first, OffsetUnit.CHARS);
        int end = encoding.end(last, OffsetUnit.CHARS);
        return new Answer(input.pair().substring(start, end), span.score(), start, end, span.start(), span.end());
    }

    private static boolean sameWord(Encoding encoding, int left, int right) {
        return left >= 0 && encoding.textOf(left) == 1 && encoding.textOf(right) == 1
                && encoding.wordOf(left) == encoding.wordOf(right);
    }

    /** The best ones; of several with the same characters only the best. */
    private static List<Answer> best(List<Answer> answers, int count) {
        List<Answer> sorted = new ArrayList<>(answers);
        sorted.sort(Comparator.comparingDouble(Answer::score).reversed());
        List<Answer> best = new ArrayList<>();
        Set<Long> spans = new HashSet<>();
        for (Answer answer : sorted) {
            boolean placed = answer.start() >= 0;
            long span = placed
                    ? (long) answer.start() << 32 | answer.end()
                    : (long) answer.startToken() << 32 | answer.endToken();
            if (best.size() < count && spans.add(span)) {
                best.add(answer);
            }
        }
        return List.copyOf(best);
    }
}
