package org.vecformer.engine.kernel;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static org.vecformer.engine.tensor.Tensor.PANEL;

import java.lang.foreign.MemorySegment;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.loader.Activation;

/**
 * The kernels in plain Java: for JVMs without the vector module, and the yardstick of {@link VectorKernels}, whose
 * results they equal bit for bit.
 * <p>
 * Rows are computed in strips of 8 columns: 8 independent chains hide the latency of the multiply-add.
 */
final class ScalarKernels implements CpuKernels {

    private static final int STRIP = 8;
    private static final long ROW_BYTES = PANEL * Float.BYTES;
    private static final long NARROW_ROW_BYTES = ROW_BYTES / 2;
    private static final int WORDS = PANEL / 2;

    @Override
    public void tile(float[] a, int a0, int aStride, int rows, int k, MemorySegment b, long b0, float[] c, int c0,
            int cStride,
            boolean more) {
        for (int r = 0; r < rows; r++) {
            for (int strip = 0; strip < PANEL; strip += STRIP) {
                strip(a, a0 + r * aStride, k, b, b0 + (long) strip * Float.BYTES, c, c0 + r * cStride + strip, more);
            }
        }
    }

    private static void strip(float[] a, int a0, int k, MemorySegment b, long b0, float[] c, int c0, boolean more) {
        float s0 = more ? c[c0] : 0, s1 = more ? c[c0 + 1] : 0, s2 = more ? c[c0 + 2] : 0, s3 = more ? c[c0 + 3] : 0;
        float s4 = more ? c[c0 + 4] : 0, s5 = more ? c[c0 + 5] : 0, s6 = more ? c[c0 + 6] : 0,
                s7 = more ? c[c0 + 7] : 0;
        for (int i = 0; i < k; i++) {
            float x = a[a0 + i];
            long at = b0 + i * ROW_BYTES;
            s0 = Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, at), s0);
            s1 = Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, at + 4), s1);
            s2 = Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, at + 8), s2);
            s3 = Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, at + 12), s3);
            s4 = Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, at + 16), s4);
            s5 = Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, at + 20), s5);
            s6 = Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, at + 24), s6);
            s7 = Math.fma(x, b.get(JAVA_FLOAT_UNALIGNED, at + 28), s7);
        }
        c[c0] = s0;
        c[c0 + 1] = s1;
        c[c0 + 2] = s2;
        c[c0 + 3] = s3;
        c[c0 + 4] = s4;
        c[c0 + 5] = s5;
        c[c0 + 6] = s6;
        c[c0 + 7] = s7;
    }

    @Override
    public void twoTiles(float[] a, int a0, int k, MemorySegment b, long b0, MemorySegment d, long d0, float[] c,
            int c0, boolean more) {
        tile(a, a0, k, 1, k, b, b0, c, c0, PANEL, more);
        tile(a, a0, k, 1, k, d, d0, c, c0 + PANEL, PANEL, more);
    }

    @Override
    public void narrowTile(float[] a, int a0, int aStride, int rows, PackedMatrix w, int panel, int panels, float[] c,
            int c0, int cStride) {
        for (int p = 0; p < panels; p++) {
            for (int r = 0; r < rows; r++) {
                if (w.type().quantized()) {
                    quantizedRow(a, a0 + r * aStride, w, panel + p, c, c0 + r * cStride + p * PANEL);
                } else {
                    narrowRow(a, a0 + r * aStride, w, panel + p, c, c0 + r * cStride + p * PANEL);
                }
            }
        }
    }

    private static void narrowRow(float[] a, int a0, PackedMatrix w, int panel, float[] c, int c0) {
        boolean half = w.type() == WeightType.F16;
        for (int j = 0; j < WORDS; j++) {
            float low = 0, high = 0;
            long at = panel * w.panelBytes() + (long) j * Integer.BYTES;
            for (int i = 0; i < w.inputs(); i++) {
                int word = w.data().get(JAVA_INT_UNALIGNED, at + i * NARROW_ROW_BYTES);
                float x = a[a0 + i];
                low = Math.fma(x, half ? Narrow.lowHalf(word) : Narrow.lowBfloat(word), low);
                high = Math.fma(x, half ? Narrow.highHalf(word) : Narrow.highBfloat(word), high);
            }
            c[c0 + j] = low;
            c[c0 + j + WORDS] = high;
        }
    }

    private static void quantizedRow(float[] a, int a0, PackedMatrix w, int panel, float[] c, int c0) {
        Narrow.Integers type = Narrow.Integers.of(w.type());
        for (int column = 0; column < PANEL; column++) {
            float sum = 0;
            long at = panel * w.panelBytes();
            for (int i = 0; i < w.inputs(); i += WeightType.BLOCK) {
                float scale = scale(w, at, column);
                at += NARROW_ROW_BYTES;
                for (int j = i; j < i + WeightType.BLOCK; j += type.inputs(), at += ROW_BYTES) {
                    int word = w.data().get(JAVA_INT_UNALIGNED, at + (long) column * Integer.BYTES);
                    for (int h = j; h < j + type.inputs(); h++, word = type.next(word)) {
                        sum = Math.fma(a[a0 + h], type.first(word, scale), sum);
                    }
                }
            }
            c[c0 + column] = sum;
        }
    }

    private static float scale(PackedMatrix w, long at, int column) {
        int word = w.data().get(JAVA_INT_UNALIGNED, at + column % WORDS * (long) Integer.BYTES);
        return column < WORDS ? Narrow.lowBfloat(word) : Narrow.highBfloat(word);
    }

    @Override
    public void widen(PackedMatrix w, int panel, MemorySegment out) {
        if (w.type().quantized()) {
            widenIntegers(w, panel, out);
        } else {
            widenHalves(w, panel, out);
        }
    }

    @Override
    public void widenBfloats(MemorySegment b, long b0, int rows, MemorySegment out) {
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < WORDS; j++) {
                int word = b.get(JAVA_INT_UNALIGNED, b0 + i * NARROW_ROW_BYTES + (long) j * Integer.BYTES);
                long to = i * ROW_BYTES + (long) j * Float.BYTES;
                out.set(JAVA_FLOAT_UNALIGNED, to, Narrow.lowBfloat(word));
                out.set(JAVA_FLOAT_UNALIGNED, to + NARROW_ROW_BYTES, Narrow.highBfloat(word));
            }
        }
    }

    private static void widenIntegers(PackedMatrix w, int panel, MemorySegment out) {
        Narrow.Integers type = Narrow.Integers.of(w.type());
        for (int column = 0; column < PANEL; column++) {
            long at = panel * w.panelBytes();
            long to = (long) column * Float.BYTES;
            for (int i = 0; i < w.inputs(); i += WeightType.BLOCK) {
                float scale = scale(w, at, column);
                at += NARROW_ROW_BYTES;
                for (int j = 0; j < WeightType.BLOCK; j += type.inputs(), at += ROW_BYTES) {
                    int word = w.data().get(JAVA_INT_UNALIGNED, at + (long) column * Integer.BYTES);
                    for (int h = 0; h < type.inputs(); h++, word = type.next(word), to += ROW_BYTES) {
                        out.set(JAVA_FLOAT_UNALIGNED, to, type.first(word, scale));
                    }
                }
            }
        }
    }

    private static void widenHalves(PackedMatrix w, int panel, MemorySegment out) {
        boolean half = w.type() == WeightType.F16;
        long from = panel * w.panelBytes();
        for (int i = 0; i < w.inputs(); i++) {
            for (int j = 0; j < WORDS; j++) {
                int word = w.data().get(JAVA_INT_UNALIGNED, from + i * NARROW_ROW_BYTES + (long) j * Integer.BYTES);
                long to = i * ROW_BYTES + (long) j * Float.BYTES;
                out.set(JAVA_FLOAT_UNALIGNED, to, half ? Narrow.lowHalf(word) : Narrow.lowBfloat(word));
                out.set(JAVA_FLOAT_UNALIGNED, to + NARROW_ROW_BYTES,
                        half ? Narrow.highHalf(word) : Narrow.highBfloat(word));
            }
        }
    }

    @Override
    public void finish(float[] c, int c0, int cStride, int rows, MemorySegment bias, long bias0, Activation activation,
            float[] residual) {
        for (int r = 0; r < rows; r++) {
            int row = c0 + r * cStride;
            for (int j = 0; j < PANEL; j++) {
                float y = c[row + j];
                if (bias != null) {
                    y += bias.get(JAVA_FLOAT_UNALIGNED, bias0 + (long) j * Float.BYTES);
                }
                if (activation != null) {
                    y = activate(activation, y);
                }
                if (residual != null) {
                    y += residual[row + j];
                }
                c[row + j] = y;
            }
        }
    }

    private static float activate(Activation activation, float x) {
        return switch (activation) {
            case GELU -> ScalarMath.gelu(x);
            case GELU_NEW -> ScalarMath.geluNew(x);
            case QUICK_GELU -> ScalarMath.quickGelu(x);
            case RELU -> ScalarMath.relu(x);
            case SILU -> ScalarMath.silu(x);
            case TANH -> ScalarMath.tanh(x);
        };
    }

    @Override
    public void layerNorm(float[] x, int x0, int n, MemorySegment gain, MemorySegment bias, float epsilon, float[] out,
            int out0) {
        float mean = Sums.of(x, x0, n) / n;
        float deviation = LayerNorms.reciprocalDeviation(Sums.ofSquaredDifferences(x, x0, n, mean) / n, epsilon);
        for (int i = 0; i < n; i++) {
            out[out0 + i] = LayerNorms.normalize(x[x0 + i], mean, deviation, gain, bias, i);
        }
    }

    @Override
    public float softmaxNumerators(float[] x, int x0, int n, float scale) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = x0; i < x0 + n; i++) {
            max = x[i] > max ? x[i] : max;
        }
        max *= scale;
        for (int i = x0; i < x0 + n; i++) {
            x[i] = ScalarMath.exp(x[i] * scale - max);
        }
        return Sums.of(x, x0, n);
    }

    @Override
    public void divide(float[] x, int x0, int n, float divisor, float[] out, int out0) {
        for (int i = 0; i < n; i++) {
            out[out0 + i] = x[x0 + i] / divisor;
        }
    }

    @Override
    public void copy(float[] x, int x0, int n, MemorySegment out, long out0) {
        MemorySegment.copy(x, x0, out, JAVA_FLOAT_UNALIGNED, out0, n);
    }
}
