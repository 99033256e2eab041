package org.vecformer.engine.generation;

import java.util.List;

/** Texts that end a text. Immutable. */
record StopTexts(List<String> texts) {

    /**
     * Where the first stop text ends that ends behind {@code from}; of several that end there the longest counts; null
     * if there is none.
     *
     * @param from how much of the text has been looked at before
     */
    Match find(CharSequence text, int from) {
        if (texts.isEmpty()) {
            return null;
        }
        int window = Math.max(0, from - longest() + 1);
        String recent = text.subSequence(window, text.length()).toString();
        Match first = null;
        for (String stop : texts) {
            int start = recent.indexOf(stop, Math.max(0, from - stop.length() + 1 - window));
            if (start >= 0) {
                Match match = new Match(window + start, window + start + stop.length());
                if (first == null || match.end < first.end || match.end == first.end && match.start < first.start) {
                    first = match;
                }
            }
        }
        return first;
    }

    private int longest() {
        return texts.stream().mapToInt(String::length).max().orElse(0);
    }

    /** How many characters at the end of a text may be the beginning of a stop text. */
    int pending(CharSequence text) {
        int longest = 0;
        for (String stop : texts) {
            for (int count = Math.min(stop.length() - 1, text.length()); count > longest; count--) {
                if (endsWith(text, stop, count)) {
                    longest = count;
                }
            }
        }
        return longest;
    }

    private static boolean endsWith(CharSequence text, String stop, int count) {
        int from = text.length() - count;
        for (int i = 0; i < count; i++) {
            if (text.charAt(from + i) != stop.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    /** A stop text in a text. */
    record Match(int start, int end) {}
}
