package org.vecformer.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vecformer.engine.BackendChoice;
import org.vecformer.engine.TestBackends;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.HeapTensor;
import org.vecformer.engine.tensor.KeyValuePages;
import org.vecformer.engine.tensor.MemoryAccount;

/** What attention must not look at, and scores at the ends of their range. What it computes is in the op suite. */
@Tag("width")
class AttentionTest {

    private static final int HEADS = 2;
    private static final int SIZE = 64;
    private static final int HIDDEN = HEADS * SIZE;
    private static final int PAGES = 4;

    private final CpuBackend backend = TestBackends.tested() == BackendChoice.SCALAR
            ? CpuBackend.scalar(3, new MemoryAccount(Long.MAX_VALUE))
            : CpuBackend.best(3, new MemoryAccount(Long.MAX_VALUE), true);
    private final Arena arena = Arena.ofShared();
    private final Ops ops = backend.openOps(PAGES * KeyValuePages.POSITIONS);

    @AfterEach
    void close() {
        ops.close();
        arena.close();
        backend.close();
    }

    @ParameterizedTest
    @CsvSource({"0, 9, 1", "0, 40, 33", "3, 8, 4", "27, 8, 6", "28, 30, 5", "62, 5, 2"})
    void whatALaterTokenHoldsDoesNotReachAnEarlierRow(int past, int rows, int spoiled) {
        HeapTensor all = random(past + rows);
        HeapTensor expected = attend(all, past, rows);
        for (float value : new float[]{Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            int row = all.offset(past + spoiled);
            Arrays.fill(all.data(), row + HIDDEN, row + 3 * HIDDEN, value);
            HeapTensor actual = attend(all, past, rows);
            for (int r = 0; r < spoiled; r++) {
                assertThat(row(actual, r)).as("row %d", r).isEqualTo(row(expected, r));
            }
            // It was there to be seen.
            assertThat(row(actual, spoiled)).contains(Float.NaN);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "17, 5", "31, 30", "33, 32", "100, 64"})
    void aKeyFarAheadOfAllOthersTakesAllTheWeight(int length, int winner) {
        for (float size : new float[]{1e4f, 1e18f, -1e18f}) {
            HeapTensor all = random(length);
            for (int j = 0; j < length; j++) {
                for (int h = 0; h < HEADS; h++) {
                    all.data()[all.offset(j) + h * SIZE] = size;
                    // Positive scores for the winner, negative ones for the others, beyond what exp can tell apart.
                    all.data()[all.offset(j) + HIDDEN + h * SIZE] = j == winner ? size : -size;
                }
            }
            HeapTensor actual = attend(all, length - 1, 1);
            float[] value = Arrays.copyOfRange(all.data(), all.offset(winner) + 2 * HIDDEN,
                    all.offset(winner) + 3 * HIDDEN);
            assertThat(row(actual, 0)).isEqualTo(value);
        }
    }

    /** What a bfloat16 holds exactly comes back from a cache of bfloat16, and the arithmetic is the same. */
    @ParameterizedTest
    @CsvSource({"0, 1", "0, 9", "0, 40", "3, 8", "40, 1", "63, 1", "28, 30", "100, 28"})
    void aCacheOfBfloatsRoundsAndDoesNothingElse(int past, int rows) {
        HeapTensor all = random(past + rows);
        HeapTensor rounded = HeapTensor.zeros(past + rows, 3 * HIDDEN);
        for (int i = 0; i < all.data().length; i++) {
            boolean query = i % all.stride() < HIDDEN;
            rounded.data()[i] = query ? all.data()[i] : Narrow.lowBfloat(Narrow.toBfloat(all.data()[i]));
        }
        HeapTensor expected = attend(rounded, past, rows, WeightType.F32);
        HeapTensor actual = attend(all, past, rows, WeightType.BF16);
        for (int r = 0; r < rows; r++) {
            assertThat(row(actual, r)).as("row %d", r).isEqualTo(row(expected, r));
        }
        assertThat(row(actual, rows - 1)).as("it was rounded")
                .isNotEqualTo(row(attend(all, past, rows, WeightType.F32), rows - 1));
    }

    private HeapTensor attend(HeapTensor all, int past, int rows) {
        return attend(all, past, rows, WeightType.F32);
    }

    /** The rows behind the first {@code past}, in one step after these. */
    private HeapTensor attend(HeapTensor all, int past, int rows, WeightType type) {
        KeyValuePages pages = new KeyValuePages(arena, PAGES, 1, HEADS, SIZE, type);
        PackedBatch batch = new PackedBatch(1);
        batch.sequences = 1;
        batch.pages[0] = new int[]{2, 0, 3, 1};
        for (int page = 0; page < PAGES; page++) {
            pages.commit(page);
        }
        if (past > 0) {
            batch.starts[1] = past;
            ops.attention(all, batch, pages, 0, 0.125f, HeapTensor.zeros(past, HIDDEN), null);
        }
        HeapTensor step = HeapTensor.zeros(rows, 3 * HIDDEN);
        System.arraycopy(all.data(), all.offset(past), step.data(), 0, rows * step.stride());
        batch.past[0] = past;
        batch.starts[1] = rows;
        HeapTensor out = HeapTensor.zeros(rows, HIDDEN);
        ops.attention(step, batch, pages, 0, 0.125f, out, null);
        return out;
    }

    private static float[] row(HeapTensor x, int row) {
        return Arrays.copyOfRange(x.data(), x.offset(row), x.offset(row) + x.columns());
    }

    private static HeapTensor random(int rows) {
        Random random = new Random(rows);
        HeapTensor x = HeapTensor.zeros(rows, 3 * HIDDEN);
        for (int i = 0; i < x.data().length; i++) {
            x.data()[i] = (float) random.nextGaussian();
        }
        return x;
    }
}
