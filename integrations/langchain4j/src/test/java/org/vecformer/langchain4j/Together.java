package org.vecformer.langchain4j;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Many threads that begin at the same moment. */
final class Together {

    private Together() {
    }

    /** What each of so many threads made of its number, in the order of these; an exception of one is thrown. */
    static <T> List<T> run(int threads, IntFunction<T> work) throws Exception {
        CountDownLatch ready = new CountDownLatch(threads);
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<T>> futures = IntStream.range(0, threads).mapToObj(i -> executor.submit(() -> {
                ready.countDown();
                ready.await();
                return work.apply(i);
            })).toList();
            List<T> results = new ArrayList<>();
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        }
    }
}
