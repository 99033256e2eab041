// What is done to each row of activations alone. A row has `columns` numbers and begins at a multiple of `stride`;
// neighbouring work-items have neighbouring columns. Rows are the first dimension of every launch: some drivers take no
// more than 65535 groups in the others.

#ifndef COLUMNS

// Kinds of weights, in the order of WeightType.
#define F32 0
#define F16 1
#define BF16 2
#define INT8 3
#define INT4 4

// Input k of output n of a packed matrix (PackedMatrix has the layout). Unlike in products the type is looked at as the
// kernel runs: an embedding's three tables may be of three types, and each number lies in a line of memory of its own,
// so that the reading takes all the time.
static inline float weight(global const uint* data, int type, int inputs, int k, int n) {
    const int c = n % 32;
    const size_t row = (size_t) (n / 32) * inputs + k;
    if (type == F32) {
        return as_float(data[row * 32 + c]);
    }
    if (type == F16) {
        return vload_half(row * 32 + c % 16 * 2 + c / 16, (global const half*) data);
    }
    if (type == BF16) {
        const uint word = data[row * 16 + c % 16];
        return c < 16 ? lowBfloat(word) : highBfloat(word);
    }
    const int bits = type == INT8 ? 8 : 4;
    const int inWord = 32 / bits;
    // 16 words of scales, then a row of 32 words for every inWord of the 32 inputs.
    global const uint* block = data + row / 32 * (16 + 32 * bits);
    const float scale = c < 16 ? lowBfloat(block[c % 16]) : highBfloat(block[c % 16]);
    const uint word = block[16 + k % 32 / inWord * 32 + c];
    const int q = (word >> (k % inWord * bits + 8) % 32) & ((1u << bits) - 1);
    return scale * (q - (1 << (bits - 1)));
}

// out[r] = tokens[ids[r]] + positions[positionIds[r]] + typeTable[types[r]]. Groups: (rows, pieces of a row).
//
// ids: all rows' token ids, then their positions, then their token types, -1 for none
kernel void embed(global const int* ids, global const uint* tokens, int tokensType,
        global const uint* positions, int positionsType, global const uint* typeTable, int typeTableType,
        int columns, global float* out, int stride) {
    const int k = get_group_id(1) * get_local_size(0) + get_local_id(0);
    const int row = get_group_id(0);
    const int rows = get_num_groups(0);
    if (k >= columns) {
        return;
    }
    float x = weight(tokens, tokensType, columns, k, ids[row])
            + weight(positions, positionsType, columns, k, ids[rows + row]);
    if (ids[2 * rows + row] >= 0) {
        x += weight(typeTable, typeTableType, columns, k, ids[2 * rows + row]);
    }
    out[(size_t) row * stride + k] = x;
}

// out[i] = x[rows[i]]. Groups: (count, pieces of a row).
kernel void gather(global const float* x, int xStride, global const int* rows, int columns, global float* out,
        int stride) {
    const int k = get_group_id(1) * get_local_size(0) + get_local_id(0);
    const int i = get_group_id(0);
    if (k < columns) {
        out[(size_t) i * stride + k] = x[(size_t) rows[i] * xStride + k];
    }
}

#else

// out = (x - mean) / sqrt(variance + epsilon) * gain + bias, the variance being the mean square of the differences.
// LANES work-items share a row of COLUMNS numbers, which are read once and kept in registers: out may be x. A group has
// LINES rows; those past the last work on its numbers once more and store nothing.
//
// -D COLUMNS  numbers of a row
// -D LANES    work-items of a row, a multiple of 16
// -D LINES    rows of a group
#define NUMBERS ((COLUMNS + LANES - 1) / LANES)

// The sum over a row's lanes, in a fixed order: each lane adds up every 16th number, then all those 16 sums. Two
// barriers instead of a tree's eight; neighbouring lanes read neighbouring or the same words.
static inline float rowSum(float x, int lane, local float* all, local float* few) {
    all[lane] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    float sum = 0;
    if (lane < 16) {
        for (int i = lane; i < LANES; i += 16) {
            sum += all[i];
        }
        few[lane] = sum;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    sum = 0;
    for (int i = 0; i < 16; i++) {
        sum += few[i];
    }
    return sum;
}

kernel __attribute__((reqd_work_group_size(LANES, LINES, 1)))
void layerNorm(global const float* x, int xStride, int rows, global const float* gain, global const float* bias,
        float epsilon, global float* out, int stride) {
    local float all[LINES][LANES];
    local float few[2][LINES][16];
    const int lane = get_local_id(0);
    const int line = get_local_id(1);
    const int row = get_group_id(0) * LINES + line;
    global const float* from = x + (size_t) min(row, rows - 1) * xStride;
    float numbers[NUMBERS];
    float sum = 0;
#pragma unroll
    for (int i = 0; i < NUMBERS; i++) {
        const int c = i * LANES + lane;
        numbers[i] = c < COLUMNS ? from[c] : 0.0f;
        sum += numbers[i];
    }
    const float mean = rowSum(sum, lane, all[line], few[0][line]) / COLUMNS;
    float squares = 0;
#pragma unroll
    for (int i = 0; i < NUMBERS; i++) {
        numbers[i] -= mean;
        if (i * LANES + lane < COLUMNS) {
            squares = MULTIPLY_ADD(numbers[i], numbers[i], squares);
        }
    }
    const float variance = rowSum(squares, lane, all[line], few[1][line]) / COLUMNS;
    const float factor = 1 / sqrt(variance + epsilon);
    if (row < rows) {
#pragma unroll
        for (int i = 0; i < NUMBERS; i++) {
            const int c = i * LANES + lane;
            if (c < COLUMNS) {
                out[(size_t) row * stride + c] = MULTIPLY_ADD(numbers[i] * factor, gain[c], bias[c]);
            }
        }
    }
}

#endif
