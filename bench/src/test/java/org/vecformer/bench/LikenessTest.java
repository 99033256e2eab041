package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class LikenessTest {

    private static final float[][] VECTORS = {{0.6f, 0.8f}, {1, 0}};

    @Test
    void theWorstPairCounts() {
        // The cosine of (0.6, 0.8) and (0.8, 0.6) is 0.96, of (1, 0) with itself 1.
        Likeness likeness = Likeness.of(VECTORS, new float[][]{{0.8f, 0.6f}, {1, 0}});
        assertThat(likeness.cosine()).isCloseTo(0.96, within(1e-7));
        assertThat(likeness.difference()).isCloseTo(0.2, within(1e-7));
        assertThat(likeness.same()).isFalse();
    }

    @Test
    void theSameVectors() {
        assertThat(Likeness.of(VECTORS, VECTORS).same()).isTrue();
        assertThat(Likeness.of(VECTORS, VECTORS).difference()).isZero();
    }

    @Test
    void whatIsNoNumberIsNotTheSame() {
        assertThat(Likeness.of(VECTORS, new float[][]{{0.6f, Float.NaN}, {1, 0}}).same()).isFalse();
    }

    @Test
    void otherSizesAreRefused() {
        assertThatThrownBy(() -> Likeness.of(VECTORS, new float[][]{{1, 0}}))
                .isInstanceOf(IllegalArgumentException.class).hasMessage("2 vectors and 1");
        assertThatThrownBy(() -> Likeness.of(VECTORS, new float[][]{{1, 0}, {1, 0, 0}}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a vector of 2 numbers and one of 3");
    }
}
