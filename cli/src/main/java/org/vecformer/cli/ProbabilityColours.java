package org.vecformer.cli;

import java.util.Locale;
import java.util.Map;

/** Shows texts by how likely they were: in colours on a terminal, else in brackets behind the text. */
record ProbabilityColours(boolean colours) {
    /** The least probability of each level. */
    private static final double[] LEAST = {0, 0.05, 0.2, 0.5, 0.8};
    /** Of xterm's 256 colours, light ones from red to green; the text on them is black. */
    private static final int[] BACKGROUND = {210, 216, 229, 193, 120};
    private static final String RESET = "\u001b[0m";

    static final int LEVELS = LEAST.length;

    /**
     * As the screen and the environment want it: NO_COLOR (no-color.org) and FORCE_COLOR say what the screen does not.
     */
    static ProbabilityColours of(boolean terminal, Map<String, String> environment) {
        boolean forbidden = !environment.getOrDefault("NO_COLOR", "").isEmpty();
        boolean forced = !environment.getOrDefault("FORCE_COLOR", "").isEmpty();
        return new ProbabilityColours(!forbidden && (forced || terminal));
    }

    /** 0 (unlikely) to {@link #LEVELS} - 1. */
    static int level(double probability) {
        int level = LEVELS - 1;
        while (level > 0 && !(probability >= LEAST[level])) {
            level--;
        }
        return level;
    }

    /** What a level stands for. */
    static String name(int level) {
        return level == 0
                ? "below " + percent(LEAST[1])
                : level == LEVELS - 1 ? percent(LEAST[level]) + " and more" : percent(LEAST[level]);
    }

    private static String percent(double share) {
        return Math.round(100 * share) + " %";
    }

    /** A text that was this likely. */
    String show(String text, double probability) {
        if (text.isEmpty()) {
            return "";
        }
        if (!colours) {
            return text + String.format(Locale.ROOT, "[%.2f]", probability);
        }
        String on = on(level(probability));
        // A background that is on at the end of a line would colour the rest of the screen's line.
        return on + text.replace("\n", RESET + "\n" + on) + RESET;
    }

    private static String on(int level) {
        return "\u001b[48;5;" + BACKGROUND[level] + ";30m";
    }

    /** What the colours mean. */
    String legend() {
        StringBuilder legend = new StringBuilder("probability of each token");
        if (!colours) {
            return legend.append(" in brackets").toString();
        }
        legend.append(':');
        for (int level = LEVELS - 1; level >= 0; level--) {
            legend.append(' ').append(on(level)).append(' ').append(name(level)).append(' ').append(RESET);
        }
        return legend.toString();
    }
}
