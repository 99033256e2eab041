// softmax(q K^T * scale) V over the pages of a key/value cache.
//
// qkv      rows of 3 * heads * HEAD_SIZE numbers: queries, keys, values, each with the heads side by side
// cache    a layer, rows of 32 numbers; page p has 32 positions, its head h begins at row (p * heads + h) * HEAD_ROWS:
//            keys    [HEAD_SIZE][32 positions]
//            values  [PANELS][32 positions][32 columns]
//          float32, or (BFLOAT16) 16 words a row: word j has number j in its low half, number j + 16 in its high half
// steps    what the host knows about the step: four ints for each row of the batch (its position, how many positions it
//          sees, where in steps its sequence's page table begins, 0), lists of work for each kernel, the page tables
//
// Keys lie as scores need them, with neighbouring work-items on neighbouring positions, and values as the output needs
// them, with neighbouring work-items on neighbouring columns: each kernel reads both as whole lines.
//
// The softmax runs along: a sum and a weighted sum of values relative to the largest score so far, which fade when a
// larger one comes (Milakov and Gimelshein, 2018, "Online normalizer calculation for softmax"; Dao et al., 2022,
// "FlashAttention"). As long as all scores are -infinity the reference is 0, so that no -infinity is taken from
// another. A position that a row does not see is never multiplied by its zero weight: it may hold NaN.
//
// Sums are added in a fixed order: the same numbers from run to run. Rows and tiles are the first dimension of every
// launch: some drivers take no more than 65535 groups in the others.
//
// -D HEAD_SIZE   numbers of a head, any
// -D BFLOAT16    1 where the cache has bfloat16, else 0
// -D TILE, ROWS  for attendTile alone: query rows of a group, and of a work-item: 2 or 4
// -D GROUP       for the others: work-items of a group, a multiple of 32
// -D ROLLED      on a CPU: unrolled loops keep a GPU's sums in registers, which PoCL takes minutes for

#ifdef ROLLED
#define UNROLL
#define UNROLL_4
#define UNROLL_8
#define UNROLL_16
#else
#define UNROLL _Pragma("unroll")
#define UNROLL_4 _Pragma("unroll 4")
#define UNROLL_8 _Pragma("unroll 8")
#define UNROLL_16 _Pragma("unroll 16")
#endif

#define PANELS ((HEAD_SIZE + PANEL - 1) / PANEL)
#define HEAD_ROWS (HEAD_SIZE + PANEL * PANELS)

#if BFLOAT16
typedef uint CACHED;
#define EACH 2  // numbers of a cached word
#define WORD_PART(word, e) ((e) == 0 ? lowBfloat(word) : highBfloat(word))
#else
typedef float CACHED;
#define EACH 1
#define WORD_PART(word, e) (word)
#endif
#define WORDS (PANEL / EACH)  // of a row of 32 numbers

// The row of 32 numbers that a page's keys of a head begin at, the first of HEAD_ROWS.
static inline size_t headRow(global const int* table, int page, int heads, int head) {
    return ((size_t) table[page] * heads + head) * HEAD_ROWS;
}

// What scores are relative to.
static inline float referenceOf(float largest) {
    return largest == -INFINITY ? 0.0f : largest;
}

#ifndef TILE

