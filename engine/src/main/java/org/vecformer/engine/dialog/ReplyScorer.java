package org.vecformer.engine.dialog;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.vecformer.engine.Sequence;
import org.vecformer.engine.call.Call;
import org.vecformer.engine.model.Batch;
import org.vecformer.engine.model.Logits;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.sampler.LogSoftmax;
import org.vecformer.engine.tensor.KeyValueMemory;

/**
 * Scores replies to a dialog. Its tokens are computed once: each reply goes on from a fork, and a step has as many of
 * them as the batch has room for, or a context of the cache. A reply's numbers do not depend on the others (see {@link
 * Session}).
 */
final class ReplyScorer {

    private final Session session;
    private final boolean hasChoice;
    private final float[][] scratch;

    /** One reply on its way through the model. */
    private static final class Candidate {
        /** The prompt's last token and the reply. */
        private final int[] ids;
        private final int[] types;
        private final boolean wanted;
        /** How many of the ids the model has to see. */
        private final int end;
        private final double[] logprobs;
        private double choice = Double.NaN;
        private Sequence sequence;
        private int next;

        Candidate(DialogInput prompt, int[] reply, boolean wanted, boolean hasChoice) {
            int last = prompt.ids().length - 1;
            ids = new int[1 + reply.length];
            ids[0] = prompt.ids()[last];
            System.arraycopy(reply, 0, ids, 1, reply.length);
            if (prompt.types() == null) {
                types = null;
            } else {
                types = new int[ids.length];
                Arrays.fill(types, prompt.types()[last]);
            }
            this.wanted = wanted;
            end = hasChoice ? ids.length : reply.length;
            logprobs = new double[reply.length];
        }

        int pages() {
            return Math.ceilDiv(end, KeyValueMemory.POSITIONS) + 1;
        }

        ReplyScore score() {
            return new ReplyScore(choice, wanted ? Arrays.stream(logprobs).sum() : Double.NaN, logprobs.length);
        }
    }

    /** A row of logits: what is known behind the id of that index. */
    private record Row(Candidate candidate, int index) {}

    /** @param session has a context's worth of its cache free whenever replies are scored */
    ReplyScorer(Session session) {
        this.session = session;
        hasChoice = session.model().hasChoiceHead();
        scratch = new float[session.model().engine().threads()][session.model().outputs()];
    }

    /**
     * Scores replies.
     *
     * @param prompt    the dialog up to where its reply begins
     * @param past      a sequence of the session that holds all of the prompt but its last token; it stays as it is
     * @param replies   the tokens of each, at least one: {@link DialogFormat#reply}
     * @param wanted    of which replies, by index, the log-probability is wanted, which takes a softmax over the
     *                  vocabulary for each token; without a next-utterance head it is of all
     * @param call      may end it, before a step or between its layers
     * @return in the order of the replies
     * @throws CancellationException if the call shall end
     */
    List<ReplyScore> score(DialogInput prompt, Sequence past, List<int[]> replies, IntPredicate wanted,
            Call call) {
        List<Candidate> candidates = IntStream.range(0, replies.size()).mapToObj(
                i -> new Candidate(prompt, replies.get(i), !hasChoice || wanted.test(i), hasChoice)).toList();
        Deque<Candidate> waiting = new ArrayDeque<>(candidates);
        List<Candidate> active = new ArrayList<>();
        List<Row> rows = new ArrayList<>();
        Batch batch = session.batch();
        int freePages = Math.ceilDiv(session.model().config().contextLength(), KeyValueMemory.POSITIONS);
        try {
            while (!waiting.isEmpty() || !active.isEmpty()) {
                batch.clear();
                rows.clear();
                active.forEach(one -> add(one, batch, rows));
                long pages = active.stream().mapToLong(Candidate::pages).sum();
                while (batch.room() > 0 && !waiting.isEmpty()
                        && (active.isEmpty() || pages + waiting.peek().pages() <= freePages)) {
                    Candidate one = waiting.remove();
                    one.sequence = past.fork();
                    active.add(one);
                    pages += one.pages();
                    add(one, batch, rows);
                }
                if (call.getAsBoolean() || !session.step(batch, call)) {
                    throw call.exception("");
                }
                read(rows);
                active.removeIf(ReplyScorer::close);
            }
        } finally {
            active.forEach(one -> one.sequence.close());
            batch.clear();
        }
        return candidates.stream().map(Candidate::score).toList();
    }

    private void add(Candidate one, Batch batch, List<Row> rows) {
        int to = Math.min(one.end, one.next + batch.room());
        boolean last = to == one.ids.length;
        Logits logits = one.wanted ? Logits.ALL : last ? Logits.LAST : Logits.NONE;
        batch.add(one.sequence, one.ids, one.types, one.next, to, logits);
        for (int i = one.wanted ? one.next : last ? to - 1 : to; i < to; i++) {
            rows.add(new Row(one, i));
        }
        one.next = to;
    }

    private void read(List<Row> rows) {
        for (int i = 0; i < rows.size(); i++) {
            Candidate one = rows.get(i).candidate;
            if (rows.get(i).index == one.ids.length - 1) {
                one.choice = finite(session.choice(i));
            }
        }
        session.model().engine().compute().readers().run((from, to, worker) -> {
            for (int i = from; i < to; i++) {
                Candidate one = rows.get(i).candidate;
                int successor = rows.get(i).index + 1;
                if (one.wanted && successor < one.ids.length) {
                    one.logprobs[successor - 1] = logprob(i, one.ids[successor], scratch[worker]);
                }
            }
        }, rows.size(), 1);
    }

    private double logprob(int row, int id, float[] logits) {
        session.logits(row, logits);
        return logits[id] - finite(LogSoftmax.logSumExp(logits, session.model().outputs()));
    }

    private static double finite(double number) {
        if (!Double.isFinite(number)) {
            throw new IllegalStateException("the model computed logits that are not all numbers: its weights are"
                    + " damaged, or their type is too small for them");
        }
        return number;
    }

    /** Whether it was to be closed. */
    private static boolean close(Candidate one) {
        if (one.next < one.end) {
            return false;
        }
        one.sequence.close();
        return true;
    }
}
