package org.vecformer.yardstick;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SamplesTest {

    @Test
    void medianOfAnOddAndAnEvenNumber() {
        assertThat(samples(5, 1, 3).median()).isEqualTo(3);
        assertThat(samples(4, 1, 3, 100).median()).isEqualTo(3.5);
        assertThat(samples(4, 1, 3, 100).least()).isEqualTo(1);
        assertThat(samples(4, 1, 3, 100).most()).isEqualTo(100);
    }

    @Test
    void meanAndDeviation() {
        assertThat(samples(1, 2, 6).mean()).isEqualTo(3);
        assertThat(samples(1, 2, 6).deviation()).isCloseTo(Math.sqrt(7), within(1e-12));
        assertThat(samples(1).deviation()).isZero();
    }

    @Test
    void sharesAreFormedWithinARound() {
        // 40 tokens/s x 0.5 GB of 25 GB/s, then 10 x 0.5 of 5.
        assertThat(samples(40, 10).shareOf(0.5, samples(25, 5)).values()).containsExactly(0.8, 1.0);
        assertThatThrownBy(() -> samples(1, 2).shareOf(1, samples(1))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> samples()).isInstanceOf(IllegalArgumentException.class);
    }

    private static Samples samples(double... values) {
        return new Samples(values);
    }
}
