package org.vecformer.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.vecformer.engine.Cancellation;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.GenerationResult;
import org.vecformer.engine.generation.Scheduler;
import org.vecformer.engine.generation.SchedulerOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.task.TextGenerator;
import org.vecformer.yardstick.Samples;

/**
 * A mix of requests, answered one after the other by a {@link TextGenerator} and, of so many clients at once, each of
 * whom waits for an answer before asking again, by a {@link Scheduler}: in turns, round by round. All answers have to be
 * the same.
 */
final class ServingRun {

    /**
     * What is measured.
     *
     * @param mix          how many different requests there are
     * @param promptTokens of the longest prompt; the shortest has a 32nd of that, lengths are spread evenly over
     *                     their logarithms
     * @param newTokens    the most; at least a quarter of them
     * @param draws        whether tokens are drawn (temperature 0.8, top-k 40), or chosen greedily
     * @param clients      how many at once, one number after the other
     * @param rounds       how often everything is measured
     */
    record Plan(int mix, int promptTokens, int newTokens, boolean draws, List<Integer> clients, int rounds) {

        /** The most positions of a request. */
        int positions() {
            return promptTokens + newTokens;
        }
    }

    /**
     * How one way to answer did; one value for each round.
     *
     * @param tokensPerSecond that were written
     * @param latency         seconds until a request was answered: the median
     * @param latency95       and that of 95 in 100
     * @param first           seconds until its first token: the median
     * @param first95         and that of 95 in 100
     */
    record Served(Samples tokensPerSecond, Samples latency, Samples latency95, Samples first, Samples first95) {}

    /** One at a time, and as many clients at once as the plan says, in its order. */
    record Result(Served alone, List<Served> together) {}

    private record Request(int[] prompt, GenerationOptions options) {}

    /** When a request was answered, in seconds from when it was made. */
    private record Answer(int[] ids, double first, double last) {}

    /** One round of one way to answer. */
    private record Round(double seconds, List<Answer> answers) {
        double tokensPerSecond() {
            return answers.stream().mapToInt(answer -> answer.ids.length).sum() / seconds;
        }
    }

    /** Answers a request. */
    private interface Server {
        GenerationResult answer(Request request, TokenListener listener) throws InterruptedException;
    }

    private final Gpt model;
    private final Plan plan;
    private final List<Request> mix;
    private List<int[]> expected;

    ServingRun(Gpt model, Plan plan) {
        this.model = model;
        this.plan = plan;
        SplittableRandom random = new SplittableRandom(1);
        mix = IntStream.range(0, plan.mix).mapToObj(_ -> request(random)).toList();
    }

    private Request request(SplittableRandom random) {
        int length = (int) Math.max(1, plan.promptTokens * Math.pow(2, -5 * random.nextDouble()));
        int newTokens = Math.max(1, plan.newTokens * (1 + random.nextInt(4)) / 4);
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(newTokens);
        if (plan.draws) {
            options = options.withSeed(random.nextLong()).withSampling(s -> s.temperature(0.8).topK(40));
        }
        return new Request(random.ints(length, 0, model.config().vocabularySize()).toArray(), options);
    }

    Result run() throws InterruptedException {
        List<Round> alone = new ArrayList<>();
        List<List<Round>> together = plan.clients.stream().map(_ -> (List<Round>) new ArrayList<Round>()).toList();
        // A round before, for the compiler.
        for (int round = -1; round < plan.rounds; round++) {
            Round one = alone();
            if (round >= 0) {
                alone.add(one);
            }
            for (int i = 0; i < together.size(); i++) {
                Round many = together(plan.clients.get(i));
                if (round >= 0) {
                    together.get(i).add(many);
                }
            }
        }
        return new Result(served(alone), together.stream().map(ServingRun::served).toList());
    }

    /** The whole mix, one after the other. */
    private Round alone() throws InterruptedException {
        try (TextGenerator generator = TextGenerator.open(model, null)) {
            Round round = serve(1, mix.size(),
                    (request, listener) -> generator.generate(request.prompt, request.options, listener));
            if (expected == null) {
                expected = round.answers.stream().map(Answer::ids).toList();
            }
            return checked(round);
        }
    }

    /** The mix as often as it takes for each client to ask twice. */
    private Round together(int clients) throws InterruptedException {
        SchedulerOptions options = SchedulerOptions.defaults()
                .withCacheTokens((long) clients * Math.ceilDiv(plan.positions(), 64) * 64);
        int requests = Math.ceilDiv(Math.max(mix.size(), 2 * clients), mix.size()) * mix.size();
        try (Scheduler scheduler = Scheduler.open(model, null, options)) {
            return checked(serve(clients, requests, (request, listener) -> scheduler.generate(request.prompt,
                    request.options, listener, new Cancellation())));
        }
    }

    private Round serve(int clients, int requests, Server server) throws InterruptedException {
        Answer[] answers = new Answer[requests];
        AtomicInteger next = new AtomicInteger();
        long start = System.nanoTime();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                all.add(threads.submit(() -> {
                    for (int r = next.getAndIncrement(); r < requests; r = next.getAndIncrement()) {
                        answers[r] = answer(mix.get(r % mix.size()), server);
                    }
                    return null;
                }));
            }
            for (Future<?> each : all) {
                each.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("a request failed: " + e.getCause(), e.getCause());
        }
        return new Round(seconds(start), Arrays.asList(answers));
    }

    private static Answer answer(Request request, Server server) throws InterruptedException {
        double[] first = {Double.NaN};
        long start = System.nanoTime();
        int[] ids = server.answer(request, _ -> {
            if (Double.isNaN(first[0])) {
                first[0] = seconds(start);
            }
        }).ids();
        return new Answer(ids, first[0], seconds(start));
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    private Round checked(Round round) {
        for (int r = 0; r < round.answers.size(); r++) {
            if (!Arrays.equals(round.answers.get(r).ids, expected.get(r % mix.size()))) {
                throw new IllegalStateException("request " + r + " was answered by other tokens than the first time, on"
                        + " its own: what was measured is wrong");
            }
        }
        return round;
    }

    private static Served served(List<Round> rounds) {
        return new Served(samples(rounds, Round::tokensPerSecond),
                samples(rounds, round -> percentile(round.answers, Answer::last, 50)),
                samples(rounds, round -> percentile(round.answers, Answer::last, 95)),
                samples(rounds, round -> percentile(round.answers, Answer::first, 50)),
                samples(rounds, round -> percentile(round.answers, Answer::first, 95)));
    }

    private static Samples samples(List<Round> rounds, ToDoubleFunction<Round> value) {
        return new Samples(rounds.stream().mapToDouble(value).toArray());
    }

    /** The smallest value that so many of a hundred do not exceed. */
    private static double percentile(List<Answer> answers, ToDoubleFunction<Answer> value,
            int percent) {
        List<Double> sorted = answers.stream().map(value::applyAsDouble).sorted().toList();
        return sorted.get(Math.ceilDiv(percent * sorted.size(), 100) - 1);
    }
}
