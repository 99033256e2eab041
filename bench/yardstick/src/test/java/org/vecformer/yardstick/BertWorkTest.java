package org.vecformer.yardstick;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vecformer.loader.BertConfig;

/** Numbers counted by hand. */
class BertWorkTest {

    /** Hidden 4, 2 blocks, inner 16. */
    private static final BertConfig TINY = BertConfig.ofSizes(10, 8, 4, 2, 2);

    @Test
    void weightsOfATinyModel() {
        // A block: 4 x 4 x 4 + 4 x 16 + 16 x 4 = 192.
        assertThat(BertWork.blockWeights(TINY)).isEqualTo(2 * 192);
    }

    @Test
    void aPairOfSequencesDoesNotAttendToEachOther() {
        // Five tokens; 2 x 2 + 3 x 3 pairs of 4 numbers in two products and two blocks.
        assertThat(BertWork.flops(TINY, List.of(2, 3))).isEqualTo(2 * 384 * 5 + 2 * 2 * 13 * 4 * 2);
    }

    @Test
    void bertBase() {
        // 84,934,656 x 2 x 1024 + 12 x 768 x 4 x 8 x 128 x 128: 174 + 4.8 GFLOP.
        assertThat(BertWork.flops(BertConfig.ofSizes(30522, 512, 768, 12, 12), Collections.nCopies(8, 128)))
                .isEqualTo(178_778_013_696L);
    }
}
