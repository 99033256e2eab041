package org.vecformer.engine.stress;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Collectors;

/** What was done so far. Thread-safe. */
final class Tally {

    private final Map<String, Map<Outcome, LongAdder>> counts = new ConcurrentSkipListMap<>();
    private final LongAdder all = new LongAdder();

    void add(String way, Outcome outcome) {
        all.increment();
        counts.computeIfAbsent(way, _ -> {
            Map<Outcome, LongAdder> outcomes = new EnumMap<>(Outcome.class);
            for (Outcome each : Outcome.values()) {
                outcomes.put(each, new LongAdder());
            }
            return outcomes;
        }).get(outcome).increment();
    }

    long all() {
        return all.sum();
    }

    long count(Outcome outcome) {
        return counts.values().stream().mapToLong(outcomes -> outcomes.get(outcome).sum()).sum();
    }

    /** How many of each outcome. */
    String summary() {
        StringBuilder text = new StringBuilder();
        for (Outcome outcome : Outcome.values()) {
            text.append(", ").append(count(outcome)).append(' ').append(outcome.name().toLowerCase(Locale.ROOT));
        }
        return all() + " requests" + text;
    }

    /** The same for each way to ask. */
    @Override
    public String toString() {
        return counts.entrySet().stream()
                .map(way -> "  " + way.getKey() + ": " + way.getValue().entrySet().stream()
                        .filter(outcome -> outcome.getValue().sum() > 0)
                        .map(outcome -> outcome.getValue() + " " + outcome.getKey().name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.joining(", ")))
                .collect(Collectors.joining("\n"));
    }
}
