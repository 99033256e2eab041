package org.vecformer.engine.dialog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** F1 of words, by hand. */
class WordOverlapTest {

    @Test
    void wordsAreLowerCaseWithoutPunctuationAndArticles() {
        assertThat(WordOverlap.words("  The cat's hat -- IS on a mat!\n")).containsExactly("cat", "s", "hat", "is",
                "on",
                "mat");
        assertThat(WordOverlap.words("an_apple theatre a\u00a0b")).containsExactly("apple", "theatre", "b");
        // What is no ASCII punctuation is a part of its word; an article beside it still is one.
        assertThat(WordOverlap.words("\u201cthe\u201d caf\u00e9 \u00c9A")).containsExactly("\u201c", "\u201d",
                "caf\u00e9", "\u00e9a");
        assertThat(WordOverlap.words("a, the. AN?")).isEmpty();
    }

    @Test
    void aWordCountsAsOftenAsItIsInBoth() {
        // Shared: i, like, dogs once; 3 of 5 words and 3 of 4.
        assertThat(WordOverlap.f1("I like dogs, dogs, dogs!", "i really like dogs"))
                .isCloseTo(2 * 0.6 * 0.75 / (0.6 + 0.75), within(1e-15));
        assertThat(WordOverlap.f1("dogs dogs", "dogs like dogs")).isCloseTo(2 * 1 * (2. / 3) / (1 + 2. / 3),
                within(1e-15));
        assertThat(WordOverlap.f1("The end.", "an END")).isEqualTo(1);
    }

    @Test
    void nothingSharedIsZero() {
        assertThat(WordOverlap.f1("yes", "no")).isZero();
        assertThat(WordOverlap.f1("", "no")).isZero();
        assertThat(WordOverlap.f1("a", "a")).as("articles alone").isZero();
    }
}
