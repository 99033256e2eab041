package org.vecformer.yardstick;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.vecformer.engine.WeightType;
import org.vecformer.loader.Gpt2Config;

/** Numbers counted by hand. */
class GptWorkTest {

    /** Vocabulary 10, hidden 4, 2 blocks, inner 16. */
    private static final Gpt2Config TINY = Gpt2Config.ofSizes(10, 8, 4, 2, 2);

    @Test
    void weightsOfATinyModel() {
        // A block: 4 x 12 + 4 x 4 + 4 x 16 + 16 x 4 = 192.
        assertThat(GptWork.blockWeights(TINY)).isEqualTo(2 * 192);
        // A block: two norms of 8, biases of 12, 4, 16 and 4; then the last norm of 8.
        assertThat(GptWork.vectorWeights(TINY)).isEqualTo(2 * (16 + 36) + 8);
    }

    @Test
    void bytesPerToken() {
        assertThat(GptWork.bytesPerToken(TINY, WeightType.F32)).isEqualTo(4 * (384 + 40) + 4 * 112);
        assertThat(GptWork.bytesPerToken(TINY, WeightType.BF16)).isEqualTo(2 * (384 + 40) + 4 * 112);
    }

    @Test
    void quantizedBytesPerToken() {
        // Inputs of 4 and 16 are no whole blocks: all of it stays float32.
        assertThat(GptWork.bytesPerToken(TINY, WeightType.INT8)).isEqualTo(4 * (384 + 40) + 4 * 112);
        // Hidden 8, inner 32: only the matrix down is quantized, 8 outputs of a block of 32 bytes and a scale.
        Gpt2Config small = Gpt2Config.ofSizes(10, 8, 8, 1, 2);
        assertThat(GptWork.bytesPerToken(small, WeightType.INT8)
                - 4 * GptWork.vectorWeights(small)).isEqualTo(4 * (4 * 64 + 8 * 32 + 80) + 8 * 34);
        assertThat(GptWork.bytesPerToken(small, WeightType.INT4)
                - 4 * GptWork.vectorWeights(small)).isEqualTo(4 * (4 * 64 + 8 * 32 + 80) + 8 * 18);
    }

    @Test
    void flopsPerPrompt() {
        // Three tokens: products with the blocks, 1 + 2 + 3 pairs of 4 numbers in two products and two blocks, the head
        // once; but two of the tokens leave out the 16 + 2 x 64 weights behind the last attention.
        assertThat(GptWork.flopsPerPrompt(TINY, 3))
                .isEqualTo(2 * 384 * 3 - 2 * 2 * 144 + 2 * 2 * 6 * 4 * 2 + 2 * 40);
    }

    @Test
    void gpt2Small() {
        Gpt2Config config = Gpt2Config.ofSizes(50257, 1024, 768, 12, 12);
        // 124,439,808 parameters are published; all but the 1024 x 768 position embeddings are read for a token.
        assertThat(GptWork.bytesPerToken(config, WeightType.F32)).isEqualTo(4 * (124_439_808L - 1024 * 768));
        assertThat(GptWork.blockWeights(config)).isEqualTo(84_934_656);
        // 123,532,032 numbers of matrices, 121,344 of biases and norms.
        assertThat(GptWork.bytesPerToken(config, WeightType.INT4))
                .isEqualTo(123_532_032L / 32 * 18 + 4 * 121_344);
        // 84,934,656 x 2 x 128 - 5,308,416 x 2 x 127 + 38,597,376 x 2 + 12 x 768 x 4 x 8256
        assertThat(GptWork.flopsPerPrompt(config, 128)).isEqualTo(20_776_478_208L);
    }
}
