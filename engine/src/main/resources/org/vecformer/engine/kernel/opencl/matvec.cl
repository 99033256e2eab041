// out[rows x outputs] = activation(x W + bias) + residual for a few rows: the steps of decoding, which take as long as
// reading W takes.
//
//   x         rows of float32, xStride float4s apart (a row's floats are rounded up to a multiple of 32)
//   weights   a PackedMatrix: panels of 32 columns, each one stretch of memory
//   out       like x; whole panels are written, so a row's floats past its columns may change
//
// A work-group takes one panel, ROWS rows and one of get_num_groups(2) shares of the inputs. With several shares `out`
// is scratch memory, shares x rows x outputs, which addParts sums.
//
//   why so
//   Loads         A work-item loads 16 bytes at once, LOADS of them before it uses the first: enough in flight to keep
//                 the memory busy with a few hundred work-items a compute unit. Neighbours read neighbouring 16 bytes:
//                 LANES of them a row of the panel (64 or 128 bytes), and rows follow each other, so that a warp or
//                 wavefront reads whole 128-byte lines.
//   Every word    is used fully: 4 weights of F32, 8 of 16 bits, 16 of INT8, 32 of INT4 for each 16 bytes.
//   x             comes through the first-level cache: a work-item needs four inputs of a row at once, the same as its
//                 LANES neighbours. Local memory would be no faster and would need barriers between the loads of W.
//   Registers     ROWS x 4 sums (16 bits: x 8), the words in flight, four inputs of each row: for sm_80 ptxas takes 40 to
//                 58 for one row, up to 168 for eight, which therefore have smaller work-groups.
//   Sums          Work-items of a column add up through local memory, neighbours at neighbouring addresses (no bank
//                 conflicts), in an order that is fixed by the shape: the same bits in every run.
//
// Defines: WEIGHTS, ACTIVATION, ROWS (1 to 8), PORTION (inputs that a work-item takes at a time: 4 or 8; 32 of
// quantized types).

// Neighbours that share a row of a panel, 4 words each, and the float4s of columns that each of them sums.
#if SIXTEEN_BITS
#define LANES 4
#define HALVES 2
#else
#define LANES 8
#define HALVES 1
#endif

// In float4s, as every address here.
#define PANEL4 (PANEL / 4)

#if QUANTIZED
#define LOADS (BLOCK / INTEGERS)
#define SKIPPED (SCALE_WORDS / 4)
#else
#define LOADS PORTION
#define SKIPPED 0
#endif
#define PORTION_LENGTH (SKIPPED + LOADS * LANES)

// Adds the products of the input that is `component` of the four in `inputs4`, whose weights are in `words`; h says
// which integers of them.
#if SIXTEEN_BITS
#define ADD_INPUT(words, h, component) { \
        const float2 w0 = widen(words.s0), w1 = widen(words.s1), w2 = widen(words.s2), w3 = widen(words.s3); \
        const float4 low = (float4)(w0.x, w1.x, w2.x, w3.x), high = (float4)(w0.y, w1.y, w2.y, w3.y); \
        _Pragma("unroll") \
        for (int r = 0; r < ROWS; r++) { \
            const float4 factor = (float4)(inputs4[r].component); \
            sums[r][0] = MULTIPLY_ADD(factor, low, sums[r][0]); \
            sums[r][HALVES - 1] = MULTIPLY_ADD(factor, high, sums[r][HALVES - 1]); \
        } \
    }
#else
#if QUANTIZED
#define WIDENED(words, h) (float4)(integer(words.s0, h, scales.s0), integer(words.s1, h, scales.s1), \
        integer(words.s2, h, scales.s2), integer(words.s3, h, scales.s3))
#else
#define WIDENED(words, h) as_float4(words)
#endif
#define ADD_INPUT(words, h, component) { \
        const float4 w = WIDENED(words, h); \
        _Pragma("unroll") \
        for (int r = 0; r < ROWS; r++) { \
            sums[r][0] = MULTIPLY_ADD((float4)(inputs4[r].component), w, sums[r][0]); \
        } \
    }
#endif

// The weights of a portion's four inputs from 4q on.
#if WEIGHTS == WEIGHTS_INT8
#define WORDS(q, h) words[q], h
#elif WEIGHTS == WEIGHTS_INT4
#define WORDS(q, h) words[(q) / 2], (4 * ((q) % 2) + h)
#else
#define WORDS(q, h) words[4 * (q) + h], h
#endif
#define ADD(arguments, component) ADD_EXPANDED(arguments, component)
#define ADD_EXPANDED(words, h, component) ADD_INPUT(words, h, component)

