package org.vecformer.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.Gpt2Config;

/** Numbers counted by hand. */
class Gpt2WorkTest {

    /** Vocabulary 10, hidden 4, 2 blocks, inner 16. */
    private static final Gpt2Config TINY = Gpt2Config.ofSizes(10, 8, 4, 2, 2);

    @Test
    void weightsOfATinyModel() {
        // A block: 4 x 12 + 4 x 4 + 4 x 16 + 16 x 4 = 192.
        assertThat(Gpt2Work.blockWeights(TINY)).isEqualTo(2 * 192);
        // A block: two norms of 8, biases of 12, 4, 16 and 4; then the last norm of 8.
        assertThat(Gpt2Work.vectorWeights(TINY)).isEqualTo(2 * (16 + 36) + 8);
    }

    @Test
    void bytesPerToken() {
        assertThat(Gpt2Work.bytesPerToken(TINY, WeightType.F32)).isEqualTo(4 * (384 + 40) + 4 * 112);
        assertThat(Gpt2Work.bytesPerToken(TINY, WeightType.BF16)).isEqualTo(2 * (384 + 40) + 4 * 112);
    }

    @Test
    void flopsPerPrompt() {
        // Three tokens: products with the blocks, 1 + 2 + 3 pairs of 4 numbers in two products and two blocks, the head
        // once.
        assertThat(Gpt2Work.flopsPerPrompt(TINY, 3)).isEqualTo(2 * 384 * 3 + 2 * 2 * 6 * 4 * 2 + 2 * 40);
    }

    @Test
    void gpt2Small() {
        Gpt2Config config = RandomModel.gpt2Small();
        // 124,439,808 parameters are published; all but the 1024 x 768 position embeddings are read for a token.
        assertThat(Gpt2Work.bytesPerToken(config, WeightType.F32)).isEqualTo(4 * (124_439_808L - 1024 * 768));
        assertThat(Gpt2Work.blockWeights(config)).isEqualTo(84_934_656);
        // 84,934,656 x 2 x 128 + 38,597,376 x 2 + 12 x 768 x 4 x 8256
        assertThat(Gpt2Work.flopsPerPrompt(config, 128)).isEqualTo(22_124_815_872L);
    }
}
