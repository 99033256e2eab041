package org.vecformer.engine.task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Bert;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.EncoderInput;
import org.vecformer.engine.model.EncoderOptions;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.tokenizer.EncodingOptions;
import org.vecformer.tokenizer.Tokenizer;

/**
 * Tells what may stand at the masks of a text, with a BERT that has a masked-LM head. All masks of a text are seen at
 * once, each by itself. Probabilities are those of Hugging Face's fill-mask pipeline.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="fill"}
 *
 * Owns a session: used by one thread at a time, {@link #cancel} from any. Several share a model.
 */
public final class FillMask extends EncoderTask {

    private final Candidates candidates;

    private FillMask(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        super(require(model, Head.MASKED_LM), tokenizer, options);
        candidates = new Candidates(model.outputs(Head.MASKED_LM));
    }

    /**
     * As {@link #open(Bert, Tokenizer)}, with the model's own tokenizer.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    public static FillMask open(Bert model) throws IOException {
        return open(model, model.tokenizer());
    }

    /**
     * @param tokenizer the model's; null if inputs are given as ids with their masks' positions
     * @throws IllegalArgumentException if the model has no masked-LM head
     */
    public static FillMask open(Bert model, Tokenizer tokenizer) {
        return open(model, tokenizer, EncoderOptions.defaults());
    }

    /** As {@link #open(Bert, Tokenizer)}, with a bound on the tokens of one run. */
    public static FillMask open(Bert model, Tokenizer tokenizer, EncoderOptions options) {
        return new FillMask(model, tokenizer, options);
    }

    /**
     * A token that was asked for.
     *
     * @param text  as it was asked for
     * @param id    the token that stands for it
     * @param token that token; another one than the text if the vocabulary does not have it as one token
     */
    public record Target(String text, int id, String token) {

        /** Whether the vocabulary has the text itself, and not only its beginning. */
        public boolean exact() {
            return text.equals(token);
        }
    }

    /**
     * What the targets of {@link FillMaskOptions} mean: the token of that spelling, or else, as in Hugging Face's
     * pipeline, the first token of the text; a user should be told of those that are not {@link Target#exact}.
     *
     * @throws IllegalArgumentException for a text without tokens
     */
    public List<Target> targets(List<String> texts) {
        Tokenizer needed = encoder.required();
        return texts.stream().map(text -> {
            int id = needed.id(text).orElseGet(() -> {
                int[] ids = needed.encode(text, null, EncodingOptions.defaults().withSpecialTokens(false)).ids();
                if (ids.length == 0) {
                    throw new IllegalArgumentException("the target \"" + text + "\" has no tokens");
                }
                return ids[0];
            });
            if (id >= candidates.vocabularySize()) {
                throw new IllegalArgumentException("the target \"" + text + "\" is token " + id
                        + "; the model's vocabulary has ids 0 to " + (candidates.vocabularySize() - 1));
            }
            return new Target(text, id, needed.token(id));
        }).toList();
    }

    /**
     * The candidates for each mask of one input, in the order of the masks.
     *
     * @throws IllegalArgumentException if there is no mask, or the text is longer than the model's context
     */
    public List<MaskFill> fill(TaskInput input, FillMaskOptions options) {
        return fillAll(List.of(input), options, TaskProgress.NONE).getFirst();
    }

    /** As {@link #fill(TaskInput, FillMaskOptions)}, which the cancellation may end. */
    public List<MaskFill> fill(TaskInput input, FillMaskOptions options, Cancellation cancellation) {
        return fillAll(List.of(input), options, TaskProgress.NONE, cancellation).getFirst();
    }

    /**
     * The candidates for the masks of many inputs; the results are in their order.
     *
     * @throws java.util.concurrent.CancellationException if it was cancelled
     */
    public List<List<MaskFill>> fillAll(List<TaskInput> inputs, FillMaskOptions options, TaskProgress progress) {
        return fillAll(inputs, options, progress, new Cancellation());
    }

