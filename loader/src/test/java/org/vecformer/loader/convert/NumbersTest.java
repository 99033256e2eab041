package org.vecformer.loader.convert;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.vecformer.loader.DType;

/** Types of numbers: the nearest one, and of two the even one. */
class NumbersTest {
    private final Numbers numbers = new Numbers();

    private MemorySegment convert(MemorySegment from, DType source, DType target, int count) {
        MemorySegment to = MemorySegment.ofArray(new byte[count * target.bits() / Byte.SIZE]);
        numbers.convert(from, source, to, target);
        return to;
    }

    private static MemorySegment floats(float... values) {
        MemorySegment segment = MemorySegment.ofArray(new byte[Float.BYTES * values.length]);
        MemorySegment.copy(values, 0, segment, JAVA_FLOAT_UNALIGNED, 0, values.length);
        return segment;
    }

    private short narrow(float value, DType target) {
        return convert(floats(value), DType.F32, target, 1).get(JAVA_SHORT_UNALIGNED, 0);
    }

    @Test
    void everyHalfAndEveryBfloat16ComesBack() {
        MemorySegment all = MemorySegment.ofArray(new byte[2 * 65536]);
        for (int i = 0; i < 65536; i++) {
            all.set(JAVA_SHORT_UNALIGNED, 2L * i, (short) i);
        }
        for (DType type : new DType[]{DType.F16, DType.BF16}) {
            MemorySegment wide = convert(all, type, DType.F32, 65536);
            MemorySegment back = convert(wide, DType.F32, type, 65536);
            for (int i = 0; i < 65536; i++) {
                float value = wide.get(JAVA_FLOAT_UNALIGNED, 4L * i);
                short again = back.get(JAVA_SHORT_UNALIGNED, 2L * i);
                if (Float.isNaN(value)) {
                    float read = type == DType.F16 ? Float.float16ToFloat(again) : Float.intBitsToFloat(again << 16);
                    assertThat(read).isNaN();
                } else {
                    assertThat(again).isEqualTo((short) i);
                }
            }
            assertThat(numbers.overflows()).isZero();
        }
    }

    @Test
    void bfloat16IsTheNearestAndOfTwoTheEvenOne() {
        Random random = new Random(5);
        for (int i = 0; i < 200_000; i++) {
            int bits = random.nextInt();
            if (i % 4 == 0) {
                // Exactly between two.
                bits = bits & 0xFFFF0000 | 0x8000;
            }
            float value = Float.intBitsToFloat(bits);
            if (Float.isNaN(value) || Math.abs(value) > 3e38f) {
                continue;
            }
            int rounded = narrow(value, DType.BF16);
            int below = bits >> 16;
            double toBelow = Math.abs((double) value - Float.intBitsToFloat(below << 16));
            double toAbove = Math.abs((double) value - Float.intBitsToFloat(below + 1 << 16));
            int expected = toBelow < toAbove || toBelow == toAbove && (below & 1) == 0 ? below : below + 1;
            assertThat((short) rounded).as("%h", bits).isEqualTo((short) expected);
        }
    }

    @Test
    void whatBecomesInfiniteIsCounted() {
        assertThat(narrow(65519.99f, DType.F16)).isEqualTo((short) 0x7BFF);
        assertThat(numbers.overflows()).isZero();
        assertThat(narrow(-65520f, DType.F16)).isEqualTo((short) 0xFC00);
        assertThat(numbers.overflows()).isEqualTo(1);
        assertThat(narrow(Float.POSITIVE_INFINITY, DType.F16)).isEqualTo((short) 0x7C00);
        assertThat(narrow(Float.NEGATIVE_INFINITY, DType.BF16)).isEqualTo((short) 0xFF80);
        assertThat(numbers.overflows()).isZero();
        assertThat(narrow(Float.MAX_VALUE, DType.BF16)).isEqualTo((short) 0x7F80);
        assertThat(numbers.overflows()).isEqualTo(1);
        MemorySegment large = MemorySegment.ofArray(new byte[16]);
        large.set(JAVA_DOUBLE_UNALIGNED, 0, 1e300);
        large.set(JAVA_DOUBLE_UNALIGNED, 8, 0.1);
        assertThat(convert(large, DType.F64, DType.F32, 2).get(JAVA_FLOAT_UNALIGNED, 4)).isEqualTo(0.1f);
        assertThat(numbers.overflows()).isEqualTo(1);
    }

    @Test
    void numbersThatAreNoneStayNone() {
        // All its bits are in the lower half, and rounding would carry.
        for (int bits : new int[]{0x7F800001, 0xFFFFFFFF, 0x7FFFFFFF, 0xFF80FFFF}) {
            short brain = narrow(Float.intBitsToFloat(bits), DType.BF16);
            assertThat(Float.intBitsToFloat(brain << 16)).isNaN();
            assertThat(Float.float16ToFloat(narrow(Float.intBitsToFloat(bits), DType.F16))).isNaN();
        }
    }

    @Test
    void columnsBecomeRows() {
        Random random = new Random(7);
        for (int elementBytes : new int[]{1, 2, 4, 8}) {
            for (int[] size : new int[][]{{1, 1}, {3, 5}, {70, 13}, {1, 9}}) {
                byte[] matrix = new byte[size[0] * size[1] * elementBytes];
                random.nextBytes(matrix);
                byte[] turned = new byte[matrix.length];
                for (int first = 0; first < size[1]; first += 4) {
                    int count = Math.min(4, size[1] - first);
                    MemorySegment tile = MemorySegment.ofArray(new byte[count * size[0] * elementBytes]);
                    Transposition.tile(MemorySegment.ofArray(matrix), elementBytes, size[0], size[1], first, count,
                            tile);
                    MemorySegment.copy(tile, JAVA_BYTE, 0, turned, first * size[0] * elementBytes,
                            (int) tile.byteSize());
                }
                for (int r = 0; r < size[0]; r++) {
                    for (int c = 0; c < size[1]; c++) {
                        for (int b = 0; b < elementBytes; b++) {
                            assertThat(turned[(c * size[0] + r) * elementBytes + b])
                                    .isEqualTo(matrix[(r * size[1] + c) * elementBytes + b]);
                        }
                    }
                }
            }
        }
    }
}
