// out[rows x outputs] = activation(x W + bias) + residual for many rows: prompts and batches, which take as long as
// their multiply-adds take.
//
//   x         rows of float32, xStride float4s apart (a row's floats are rounded up to a multiple of 32)
//   weights   a PackedMatrix: panels of 32 columns, each one stretch of memory
//   out       like x; whole panels are written, so a row's floats past its columns may change
//
// A work-group makes TILE_ROWS x TILE_COLUMNS numbers of out, a work-item ITEM_ROWS x ITEM_COLUMNS of them in registers;
// the inputs pass by in steps of 16 through two tiles in local memory. With several shares of the inputs
// (get_num_groups(2)) `out` is scratch memory, shares x rows x outputs, which addParts sums.
//
//   tile (rows x columns)   128 x 128   64 x 64   32 x 32
//   numbers of a work-item    8 x 8      8 x 4     4 x 4
//   work-items                  256       128        64
//   local memory            16.5 KiB   8.3 KiB   4.3 KiB
//   multiply-adds a float4
//   read from local memory       16     10.7         8
//   multiply-adds a float
//   read from global memory      64       32        16
//   registers, about            112       72        56
//
//   why so
//   Registers     64 sums a work-item is what lets multiply-adds, and not local memory, be the limit; more would leave
//                 too few work-items on a compute unit. Where a grid of such tiles would leave compute units idle, smaller
//                 ones trade that for work on all of them (MatmulPlan chooses).
//   Fetching      In each step a work-item fetches eight numbers of x and eight weights, by loads of 16 bytes where it
//                 can: they are asked for before a step's multiply-adds and widened and stored after them, so the memory
//                 works meanwhile. One tile of each in local memory: a second one would save a barrier of two per
//                 1024 multiply-adds and cost half the work-groups that fit a compute unit.
//   Coalescing    x: four neighbours read 64 bytes of a row. W: neighbours read neighbouring words of a panel, whose rows
//                 follow each other: at least 64, mostly 128 bytes.
//   Banks         Neighbours read neighbouring float4s of a row of W's tile, or all the same one; x's tile is kept by
//                 inputs, so that a work-item reads four rows at once, and all of a warp one or two float4s. Its rows are
//                 padded by a float4: its stores, one in 64 accesses, meet in two, without it in four.
//   Widening      once per weight and work-group, on the way to local memory.
//   Order         tiles of rows are the fastest dimension of the grid: work-groups that run together share panels of W.
//
// Defines: WEIGHTS, ACTIVATION, ITEM_ROWS and ITEM_COLUMNS (4 or 8), TILE_COLUMNS (a multiple of 32).

// Inputs of a step.
#define STEP 16
// Such that a work-item has eight weights to fetch: STEP * TILE_COLUMNS = 8 * ITEMS.
#define TILE_ROWS (2 * ITEM_ROWS * ITEM_COLUMNS)
#define ITEMS (2 * TILE_COLUMNS)

// In float4s.
#define PANEL4 (PANEL / 4)
#define TILE_COLUMNS4 (TILE_COLUMNS / 4)
#define X_TILE_STRIDE (TILE_ROWS / 4 + 1)
#define ACROSS (TILE_COLUMNS / ITEM_COLUMNS)
#define DOWN (TILE_ROWS / ITEM_ROWS)
#define X_LOADS (TILE_ROWS * STEP / 4 / ITEMS)

// ---- Eight weights on their way to local memory ----
// An item's place among those that fetch from the same panel: 64 times eight weights of 16 inputs.
#define ITEMS_OF_PANEL (STEP * PANEL / 8)

#if WEIGHTS == WEIGHTS_F32

// Four columns of two inputs.
typedef struct {
    float4 first;
    float4 second;
} Fetched;

static inline Fetched fetch(global const void *weights, int inputs, int panel, int k, int i) {
    global const float4 *from = (global const float4 *) weights + (size_t) panel * inputs * PANEL4;
    const int input = k + i / 8 * 2;
    Fetched fetched;
    fetched.first = input < inputs ? from[(size_t) input * PANEL4 + i % 8] : (float4)(0.0f);
    fetched.second = input + 1 < inputs ? from[(size_t) (input + 1) * PANEL4 + i % 8] : (float4)(0.0f);
    return fetched;
}

