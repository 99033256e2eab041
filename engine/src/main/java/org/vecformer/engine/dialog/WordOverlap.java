package org.vecformer.engine.dialog;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * How many words two replies share, as ConvAI2 measures it (ParlAI, {@code normalize_answer} and {@code F1Metric} of
 * parlai/core/metrics.py): letters lower-cased; ASCII punctuation becomes white space; the articles a, an and the are
 * left out; then precision and recall of the words, each counted as often as it occurs in both, and of them F1.
 */
final class WordOverlap {

    private static final Pattern PUNCTUATION = Pattern.compile("\\p{Punct}");
    private static final Pattern ARTICLE = Pattern.compile("\\b(a|an|the)\\b", Pattern.UNICODE_CHARACTER_CLASS);
    private static final Pattern WHITE_SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

    private WordOverlap() {
    }

    /** The harmonic mean of precision and recall: 0 to 1; 0 where no word is shared. */
    static double f1(String reply, String gold) {
        List<String> words = words(reply);
        List<String> missing = new ArrayList<>(words(gold));
        int goldWords = missing.size();
        int shared = 0;
        for (String word : words) {
            shared += missing.remove(word) ? 1 : 0;
        }
        if (shared == 0) {
            return 0;
        }
        double precision = (double) shared / words.size();
        double recall = (double) shared / goldWords;
        return 2 * precision * recall / (precision + recall);
    }

    static List<String> words(String text) {
        String plain = PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll(" ");
        return WHITE_SPACE.splitAsStream(ARTICLE.matcher(plain).replaceAll(" ")).filter(word -> !word.isEmpty())
                .toList();
    }
}