    /** As {@link #fillAll(List, FillMaskOptions, TaskProgress)}, which the cancellation may end. */
    public List<List<MaskFill>> fillAll(List<TaskInput> inputs, FillMaskOptions options, TaskProgress progress,
            Cancellation cancellation) {
        try (Call call = calls.begin(cancellation)) {
            int[] targets = options.targets().isEmpty()
                    ? new int[0]
                    : targets(options.targets()).stream().mapToInt(Target::id).distinct().toArray();
            List<BatchRunner.Job> jobs = new ArrayList<>();
            for (int i = 0; i < inputs.size(); i++) {
                call.check();
                EncoderInput input = encoder.whole(inputs.get(i)).input();
                int[] positions = positions(input, options);
                if (tokenizer != null && !options.positions().isEmpty()) {
                    input = input.withMasksAt(mask(), positions);
                }
                jobs.add(new BatchRunner.Job(i, input, positions));
            }
            List<List<MaskFill>> results = new ArrayList<>(Collections.nCopies(inputs.size(), null));
            runner.run(call, jobs, inputs.size(), progress, (session, sequence, job) -> {
                EncoderInput input = jobs.get(job).input();
                int[] positions = jobs.get(job).vocabularyAt();
                List<MaskFill> fills = new ArrayList<>();
                for (int position : positions) {
                    session.vocabularyLogits(sequence, position, candidates.logits());
                    fills.add(new MaskFill(position,
                            best(input, position, positions.length == 1, targets, options.topK())));
                }
                results.set(job, List.copyOf(fills));
            });
            return List.copyOf(results);
        }
    }

    private int[] positions(EncoderInput input, FillMaskOptions options) {
        int[] positions;
        if (!options.positions().isEmpty()) {
            positions = options.positions().stream().mapToInt(Integer::intValue).toArray();
            for (int position : positions) {
                if (position < 0 || position >= input.length()) {
                    throw new IllegalArgumentException(
                            "a mask at position " + position + "; the input has positions 0 to "
                                    + (input.length() - 1));
                }
            }
        } else if (tokenizer == null) {
            throw new IllegalStateException(
                    "without a tokenizer the mask's id is not known: give the positions of the masks");
        } else {
            positions = input.positionsOf(mask());
            if (positions.length == 0) {
                throw new IllegalArgumentException("the input has no " + tokenizer.token(mask()));
            }
        }
        return positions;
    }

    private int mask() {
        return tokenizer.mask().orElseThrow(() -> new IllegalStateException("the tokenizer has no mask token"));
    }

    private List<MaskFill.Candidate> best(EncoderInput input, int position, boolean onlyMask, int[] targets, int topK) {
        candidates.fill();
        candidates.softmax();
        float[] probabilities = candidates.probabilities();
        int[] ids;
        if (targets.length > 0) {
            ids = IntStream.of(targets).boxed()
                    .sorted(Comparator.comparingDouble((Integer id) -> -probabilities[id])
                            .thenComparing(Comparator.naturalOrder()))
                    .limit(topK).mapToInt(Integer::intValue).toArray();
        } else {
            ids = new int[Math.min(topK, candidates.vocabularySize())];
            candidates.best(topK, ids);
        }
        return Arrays.stream(ids).mapToObj(id -> candidate(input, position, id, probabilities[id], onlyMask)).toList();
    }

    private MaskFill.Candidate candidate(EncoderInput input, int position, int id, double probability,
            boolean onlyMask) {
        if (tokenizer == null) {
            return new MaskFill.Candidate(id, "", probability, "");
        }
        int[] filled = input.with(position, id).ids();
        if (tokenizer.padding().isPresent()) {
            int padding = tokenizer.padding().getAsInt();
            filled = IntStream.of(filled).filter(token -> token != padding).toArray();
        }
        return new MaskFill.Candidate(id, tokenizer.contains(id) ? tokenizer.token(id) : "", probability,
                tokenizer.decode(filled, onlyMask));
    }
}
