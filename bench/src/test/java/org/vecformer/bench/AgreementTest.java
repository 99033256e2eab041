package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.vecformer.engine.tensor.HeapTensor;

class AgreementTest {

    @Test
    void oneWrongNumberOfAHundredThousandShows() {
        HeapTensor x = HeapTensor.zeros(100, 1000);
        for (int r = 0; r < 100; r++) {
            for (int c = 0; c < 1000; c++) {
                x.data()[x.offset(r) + c] = (float) expected(r, c);
            }
        }
        assertThatCode(() -> Agreement.check("x", x, 100, AgreementTest::expected)).doesNotThrowAnyException();
        x.data()[x.offset(99) + 999] *= 1.1f;
        assertThatThrownBy(() -> Agreement.check("x", x, 100, AgreementTest::expected))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("x is wrong");
        x.data()[x.offset(99) + 999] = Float.NaN;
        assertThatThrownBy(() -> Agreement.check("x", x, 100, AgreementTest::expected))
                .isInstanceOf(IllegalStateException.class);
    }

    private static double expected(int row, int column) {
        return Math.sin(row + 1) + column / 1000.0;
    }
}