kernel void matvec(global const float4 *restrict x, const int xStride, const int rows,
        global const uint4 *restrict weights, const int inputs, const int share,
        global const float4 *restrict bias, global const float4 *restrict residual, const int residualStride,
        global float4 *restrict out, const int outStride, local float4 *restrict scratch) {
    const int item = get_local_id(0);
    const int lane = item % LANES;
    const int slot = item / LANES;
    const int slots = get_local_size(0) / LANES;
    const int firstRow = get_group_id(0) * ROWS;
    const int panel = get_group_id(1);

    // A share is `share` portions.
    const int portions = inputs / PORTION;
    const int begin = get_group_id(2) * share;
    const int end = min(begin + share, portions);

    // Rows that there are not read the last one again; what they add up is not stored.
    int rowOfX[ROWS];
    float4 sums[ROWS][HALVES];
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        rowOfX[r] = min(firstRow + r, rows - 1) * xStride;
#pragma unroll
        for (int h = 0; h < HALVES; h++) {
            sums[r][h] = (float4)(0.0f);
        }
    }

#if QUANTIZED
    weights += (size_t) panel * portions * PORTION_LENGTH;
#else
    weights += (size_t) panel * inputs * LANES;
#endif
    for (int portion = begin + slot; portion < end; portion += slots) {
        global const uint4 *from = weights + (size_t) portion * PORTION_LENGTH;
        uint4 words[LOADS];
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            words[i] = from[SKIPPED + i * LANES + lane];
        }
#if QUANTIZED
        // Columns 0 to 15 have the low halves of the 16 words, columns 16 to 31 the high ones.
        const uint4 pairs = from[lane % 4];
        const float4 scales = as_float4(lane < 4 ? pairs << 16 : pairs & 0xFFFF0000u);
#endif
#pragma unroll
        for (int q = 0; q < PORTION / 4; q++) {
            float4 inputs4[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                inputs4[r] = x[rowOfX[r] + portion * (PORTION / 4) + q];
            }
            ADD(WORDS(q, 0), s0)
            ADD(WORDS(q, 1), s1)
            ADD(WORDS(q, 2), s2)
            ADD(WORDS(q, 3), s3)
        }
    }
#if !QUANTIZED
    // Inputs that fill no portion belong to the last share. Nothing past them is read: it may be anything.
    if (get_group_id(2) == get_num_groups(2) - 1) {
        for (int k = portions * PORTION + slot; k < inputs; k += slots) {
            const uint4 words = weights[(size_t) k * LANES + lane];
            float4 inputs4[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; r++) {
                inputs4[r].s0 = ((global const float *) (x + rowOfX[r]))[k];
            }
            ADD_INPUT(words, 0, s0)
        }
    }
#endif

    // Row by row the slots' sums into `parts` sums a column; then, of all rows together, these into one.
    local float *const ofSlots = (local float *) scratch;
    local float *const ofParts = ofSlots + slots * PANEL;
    const int parts = get_local_size(0) / PANEL;
    const int column = item % PANEL;
    const int part = item / PANEL;
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
        // Lane l has columns 4l to 4l + 3; of 16 bits also those 16 further.
#pragma unroll
        for (int h = 0; h < HALVES; h++) {
            scratch[slot * PANEL4 + h * LANES + lane] = sums[r][h];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        float sum = ofSlots[part * PANEL + column];
        for (int s = part + parts; s < slots; s += parts) {
            sum += ofSlots[s * PANEL + column];
        }
        ofParts[(r * parts + part) * PANEL + column] = sum;
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (int i = item; i < ROWS * PANEL4; i += get_local_size(0)) {
        const int row = firstRow + i / PANEL4;
        if (row < rows) {
            local const float4 *from = (local const float4 *) ofParts + i / PANEL4 * parts * PANEL4 + i % PANEL4;
            float4 sum = from[0];
            for (int p = 1; p < parts; p++) {
                sum += from[p * PANEL4];
            }
            const int column4 = panel * PANEL4 + i % PANEL4;
            const size_t outRow = get_group_id(2) * (size_t) rows + row;
            out[outRow * outStride + column4] =
                    finish(sum, column4, bias, residual, (size_t) row * residualStride);
        }
    }
}
