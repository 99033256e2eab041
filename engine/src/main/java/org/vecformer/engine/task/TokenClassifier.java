package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.tokenizer.Encoding;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.OffsetUnit;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Finds the entities of a text with a BERT that classifies tokens. Labels, scores, words and spans are those of Hugging
 * Face's token-classification pipeline.
 * <p>
 * A text that is longer than the model takes is truncated, or seen through overlapping windows (a stride): then each
 * token has the scores from the window in which it has the most neighbours on its scarcer side (the "maximum context"
 * of Google's {@code run_squad.py}), and entities are made of the whole text's tokens, so that none is cut by a window.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="tag"}
 *
 * Owns a session: used by one thread at a time, {@link #cancel} from any. Several share a model.
 */
public final class TokenClassifier extends EncoderTask {

    private TokenClassifier(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(require(model, Head.TOKEN_CLASSIFIER), tokenizer, options);
    }

    /**
     * As {@link #open(Bert, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static TokenClassifier open(Bert model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * @param tokenizer the model's; null if inputs are given as ids
     * @throws IllegalArgumentException if the model has no token classifier
     */
    public static TokenClassifier open(Bert model, Tokenizer tokenizer) {
        return open(model, tokenizer, EncoderOptions.defaults());
    }

    /** As {@link #open(Bert, Tokenizer)}, with a bound on the tokens of one run. */
    public static TokenClassifier open(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        return new TokenClassifier(model, tokenizer, options);
    }

    /** The names of the labels, in the order of the model's outputs. */
    public List<String> labels() {
        String[] labels = new String[model.outputs(Head.TOKEN_CLASSIFIER)];
        Arrays.setAll(labels, this::label);
        return List.of(labels);
    }

    /** The entities of one text. */
    public TaggedText tag(TaskInput input, TokenClassifierOptions options) {
        return tagAll(List.of(input), options, TaskProgress.NONE).getFirst();
    }

    /** As {@link #tag(TaskInput, TokenClassifierOptions)}, which the cancellation may end. */
    public TaggedText tag(TaskInput input, TokenClassifierOptions options, Cancellation cancellation) {
        return tagAll(List.of(input), options, TaskProgress.NONE, cancellation).getFirst();
    }

    /** A part of a text's tokens: {@code tokens[from..to)} stand in the window behind {@code head} special ones. */
    private record Window(int text, int from, int to, int head) {}

    /** A text with the scores of its tokens. */
    private record Text(TaskInput input, EncoderInput ids, Encoding encoding, boolean truncated, double[][] scores,
            int[] context) {}

    /**
     * The entities of many texts, in their order.
     *
     * @throws IllegalArgumentException                   for a pair, or a stride that leaves windows no room to move
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<TaggedText> tagAll(List<TaskInput> inputs, TokenClassifierOptions options, TaskProgress progress) {
        return tagAll(inputs, options, progress, new Cancellation());
    }

    /** As {@link #tagAll(List, TokenClassifierOptions, TaskProgress)}, which the cancellation may end. */
    public List<TaggedText> tagAll(List<TaskInput> inputs, TokenClassifierOptions options, TaskProgress progress,
            Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            int limit = encoder.limit(options.maxLength());
            List<Text> texts = new ArrayList<>();
            List<BatchRunner.Job> jobs = new ArrayList<>();
            List<Window> windows = new ArrayList<>();
            for (TaskInput input : inputs) {
                call.check();
                if (input.pair() != null) {
                    throw new IllegalArgumentException("a pair of texts; expected one text to tag");
                }
                Text text = text(input, limit, options);
                for (Window window : windows(texts.size(), text, limit, options.stride())) {
                    windows.add(window);
                    jobs.add(new BatchRunner.Job(texts.size(), cut(text, window)));
                }
                texts.add(text);
            }
            float[] logits = new float[model.outputs(Head.TOKEN_CLASSIFIER)];
            runner.run(call, jobs, inputs.size(), progress, (session, sequence, job) -> {
                Window window = windows.get(job);
                Text text = texts.get(window.text);
                for (int i = window.from; i < window.to; i++) {
                    int context = Math.min(i - window.from, window.to - 1 - i);
                    if (text.ids.attentionMask()[i] == 1 && context > text.context[i]) {
                        text.context[i] = context;
                        session.tokenScores(sequence, window.head + i - window.from, logits);
                        text.scores[i] = ScoreFunction.SOFTMAX.apply(logits);
                    }
                }
            });
            EntityAggregation aggregation = new EntityAggregation(labels(),
                    tokenizer == null ? "" : tokenizer.continuingPrefix());
            Set<String> ignored = Set.copyOf(options.ignoreLabels());
            return texts.stream().map(text -> new TaggedText(
                    aggregation.entities(tokens(text), options.aggregation(), ignored), text.truncated)).toList();
        }
    }

    private Text text(TaskInput input, int limit, TokenClassifierOptions options) {
        InputEncoder.Encoded encoded;
        if (input.ids() == null && options.stride() > 0) {
            Encoding encoding = encoder.required().encode(input.text(), null, EncodingOptions.defaults());
            encoded = new InputEncoder.Encoded(EncoderInput.of(encoding), encoding, false);
        } else {
            encoded = encoder.truncated(input, limit);
        }
        int length = encoded.input().length();
        int[] context = new int[length];
        Arrays.fill(context, -1);
        return new Text(input, encoded.input(), encoded.encoding(), encoded.truncated(), new double[length][],
                context);
    }

    /**
     * One window for a text that fits or has no offsets; else as many as it takes, each with all special tokens.
     */
    private static List<Window> windows(int number, Text text, int limit, int stride) {
        int length = text.ids.length();
        if (text.encoding == null || length <= limit) {
            return List.of(new Window(number, 0, length, 0));
        }
        int head = specialsFrom(text.encoding, 0, 1);
        int tail = specialsFrom(text.encoding, length - 1, -1);
        int room = limit - head - tail;
        if (room <= stride) {
            throw new IllegalArgumentException("a stride of " + stride + " tokens; windows of " + limit
                    + " have room for " + Math.max(room, 0) + " of the text, expected a stride below that");
        }
        List<Window> windows = new ArrayList<>();
        for (int from = head;; from += room - stride) {
            int to = Math.min(from + room, length - tail);
            windows.add(new Window(number, from, to, head));
            if (to == length - tail) {
                return windows;
            }
        }
    }

    private static int specialsFrom(Encoding encoding, int index, int step) {
        int count = 0;
        for (int i = index; i >= 0 && i < encoding.size() && encoding.textOf(i) < 0; i += step) {
            count++;
        }
        return count;
    }

    private static EncoderInput cut(Text text, Window window) {
        EncoderInput all = text.ids;
        if (window.to - window.from == all.length()) {
            return all;
        }
        int tail = specialsFrom(text.encoding, all.length() - 1, -1);
        int[] ids = new int[window.head + window.to - window.from + tail];
        System.arraycopy(all.ids(), 0, ids, 0, window.head);
        System.arraycopy(all.ids(), window.from, ids, window.head, window.to - window.from);
        System.arraycopy(all.ids(), all.length() - tail, ids, ids.length - tail, tail);
        return EncoderInput.of(ids);
    }

    private List<EntityAggregation.Token> tokens(Text text) {
        List<EntityAggregation.Token> tokens = new ArrayList<>();
        List<String> words = text.encoding == null ? List.of() : text.encoding.tokens();
        for (int i = 0; i < text.scores.length; i++) {
            if (text.scores[i] == null || isSpecial(text, i)) {
                continue;
            }
            tokens.add(text.encoding == null ? tokenOfId(text, i) : tokenOfText(text, i, words.get(i)));
        }
        return tokens;
    }

    private boolean isSpecial(Text text, int i) {
        return text.encoding == null
                ? encoder.isFrame(text.ids.ids()[i])
                : text.encoding.textOf(i) < 0;
    }

    private EntityAggregation.Token tokenOfId(Text text, int i) {
        int id = text.ids.ids()[i];
        String word = tokenizer != null && tokenizer.contains(id) ? tokenizer.token(id) : "";
        boolean subword = !word.isEmpty() && !tokenizer.continuingPrefix().isEmpty()
                && word.startsWith(tokenizer.continuingPrefix());
        return new EntityAggregation.Token(word, text.scores[i], i, -1, -1, subword);
    }

    /** As Hugging Face's pipeline does, a token whose length is not that of its characters goes on with a word. */
    private EntityAggregation.Token tokenOfText(Text text, int i, String word) {
        int start = text.encoding.start(i, OffsetUnit.CHARS);
        int end = text.encoding.end(i, OffsetUnit.CHARS);
        String characters = text.input.text().substring(start, end);
        boolean unknown = tokenizer.unknown().isPresent() && tokenizer.unknown().getAsInt() == text.ids.ids()[i];
        boolean subword = !unknown && (tokenizer.continuingPrefix().isEmpty()
                ? start > 0 && text.input.text().charAt(start - 1) != ' '
                : length(word) != length(characters));
        return new EntityAggregation.Token(unknown ? characters : word, text.scores[i], i, start, end, subword);
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }
}