// Stores number `column` of a row. The 16 bits of a bfloat16 are stored alone: another work-item has the word's others.
static inline void put(global CACHED* cache, size_t row, int column, float x) {
#if BFLOAT16
    uint bits = as_uint(x);
    // To the nearest, ties to even; the quiet bit keeps a NaN from becoming an infinity.
    uint narrow = isnan(x) ? bits >> 16 | 0x40u : (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
    ((global ushort*) cache)[row * PANEL + column % WORDS * 2 + column / WORDS] = (ushort) narrow;
#else
    cache[row * PANEL + column] = x;
#endif
}

// Appends keys and values. A group has one head of up to 32 rows whose positions share a page. Keys turn in local
// memory: read along a row, written along the positions.
//
// Groups: (pieces, heads); the list has the first row and the number of rows of each piece.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void storeKeysAndValues(global const float* restrict qkv, int stride, int heads, global const int* restrict steps,
        int list, global CACHED* restrict cache) {
    local float keys[PANEL][PANEL + 1];
    const int lane = get_local_id(0) % PANEL;
    const int line = get_local_id(0) / PANEL;
    const int head = get_group_id(1);
    const int first = steps[list + 2 * get_group_id(0)];
    const int rows = steps[list + 2 * get_group_id(0) + 1];
    const int position = steps[4 * first];
    const int slot = position % PANEL;
    const size_t to = headRow(steps + steps[4 * first + 2], position / PANEL, heads, head);
    global const float* x = qkv + (size_t) first * stride + (heads + head) * HEAD_SIZE;
    for (int panel = 0; panel < PANELS; panel++) {
        const int d = panel * PANEL + lane;
        if (d < HEAD_SIZE) {
            for (int i = line; i < rows; i += GROUP / PANEL) {
                keys[lane][i] = x[(size_t) i * stride + d];
                put(cache, to + HEAD_SIZE + panel * PANEL + slot + i, lane,
                        x[(size_t) i * stride + heads * HEAD_SIZE + d]);
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        for (int i = line; i < min(PANEL, HEAD_SIZE - panel * PANEL); i += GROUP / PANEL) {
            if (lane < rows) {
                put(cache, to + panel * PANEL + i, slot + lane, keys[i][lane]);
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

// A query row against its context, or a part of it: for rows that are alone or few in their sequence, which is bound by
// the reading of the cache. WORDS neighbouring work-items have a page, the group GROUP / WORDS pages at a time. First
// they are its positions and take one score each (of bfloat16 two), then they are columns and add up the page's values.
// Each page group has a running softmax of its own; they are merged at the end, in their order.
//
// Groups: (rows of the list, heads, parts). With one part the group writes the output, with more of them what
// mergeParts adds up, so that a long context of few rows and heads fills the device, too.
//
// Every read is of a whole line of 128 bytes (of bfloat16 two of 64), and a work-item has 16 of them under way at a
// time: with one sequence the groups are few, so that waiting for memory is what a step's attention takes. 3 KB of
// local memory at a head size of 64.
//
// storing   not 0: the row's key and value are appended first. Only where no other row of the batch is in its sequence
// partials  for each row of the list, head and part: HEAD_SIZE weighted sums, the largest score, the sum of weights
#define PAGE_GROUPS (GROUP / WORDS)
#define PARTIAL (HEAD_SIZE + 2)
// Page groups of one wavefront read different banks of local memory.
#define SCORES (PANEL + 4)

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void attendRow(global const float* restrict qkv, int stride, int heads, global const int* restrict steps, int list,
        global CACHED* restrict cache, float scale, int partPages, int storing, global float* restrict out,
        int outStride, global float* restrict partials) {
    local float query[HEAD_SIZE];
    local float scores[PAGE_GROUPS][SCORES];
    local float weights[PAGE_GROUPS][SCORES];
    local float merged[PAGE_GROUPS][PANEL * PANELS];
    local float tops[PAGE_GROUPS];
    local float sums[GROUP];
    const int item = get_local_id(0);
    const int lane = item % WORDS;
    const int mine = item / WORDS;
    const int part = get_group_id(2);
    const int parts = get_num_groups(2);
    const int head = get_group_id(1);
    const int row = steps[list + get_group_id(0)];
    const int position = steps[4 * row];
    const int seen = steps[4 * row + 1];
    global const int* table = steps + steps[4 * row + 2];
    const int firstPage = part * partPages;
    const int lastPage = min(firstPage + partPages, (seen + PANEL - 1) / PANEL);
    if (firstPage >= lastPage) {
        return; // mergeParts knows how many parts a row has
    }
    global const float* x = qkv + (size_t) row * stride + head * HEAD_SIZE;
    for (int d = item; d < HEAD_SIZE; d += GROUP) {
        query[d] = x[d];
    }
    const int own = position / PANEL;
    if (storing && own >= firstPage && own < lastPage) {
        const size_t to = headRow(table, own, heads, head);
        for (int d = item; d < HEAD_SIZE; d += GROUP) {
            put(cache, to + d, position % PANEL, x[heads * HEAD_SIZE + d]);
            put(cache, to + HEAD_SIZE + d / PANEL * PANEL + position % PANEL, d % PANEL, x[2 * heads * HEAD_SIZE + d]);
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);

    float top = -INFINITY;
    float sum = 0;
    float acc[PANELS][EACH];
    UNROLL
    for (int p = 0; p < PANELS; p++) {
        UNROLL
        for (int e = 0; e < EACH; e++) {
            acc[p][e] = 0;
        }
    }
    for (int first = firstPage; first < lastPage; first += PAGE_GROUPS) {
        const int page = first + mine;
        const int count = page < lastPage ? min(PANEL, seen - page * PANEL) : 0;
        global const CACHED* rows = cache + (count > 0 ? headRow(table, page, heads, head) : 0) * WORDS + lane;
        float s[EACH];
        for (int e = 0; e < EACH; e++) {
            s[e] = 0;
        }
        if (count > 0) {
            UNROLL_16
            for (int d = 0; d < HEAD_SIZE; d++) {
                const CACHED word = rows[d * WORDS];
                for (int e = 0; e < EACH; e++) {
                    s[e] = MULTIPLY_ADD(query[d], WORD_PART(word, e), s[e]);
                }
            }
        }
        for (int e = 0; e < EACH; e++) {
            s[e] = lane + e * WORDS < count ? s[e] * scale : -INFINITY;
            scores[mine][lane + e * WORDS] = s[e];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        float largest = top;
        for (int j = 0; j < PANEL; j++) {
            largest = fmax(largest, scores[mine][j]);
        }
        const float reference = referenceOf(largest);
        const float fade = exp(top - reference);
        top = largest;
        sum *= fade;
        for (int e = 0; e < EACH; e++) {
            const float weight = exp(s[e] - reference);
            weights[mine][lane + e * WORDS] = weight;
            sum += weight;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL
        for (int p = 0; p < PANELS; p++) {
            UNROLL
            for (int e = 0; e < EACH; e++) {
                acc[p][e] *= fade;
            }
        }
        rows += HEAD_SIZE * WORDS;
        UNROLL_8
        for (int j = 0; j < count; j++) {
            const float weight = weights[mine][j];
            UNROLL
            for (int p = 0; p < PANELS; p++) {
                const CACHED word = rows[(p * PANEL + j) * WORDS];
                UNROLL
                for (int e = 0; e < EACH; e++) {
                    acc[p][e] = MULTIPLY_ADD(weight, WORD_PART(word, e), acc[p][e]);
                }
            }
        }
    }

    UNROLL
    for (int p = 0; p < PANELS; p++) {
        UNROLL
        for (int e = 0; e < EACH; e++) {
            merged[mine][p * PANEL + e * WORDS + lane] = acc[p][e];
        }
    }
    sums[item] = sum;
    if (lane == 0) {
        tops[mine] = top;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    float largest = tops[0];
    for (int g = 1; g < PAGE_GROUPS; g++) {
        largest = fmax(largest, tops[g]);
    }
    float total = 0;
    for (int g = 0; g < PAGE_GROUPS; g++) {
        float ofGroup = 0;
        for (int i = 0; i < WORDS; i++) {
            ofGroup += sums[g * WORDS + i];
        }
        total = MULTIPLY_ADD(exp(tops[g] - referenceOf(largest)), ofGroup, total);
    }
    global float* partial = partials + (((size_t) get_group_id(0) * heads + head) * parts + part) * PARTIAL;
    for (int c = item; c < HEAD_SIZE; c += GROUP) {
        float value = 0;
        for (int g = 0; g < PAGE_GROUPS; g++) {
            value = MULTIPLY_ADD(exp(tops[g] - referenceOf(largest)), merged[g][c], value);
        }
        if (parts == 1) {
            out[(size_t) row * outStride + head * HEAD_SIZE + c] = value / total;
        } else {
            partial[c] = value;
        }
    }
    if (parts > 1 && item == 0) {
        partial[HEAD_SIZE] = largest;
        partial[HEAD_SIZE + 1] = total;
    }
}

// Adds up what attendRow made of a row's parts. Groups of PANEL: (rows of the list, heads, panels of a head's columns).
kernel __attribute__((reqd_work_group_size(PANEL, 1, 1)))
void mergeParts(global const int* restrict steps, int list, int partPages, int parts,
        global const float* restrict partials, global float* restrict out, int outStride) {
    const int c = get_group_id(2) * PANEL + get_local_id(0);
    const int head = get_group_id(1);
    const int heads = get_num_groups(1);
    const int row = steps[list + get_group_id(0)];
    const int pages = (steps[4 * row + 1] + PANEL - 1) / PANEL;
    const int used = (pages + partPages - 1) / partPages;
    global const float* partial = partials + ((size_t) get_group_id(0) * heads + head) * parts * PARTIAL;
    if (c >= HEAD_SIZE) {
        return;
    }
    float largest = -INFINITY;
    for (int i = 0; i < used; i++) {
        largest = fmax(largest, partial[i * PARTIAL + HEAD_SIZE]);
    }
    float total = 0;
    float value = 0;
    for (int i = 0; i < used; i++) {
        const float fade = exp(partial[i * PARTIAL + HEAD_SIZE] - referenceOf(largest));
        total = MULTIPLY_ADD(fade, partial[i * PARTIAL + HEAD_SIZE + 1], total);
        value = MULTIPLY_ADD(fade, partial[i * PARTIAL + c], value);
    }
    out[(size_t) row * outStride + head * HEAD_SIZE + c] = value / total;
}

// The largest, or the sum, of what the group's work-items have.
static inline float reduced(local float* part, float x, bool largest) {
    const int item = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE);
    part[item] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    float y = part[0];
    for (int i = 1; i < GROUP; i++) {
        y = largest ? fmax(y, part[i]) : y + part[i];
    }
    return y;
}

// What each row's attention is, for whoever asked to see it: the probabilities of some rows and all heads. Nobody waits
// for it, so it is plain: three passes over a row, whose scores lie in the output itself.
//
// Groups: (rows, heads). out: [rows][heads][outStride], of which a row's first numbers count, as many as it sees
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void traceProbabilities(global const float* restrict qkv, int stride, int heads, global const int* restrict steps,
        int firstRow, global const CACHED* restrict cache, float scale, global float* restrict out, int outStride) {
    local float part[GROUP];
    const int item = get_local_id(0);
    const int head = get_group_id(1);
    const int row = firstRow + get_group_id(0);
    const int seen = steps[4 * row + 1];
    global const int* table = steps + steps[4 * row + 2];
    global const float* query = qkv + (size_t) row * stride + head * HEAD_SIZE;
    global float* p = out + ((size_t) get_group_id(0) * heads + head) * outStride;
    float largest = -INFINITY;
    for (int position = item; position < seen; position += GROUP) {
        global const CACHED* keys = cache + headRow(table, position / PANEL, heads, head) * WORDS;
        const int slot = position % PANEL;
        float s = 0;
        for (int d = 0; d < HEAD_SIZE; d++) {
            s = MULTIPLY_ADD(query[d], WORD_PART(keys[d * WORDS + slot % WORDS], slot / WORDS), s);
        }
        p[position] = s * scale;
        largest = fmax(largest, s * scale);
    }
    const float reference = referenceOf(reduced(part, largest, true));
    float sum = 0;
    for (int position = item; position < seen; position += GROUP) {
        const float weight = exp(p[position] - reference);
        p[position] = weight;
        sum += weight;
    }
    const float total = reduced(part, sum, false);
    for (int position = item; position < seen; position += GROUP) {
        p[position] /= total;
    }
}

#else

// TILE query rows of a sequence against all pages that the last of them sees: for prompts and encoders, bound by
// arithmetic. Groups: (tiles, heads); the list has the first row and the number of rows of each tile.
//
// Work-item (x of 8, y) has rows y * ROWS.. and in each row of 32 numbers four neighbours, 4x..: of the scores four
// positions, of the output four columns in each panel, all in registers. A page's keys, then its values, pass through
// 4 KB of local memory in chunks of 32 rows of 32 numbers; the next chunk is on its way in registers while one is
// worked on, so a page costs two barriers for each chunk and one for the largest scores. The weights change hands in
// local memory, too: whoever had positions needs all positions of its rows.
//
//   head size               64            128   256
//   TILE, ROWS              64, 4  16, 2  32, 4  32, 2
//   work-items               128     64     64    128
//   local memory, KB          32     12     28     46
//   sums in registers         32     16     64     64
//
// For 16 multiply-adds of scores two loads of 16 bytes from local memory, for 16 of the output one and a fraction.
#define ACROSS 8
#define TILE_GROUP (TILE / ROWS * ACROSS)
// Aligned for loads of four rows, while the lines that a wavefront writes to begin in different banks.
#define TILE_STRIDE (TILE + 4)
#define LOADS (PANEL * WORDS / 4 / TILE_GROUP)  // of 16 bytes, for a chunk

#if BFLOAT16
typedef uint4 CACHED4;
#else
typedef float4 CACHED4;
#endif

#if ROWS == 4
#define LOAD_ROWS(from, x) vstore4(*(local const float4*) (from), 0, x)
#else
#define LOAD_ROWS(from, x) vstore2(*(local const float2*) (from), 0, x)
#endif

static inline void fetch(global const CACHED* rows, int item, CACHED4* fetched) {
    UNROLL
    for (int i = 0; i < LOADS; i++) {
        fetched[i] = ((global const CACHED4*) rows)[i * TILE_GROUP + item];
    }
}

static inline void unpack(const CACHED4* fetched, int item, local float* chunk) {
    UNROLL
    for (int i = 0; i < LOADS; i++) {
#if BFLOAT16
        const int at = i * TILE_GROUP + item;
        local float4* row = (local float4*) (chunk + at / (WORDS / 4) * PANEL);
        row[at % (WORDS / 4)] = as_float4(fetched[i] << 16);
        row[at % (WORDS / 4) + WORDS / 4] = as_float4(fetched[i] & 0xFFFF0000u);
#else
        ((local float4*) chunk)[i * TILE_GROUP + item] = fetched[i];
#endif
    }
}

kernel __attribute__((reqd_work_group_size(TILE_GROUP, 1, 1)))
void attendTile(global const float* restrict qkv, int stride, int heads, global const int* restrict steps, int list,
        global const CACHED* restrict cache, float scale, global float* restrict out, int outStride) {
    local float queries[HEAD_SIZE * TILE_STRIDE] __attribute__((aligned(16)));
    local float weights[PANEL * TILE_STRIDE] __attribute__((aligned(16)));
    local float chunk[PANEL * PANEL] __attribute__((aligned(16)));
    local float shared[TILE * ACROSS];
    const int item = get_local_id(0);
    const int x = item % ACROSS;
    const int y = item / ACROSS * ROWS;
    const int head = get_group_id(1);
    const int first = steps[list + 2 * get_group_id(0)];
    const int rows = steps[list + 2 * get_group_id(0) + 1];
    global const int* table = steps + steps[4 * first + 2];
    const int seenByFirst = steps[4 * first + 1];
    const int pages = (steps[4 * (first + rows - 1) + 1] + PANEL - 1) / PANEL;

    CACHED4 fetched[LOADS];
    global const CACHED* from = cache + headRow(table, 0, heads, head) * WORDS;
    fetch(from, item, fetched);
    // Rows past the last are the last once more, and are not written.
    for (int i = item; i < TILE * HEAD_SIZE; i += TILE_GROUP) {
        const int r = i / HEAD_SIZE;
        const int d = i % HEAD_SIZE;
        queries[d * TILE_STRIDE + r] = qkv[(size_t) (first + min(r, rows - 1)) * stride + head * HEAD_SIZE + d];
    }
    int seen[ROWS];
    float top[ROWS];
    float sum[ROWS];
    float4 acc[ROWS][PANELS];
    UNROLL
    for (int r = 0; r < ROWS; r++) {
        seen[r] = steps[4 * (first + min(y + r, rows - 1)) + 1];
        top[r] = -INFINITY;
        sum[r] = 0;
        UNROLL
        for (int p = 0; p < PANELS; p++) {
            acc[r][p] = 0;
        }
    }

    for (int page = 0; page < pages; page++) {
        const int base = page * PANEL;
        const bool whole = base + PANEL <= seenByFirst;
        float4 s[ROWS];
        UNROLL
        for (int r = 0; r < ROWS; r++) {
            s[r] = 0;
        }
        for (int p = 0; p < PANELS; p++) {
            barrier(CLK_LOCAL_MEM_FENCE);
            unpack(fetched, item, chunk);
            barrier(CLK_LOCAL_MEM_FENCE);
            // The values follow the keys. A last chunk of keys has some of them at its end, which nobody looks at.
            fetch(from + min((p + 1) * PANEL, HEAD_SIZE) * WORDS, item, fetched);
            const int count = min(PANEL, HEAD_SIZE - p * PANEL);
            local const float* q = queries + p * PANEL * TILE_STRIDE + y;
            UNROLL_4
            for (int d = 0; d < count; d++) {
                const float4 k = ((local const float4*) chunk)[d * ACROSS + x];
                float query[ROWS];
                LOAD_ROWS(q + d * TILE_STRIDE, query);
                UNROLL
                for (int r = 0; r < ROWS; r++) {
                    s[r] = MULTIPLY_ADD((float4) query[r], k, s[r]);
                }
            }
        }

        const int4 positions = base + 4 * x + (int4) (0, 1, 2, 3);
        UNROLL
        for (int r = 0; r < ROWS; r++) {
            s[r] *= scale;
            if (!whole) {
                s[r] = select((float4) (-INFINITY), s[r], positions < (int4) seen[r]);
            }
            shared[(y + r) * ACROSS + x] = fmax(fmax(s[r].x, s[r].y), fmax(s[r].z, s[r].w));
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL
        for (int r = 0; r < ROWS; r++) {
            float largest = top[r];
            UNROLL
            for (int i = 0; i < ACROSS; i++) {
                largest = fmax(largest, shared[(y + r) * ACROSS + i]);
            }
            const float reference = referenceOf(largest);
            const float fade = exp(top[r] - reference);
            const float4 weight = exp(s[r] - reference);
            top[r] = largest;
            sum[r] = MULTIPLY_ADD(sum[r], fade, (weight.x + weight.y) + (weight.z + weight.w));
            UNROLL
            for (int p = 0; p < PANELS; p++) {
                acc[r][p] *= fade;
            }
            weights[(4 * x + 0) * TILE_STRIDE + y + r] = weight.x;
            weights[(4 * x + 1) * TILE_STRIDE + y + r] = weight.y;
            weights[(4 * x + 2) * TILE_STRIDE + y + r] = weight.z;
            weights[(4 * x + 3) * TILE_STRIDE + y + r] = weight.w;
        }

        global const CACHED* values = from + HEAD_SIZE * WORDS;
        from = cache + headRow(table, min(page + 1, pages - 1), heads, head) * WORDS;
        UNROLL
        for (int p = 0; p < PANELS; p++) {
            barrier(CLK_LOCAL_MEM_FENCE);
            unpack(fetched, item, chunk);
            barrier(CLK_LOCAL_MEM_FENCE);
            fetch(p + 1 < PANELS ? values + (p + 1) * PANEL * WORDS : from, item, fetched);
            if (whole) {
                UNROLL_4
                for (int j = 0; j < PANEL; j++) {
                    const float4 v = ((local const float4*) chunk)[j * ACROSS + x];
                    float weight[ROWS];
                    LOAD_ROWS(weights + j * TILE_STRIDE + y, weight);
                    UNROLL
                    for (int r = 0; r < ROWS; r++) {
                        acc[r][p] = MULTIPLY_ADD((float4) weight[r], v, acc[r][p]);
                    }
                }
            } else {
                for (int j = 0; j < PANEL; j++) {
                    const float4 v = ((local const float4*) chunk)[j * ACROSS + x];
                    float weight[ROWS];
                    LOAD_ROWS(weights + j * TILE_STRIDE + y, weight);
                    UNROLL
                    for (int r = 0; r < ROWS; r++) {
                        if (base + j < seen[r]) {
                            acc[r][p] = MULTIPLY_ADD((float4) weight[r], v, acc[r][p]);
                        }
                    }
                }
            }
        }
    }

    UNROLL
    for (int r = 0; r < ROWS; r++) {
        shared[(y + r) * ACROSS + x] = sum[r];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    UNROLL
    for (int r = 0; r < ROWS; r++) {
        float total = 0;
        UNROLL
        for (int i = 0; i < ACROSS; i++) {
            total += shared[(y + r) * ACROSS + i];
        }
        if (y + r < rows) {
            global float* o = out + (size_t) (first + y + r) * outStride + head * HEAD_SIZE;
            UNROLL
            for (int p = 0; p < PANELS; p++) {
                const float4 value = acc[r][p] / total;
                const int c = p * PANEL + 4 * x;
                if (c < HEAD_SIZE) {
                    o[c] = value.x;
                }
                if (c + 1 < HEAD_SIZE) {
                    o[c + 1] = value.y;
                }
                if (c + 2 < HEAD_SIZE) {
                    o[c + 2] = value.z;
                }
                if (c + 3 < HEAD_SIZE) {
                    o[c + 3] = value.w;
                }
            }
        }
    }
}

#endif

