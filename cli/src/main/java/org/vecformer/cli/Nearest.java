package org.vecformer.cli;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** What somebody may have meant who mistyped a name. */
final class Nearest {
    private Nearest() {
    }

    /** "did you mean ...?" if a name is near, else all of them. */
    static String advice(String typed, List<String> names) {
        Optional<String> begun = names.stream().filter(name -> name.startsWith(typed)).findFirst();
        String nearest = begun.orElseGet(
                () -> names.stream().min(Comparator.comparingInt(name -> distance(typed, name))).orElseThrow());
        return begun.isPresent() || distance(typed, nearest) <= Math.max(2, nearest.length() / 3)
                ? "did you mean " + nearest + "?"
                : "there are " + String.join(", ", names);
    }

    /** How many characters must be put in, left out or replaced to make one of the other (Levenshtein). */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
