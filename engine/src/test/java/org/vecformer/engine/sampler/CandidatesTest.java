package org.vecformer.engine.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CandidatesTest {
    private static final float[] SPECIAL = {0f, -0f, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, Float.MIN_VALUE,
        -Float.MIN_VALUE, Float.MAX_VALUE, -Float.MAX_VALUE, 1f, -1f};

    @Test
    void loadedSetIsDense() {
        Candidates candidates = loaded(3, 1, 2);
        assertThat(candidates.isDense()).isTrue();
        assertThat(candidates.size()).isEqualTo(3);
        assertThat(candidates.ids()).containsExactly(0, 1, 2);
        assertThat(candidates.logits()).containsExactly(3, 1, 2);
        assertThat(candidates.indexOf(2)).isEqualTo(2);
        assertThat(candidates.indexOf(3)).isEqualTo(-1);
        assertThat(candidates.indexOf(-1)).isEqualTo(-1);
    }

    @Test
    void loadingStartsAfresh() {
        Candidates candidates = loaded(3, 1, 2);
        candidates.sortByLogit();
        candidates.truncate(1);
        candidates.select(0);
        candidates.load(new float[]{7, 8, 9});
        assertThat(candidates.isDense()).isTrue();
        assertThat(candidates.ids()).containsExactly(0, 1, 2);
        assertThat(candidates.selected()).isEqualTo(-1);
    }

    @Test
    void tokensAreFoundInEveryOrder() {
        Candidates candidates = loaded(3, 1, 2, 5, 4);
        candidates.sortByLogit();
        candidates.truncate(3);
        assertThat(candidates.isDense()).isFalse();
        assertThat(candidates.indexOf(3)).isEqualTo(0);
        assertThat(candidates.indexOf(4)).isEqualTo(1);
        assertThat(candidates.indexOf(0)).isEqualTo(2);
        assertThat(candidates.indexOf(1)).isEqualTo(-1);
        candidates.sortById();
        assertThat(Arrays.copyOf(candidates.ids(), 3)).containsExactly(0, 3, 4);
        assertThat(Arrays.copyOf(candidates.logits(), 3)).containsExactly(3, 5, 4);
        assertThat(candidates.indexOf(4)).isEqualTo(2);
        assertThat(candidates.indexOf(2)).isEqualTo(-1);
        assertThat(candidates.indexOf(9)).isEqualTo(-1);
    }

    @Test
    void selectionsAgreeWithAFullSort() {
        SplittableRandom random = new SplittableRandom(5);
        for (int round = 0; round < 400; round++) {
            float[] logits = new float[1 + random.nextInt(300)];
            int kind = random.nextInt(4);
            for (int i = 0; i < logits.length; i++) {
                logits[i] = switch (kind) {
                    case 0 -> (float) random.nextGaussian() * 5;
                    case 1 -> random.nextInt(5);
                    case 2 -> SPECIAL[random.nextInt(SPECIAL.length)];
                    default -> Float.intBitsToFloat(random.nextInt());
                };
            }
            Integer[] expected = IntStream.range(0, logits.length).boxed().toArray(Integer[]::new);
            // A NaN is the smallest, the zeros are equal, equal ones go by id (the sort is stable).
            Arrays.sort(expected, Comparator.comparing(i -> Float.isNaN(logits[i]) ? null : logits[i] + 0f,
                    Comparator.nullsLast(Comparator.reverseOrder())));
            Candidates candidates = loaded(logits);
            int k = 1 + random.nextInt(logits.length + 2);
            float kth = logits[expected[Math.min(k, logits.length) - 1]];
            if (Float.isNaN(kth)) {
                assertThat(candidates.kthLargest(k)).isNaN();
            } else {
                assertThat(candidates.kthLargest(k)).isEqualTo(kth);
            }

            int[] best = new int[Math.min(k, logits.length)];
            assertThat(candidates.best(k, best)).isEqualTo(best.length);
            assertThat(best).isEqualTo(Arrays.stream(expected).limit(k).mapToInt(i -> i).toArray());

            candidates.sortByLogit();
            assertThat(candidates.ids()).isEqualTo(Arrays.stream(expected).mapToInt(i -> i).toArray());
            candidates.sortById();
            assertThat(candidates.ids()).isSorted();
            for (int i = 0; i < logits.length; i++) {
                assertThat(Float.compare(candidates.logits()[i], logits[i] + 0f)).isZero();
            }
        }
    }

    @Test
    void softmaxSumsToOne() {
        SplittableRandom random = new SplittableRandom(6);
        for (int round = 0; round < 100; round++) {
            Candidates candidates = new Candidates(1 + random.nextInt(2000));
            for (int i = 0; i < candidates.vocabularySize(); i++) {
                candidates.logits()[i] = (float) random.nextGaussian() * 10 + 1000;
            }
            candidates.fill();
            candidates.softmax();
            double sum = 0;
            for (float probability : candidates.probabilities()) {
                assertThat(probability).isBetween(0f, 1f);
                sum += probability;
            }
            assertThat(sum).isCloseTo(1, within(1e-5));
        }
    }

    @Test
    void softmaxOfUnusualLogits() {
        assertThat(softmax(0, Float.NEGATIVE_INFINITY, 0, Float.NaN)).containsExactly(0.5f, 0, 0.5f, 0);
        assertThat(softmax(1, Float.POSITIVE_INFINITY, 3, Float.POSITIVE_INFINITY)).containsExactly(0, 0.5f, 0, 0.5f);
        assertThat(softmax(Float.NEGATIVE_INFINITY, Float.NaN)).containsExactly(0, 0);
        assertThat(softmax(-Float.MAX_VALUE, Float.MAX_VALUE)).containsExactly(0, 1);
        assertThat(softmax(-1e30f)).containsExactly(1);
    }

    @Test
    void misuseIsNamed() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Candidates(0)).withMessageContaining("0");
        Candidates candidates = loaded(1, 2, 3);
        assertThatIllegalArgumentException().isThrownBy(() -> candidates.load(new float[2]))
                .withMessageContaining("2 logits").withMessageContaining("3 tokens");
        assertThatIllegalArgumentException().isThrownBy(() -> candidates.truncate(0));
        assertThatIllegalArgumentException().isThrownBy(() -> candidates.truncate(4));
        assertThatIllegalArgumentException().isThrownBy(() -> candidates.kthLargest(0));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> candidates.select(3));
        assertThatIllegalStateException().isThrownBy(candidates::selectedToken).withMessageContaining("Greedy");
        candidates.select(1);
        assertThat(candidates.selectedToken()).isEqualTo(1);
        candidates.truncate(1);
        assertThatIllegalStateException().isThrownBy(candidates::selectedToken);
    }

    private static float[] softmax(float... logits) {
        Candidates candidates = loaded(logits);
        candidates.softmax();
        return candidates.probabilities();
    }

    private static Candidates loaded(float... logits) {
        Candidates candidates = new Candidates(logits.length);
        candidates.load(logits);
        return candidates;
    }
}
