package org.vecformer.loader.convert;

import java.util.ArrayList;
import java.util.List;

/** What a conversion has to say: what it took for granted, and what deserves a look. */
final class Findings {
    private static final int MAX_NAMED = 20;

    private final List<String> notes = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    void note(String text) {
        notes.add(text);
    }

    void warn(String text) {
        warnings.add(text);
    }

    List<String> notes() {
        return List.copyOf(notes);
    }

    List<String> warnings() {
        return List.copyOf(warnings);
    }

    /** Names with commas between, the first ones only if they are many. */
    static String list(List<String> names) {
        List<String> first = names.subList(0, Math.min(MAX_NAMED, names.size()));
        String more = names.size() > MAX_NAMED ? " and " + (names.size() - MAX_NAMED) + " more" : "";
        return String.join(", ", first) + more;
    }
}
