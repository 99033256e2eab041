// Prepended to every program: the multiply-add, the widening of packed weights, the activations.
//
// OpenCL C 1.2, no extension. What differs between variants is chosen by -D at compile time, so that no branch is left:
//   WEIGHTS=WEIGHTS_F32, _F16, _BF16, _INT8 or _INT4     how the program's packed numbers are kept
//   ACTIVATION=ACTIVATION_GELU, ...                      what finish applies; left out: nothing
// Layouts are those of the Java records PackedMatrix and KeyValuePages.

#ifdef FP_FAST_FMAF
#define MULTIPLY_ADD(a, b, c) fma(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

// The columns of a panel; the stride of a row of activations is a multiple of it.
#define PANEL 32
// Inputs of a quantized block.
#define BLOCK 32

#define WEIGHTS_F32 1
#define WEIGHTS_F16 2
#define WEIGHTS_BF16 3
#define WEIGHTS_INT8 4
#define WEIGHTS_INT4 5

#define ACTIVATION_NONE 0
#define ACTIVATION_GELU 1
#define ACTIVATION_GELU_NEW 2
#define ACTIVATION_QUICK_GELU 3
#define ACTIVATION_RELU 4
#define ACTIVATION_SILU 5
#define ACTIVATION_TANH 6

#ifndef WEIGHTS
#define WEIGHTS 0
#endif
#ifndef ACTIVATION
#define ACTIVATION ACTIVATION_NONE
#endif

#define SIXTEEN_BITS (WEIGHTS == WEIGHTS_F16 || WEIGHTS == WEIGHTS_BF16)
#define QUANTIZED (WEIGHTS == WEIGHTS_INT8 || WEIGHTS == WEIGHTS_INT4)

// ---- Widening: exact, every number becomes the float32 that it stands for ----

static inline float lowBfloat(uint word) {
    return as_float(word << 16);
}

static inline float highBfloat(uint word) {
    return as_float(word & 0xFFFF0000u);
}

// The two halves of a word, low one first. vload_half is in every OpenCL C: a pointer to half needs no extension.
static inline float2 halves(uint word) {
    return vload_half2(0, (const half *) &word);
}

#if SIXTEEN_BITS
// A word has column j in its low half and column j + 16 in its high half.
static inline float2 widen(uint word) {
#if WEIGHTS == WEIGHTS_F16
    return halves(word);
#else
    return (float2)(lowBfloat(word), highBfloat(word));
#endif
}
#endif

#if QUANTIZED
#if WEIGHTS == WEIGHTS_INT8
#define INTEGER_BITS 8
#define INTEGER_MASK 0xFF00u
#define INTEGER_OFFSET -32896.0f
#else
#define INTEGER_BITS 4
#define INTEGER_MASK 0xF00u
#define INTEGER_OFFSET -32776.0f
#endif
// Inputs of a column that a word has.
#define INTEGERS (32 / INTEGER_BITS)
// Words of a block: the scales as a row of bfloat16, then the integers.
#define SCALE_WORDS 16
#define BLOCK_WORDS (SCALE_WORDS + BLOCK / INTEGERS * PANEL)

// Integer h of a word, times its scale. Words are kept rotated left by 8: or-ed into the significand of 2^15 a number
// that begins at bit 8 gives 2^15 + number without a conversion, which GPUs do at a quarter of their rate. Product and
// sum are exact, fused or not: 16 significant bits times the 8 of a bfloat16.
static inline float integer(uint word, int h, float scale) {
    const float shifted = as_float((rotate(word, (uint) (32 - h * INTEGER_BITS)) & INTEGER_MASK) | 0x47000000u);
    return MULTIPLY_ADD(shifted, scale, INTEGER_OFFSET * scale);
}
#endif

// ---- Activations. Clamping where the result is zero in float32 keeps 0 * infinity away; NaN stays NaN ----

static inline float sigmoid(float x) {
    return 1.0f / (1.0f + exp(-x));
}

static inline float activate(float x) {
#if ACTIVATION == ACTIVATION_GELU
    // erfc, not 1 + erf: no cancellation for negative x.
    const float c = x < -15.0f ? -15.0f : x;
    return 0.5f * c * erfc(c * -M_SQRT1_2_F);
#elif ACTIVATION == ACTIVATION_GELU_NEW
    // x (1 + tanh u) / 2 = x sigmoid(2u), the same without cancellation.
    const float c = x < -20.0f ? -20.0f : x;
    return c * sigmoid(c * MULTIPLY_ADD(0.07135481282553145f, c * c, 1.5957691216057308f));
#elif ACTIVATION == ACTIVATION_QUICK_GELU
    const float c = x < -60.0f ? -60.0f : x;
    return c * sigmoid(1.702f * c);
#elif ACTIVATION == ACTIVATION_RELU
    return x < 0.0f ? 0.0f : x;
#elif ACTIVATION == ACTIVATION_SILU
    const float c = x < -104.0f ? -104.0f : x;
    return c * sigmoid(c);
#elif ACTIVATION == ACTIVATION_TANH
    return tanh(x);
#else
    return x;
#endif
}

static inline float4 activate4(float4 x) {
    return (float4)(activate(x.s0), activate(x.s1), activate(x.s2), activate(x.s3));
}

// activation(sum + bias) + residual of four neighbouring columns, from the float4 at `column` on. What is not there is a
// null pointer: two tests a result, of which a work-item makes a handful, that every work-item decides alike.
static inline float4 finish(float4 sum, int column, global const float4 *bias, global const float4 *residual,
        size_t residualRow) {
    if (bias) {
        sum += bias[column];
    }
    sum = activate4(sum);
    if (residual) {
        sum += residual[residualRow + column];
    }
    return sum;
}