static inline void store(Fetched fetched, local float4 *to, int k, int i) {
    const int at = i / 8 * 2 * TILE_COLUMNS4 + i % 8;
    to[at] = fetched.first;
    to[at + TILE_COLUMNS4] = fetched.second;
}

#elif SIXTEEN_BITS

// Eight columns of an input: four, and the four that are 16 further.
typedef uint4 Fetched;

static inline Fetched fetch(global const void *weights, int inputs, int panel, int k, int i) {
    global const uint4 *from = (global const uint4 *) weights + (size_t) panel * inputs * 4;
    const int input = k + i / 4;
    return input < inputs ? from[(size_t) input * 4 + i % 4] : (uint4)(0);
}

static inline void store(Fetched fetched, local float4 *to, int k, int i) {
    const float2 w0 = widen(fetched.s0);
    const float2 w1 = widen(fetched.s1);
    const float2 w2 = widen(fetched.s2);
    const float2 w3 = widen(fetched.s3);
    const int at = i / 4 * TILE_COLUMNS4 + i % 4;
    to[at] = (float4)(w0.x, w1.x, w2.x, w3.x);
    to[at + 4] = (float4)(w0.y, w1.y, w2.y, w3.y);
}

#elif WEIGHTS == WEIGHTS_INT8

// Two columns of four inputs, and the words that have their scales.
typedef uint4 Fetched;

static inline Fetched fetch(global const void *weights, int inputs, int panel, int k, int i) {
    global const uint2 *block = (global const uint2 *) weights
            + ((size_t) panel * (inputs / BLOCK) + k / BLOCK) * (BLOCK_WORDS / 2);
    return (uint4)(block[SCALE_WORDS / 2 + (k % BLOCK / 4 + i / 16) * (PANEL / 2) + i % 16], block[i % 8]);
}

static inline void store(Fetched fetched, local float4 *to, int k, int i) {
    const uint2 scales = i % 16 < 8 ? fetched.hi << 16 : fetched.hi & 0xFFFF0000u;
    local float2 *at = (local float2 *) to + i / 16 * 4 * (TILE_COLUMNS / 2) + i % 16;
#pragma unroll
    for (int h = 0; h < 4; h++) {
        at[h * (TILE_COLUMNS / 2)] = (float2)(integer(fetched.s0, h, as_float(scales.s0)),
                integer(fetched.s1, h, as_float(scales.s1)));
    }
}

#else

// A column of eight inputs, and the word that has its scale.
typedef uint2 Fetched;

static inline Fetched fetch(global const void *weights, int inputs, int panel, int k, int i) {
    global const uint *block = (global const uint *) weights
            + ((size_t) panel * (inputs / BLOCK) + k / BLOCK) * BLOCK_WORDS;
    return (uint2)(block[SCALE_WORDS + (k % BLOCK / 8 + i / 32) * PANEL + i % 32], block[i % 16]);
}

static inline void store(Fetched fetched, local float4 *to, int k, int i) {
    const float scale = i % 32 < 16 ? lowBfloat(fetched.s1) : highBfloat(fetched.s1);
    local float *at = (local float *) to + i / 32 * 8 * TILE_COLUMNS + i % 32;
#pragma unroll
    for (int h = 0; h < 8; h++) {
        at[h * TILE_COLUMNS] = integer(fetched.s0, h, scale);
    }
}

#endif

// Four numbers of x from input k on; zeros for inputs that there are not, whatever the padding holds.
static inline float4 clipped(float4 four, int inputs, int k) {
    return (float4)(k < inputs ? four.s0 : 0.0f, k + 1 < inputs ? four.s1 : 0.0f, k + 2 < inputs ? four.s2 : 0.0f,
            k + 3 < inputs ? four.s3 : 0.0f);
}

// Adds one number of x, of row r of an item's rows, times the item's columns of an input.
#define ADD_ROW(r, number) \
    _Pragma("unroll") \
    for (int j = 0; j < ITEM_COLUMNS / 4; j++) { \
        sums[r][j] = MULTIPLY_ADD((float4)(number), w[j], sums[r][j]); \
    }

kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
void matmul(global const float4 *restrict x, const int xStride, const int rows,
        global const void *restrict weights, const int inputs, const int share, const int panels,
        global const float4 *restrict bias, global const float4 *restrict residual, const int residualStride,
        global float4 *restrict out, const int outStride) {
    local float4 xTile[STEP * X_TILE_STRIDE];
    local float4 wTile[STEP * TILE_COLUMNS4];

    const int item = get_local_id(0);
    const int firstRow = get_group_id(0) * TILE_ROWS;
    const int firstPanel = get_group_id(1) * (TILE_COLUMNS / PANEL);
    // A share is `share` inputs, whole steps.
    const int begin = get_group_id(2) * share;
    const int end = min(begin + share, inputs);

    // What this item fetches. Rows and panels that there are not are the last one again, and not stored to out.
    const int panelOfTile = item / ITEMS_OF_PANEL;
    const int panel = min(firstPanel + panelOfTile, panels - 1);
    const int quarter = item % 4 * 4;
    local float4 *const wTo = wTile + panelOfTile * PANEL4;
    local float *const xTo = (local float *) xTile + quarter * X_TILE_STRIDE * 4 + item / 4;
    global const float4 *xRows[X_LOADS];
#pragma unroll
    for (int i = 0; i < X_LOADS; i++) {
        xRows[i] = x + (size_t) min(firstRow + item / 4 + i * (ITEMS / 4), rows - 1) * xStride;
    }

    // What it computes: columns in fours, `ACROSS` fours apart, rows likewise.
    const int across = item % ACROSS;
    const int down = item / ACROSS;
    float4 sums[ITEM_ROWS][ITEM_COLUMNS / 4];
#pragma unroll
    for (int r = 0; r < ITEM_ROWS; r++) {
#pragma unroll
        for (int j = 0; j < ITEM_COLUMNS / 4; j++) {
            sums[r][j] = (float4)(0.0f);
        }
    }

    Fetched fetchedW = fetch(weights, inputs, panel, begin, item % ITEMS_OF_PANEL);
    float4 fetchedX[X_LOADS];
#pragma unroll
    for (int i = 0; i < X_LOADS; i++) {
        fetchedX[i] = xRows[i][(begin + quarter) / 4];
    }
    for (int k = begin; k < end; k += STEP) {
        // Nobody may still be reading the step before.
        barrier(CLK_LOCAL_MEM_FENCE);
        store(fetchedW, wTo, k, item % ITEMS_OF_PANEL);
#pragma unroll
        for (int i = 0; i < X_LOADS; i++) {
            local float *const to = xTo + i * (ITEMS / 4);
            const float4 four = clipped(fetchedX[i], inputs, k + quarter);
            to[0] = four.s0;
            to[X_TILE_STRIDE * 4] = four.s1;
            to[X_TILE_STRIDE * 8] = four.s2;
            to[X_TILE_STRIDE * 12] = four.s3;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        if (k + STEP < end) {
            fetchedW = fetch(weights, inputs, panel, k + STEP, item % ITEMS_OF_PANEL);
#pragma unroll
            for (int i = 0; i < X_LOADS; i++) {
                fetchedX[i] = xRows[i][(k + STEP + quarter) / 4];
            }
        }
#pragma unroll 2
        for (int step = 0; step < STEP; step++) {
            float4 w[ITEM_COLUMNS / 4];
#pragma unroll
            for (int j = 0; j < ITEM_COLUMNS / 4; j++) {
                w[j] = wTile[step * TILE_COLUMNS4 + j * ACROSS + across];
            }
#pragma unroll
            for (int i = 0; i < ITEM_ROWS / 4; i++) {
                const float4 four = xTile[step * X_TILE_STRIDE + i * DOWN + down];
                ADD_ROW(4 * i, four.s0)
                ADD_ROW(4 * i + 1, four.s1)
                ADD_ROW(4 * i + 2, four.s2)
                ADD_ROW(4 * i + 3, four.s3)
            }
        }
    }

#pragma unroll
    for (int r = 0; r < ITEM_ROWS; r++) {
        const int row = firstRow + (r / 4 * DOWN + down) * 4 + r % 4;
        if (row < rows) {
            const size_t outRow = get_group_id(2) * (size_t) rows + row;
#pragma unroll
            for (int j = 0; j < ITEM_COLUMNS / 4; j++) {
                const int column = firstPanel * PANEL4 + j * ACROSS + across;
                if (column < panels * PANEL4) {
                    out[outRow * outStride + column] =
                            finish(sums[r][j], column, bias, residual, (size_t) row * residualStride);
                }
            }
        }
    }
}
