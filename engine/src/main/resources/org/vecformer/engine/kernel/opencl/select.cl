// What is wanted of a row of logits: its largest numbers, or the logarithm of its sum of exponentials, so that the host
// reads some bytes and never the row.
//
// A number's rank is an integer that is in the same order as the numbers: -0 and 0 are one, NaN is below all. A key is
// a number's rank and, in its low half, its inverted index: keys are never equal, and of equal numbers the one of the
// lower index is the larger key. So the same keys are chosen whatever the order in which they are looked at. 0 is no
// number's key. In global memory a key is two ints, rank and inverted index, whatever the byte order of device and
// host.
//
// -D GROUP  work-items of a group, a power of 2

#define SORTED 2048  // keys that a group sorts: 16 KB of local memory

static inline ulong keyOf(float x, uint index) {
    const uint bits = x == 0 ? 0 : as_uint(x);
    const uint rank = isnan(x) ? 0 : bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    return (ulong) rank << 32 | ~index;
}

static inline uint2 inHalves(ulong key) {
    return (uint2) ((uint) (key >> 32), (uint) key);
}

// The largest key of each slice of the first rows. Groups: (slices, rows). The host takes the largest of a row's
// slices.
//
// out: [rows][slices]
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void highest(global const float* x, int stride, int columns, int slice, global uint2* out) {
    local ulong keys[GROUP];
    const int item = get_local_id(0);
    const int from = get_group_id(0) * slice;
    const int to = min(columns, from + slice);
    global const float* row = x + (size_t) get_group_id(1) * stride;
    ulong key = 0;
    for (int c = from + item; c < to; c += GROUP) {
        key = max(key, keyOf(row[c], c));
    }
    keys[item] = key;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int others = GROUP / 2; others > 0; others /= 2) {
        if (item < others) {
            keys[item] = max(keys[item], keys[item + others]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (item == 0) {
        out[get_group_id(1) * get_num_groups(0) + get_group_id(0)] = inHalves(keys[0]);
    }
}

// Sorts a block in descending order (Batcher, 1968, "Sorting networks and their applications": the bitonic sorter):
// log2(SORTED) (log2(SORTED) + 1) / 2 = 66 rounds of comparisons that do not touch each other.
static inline void sort(local ulong* keys) {
    for (int size = 2; size <= SORTED; size *= 2) {
        for (int step = size / 2; step > 0; step /= 2) {
            barrier(CLK_LOCAL_MEM_FENCE);
            for (int i = get_local_id(0); i < SORTED / 2; i += GROUP) {
                const int low = 2 * i - (i & (step - 1));
                const ulong a = keys[low];
                const ulong b = keys[low + step];
                if ((a < b) == ((low & size) == 0)) {
                    keys[low] = b;
                    keys[low + step] = a;
                }
            }
        }
    }
    barrier(CLK_LOCAL_MEM_FENCE);
}

// The k largest keys of each block of a row, in descending order. Where a block has fewer, the others are 0.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void topOfRow(global const float* x, int stride, int columns, int row, int k, global uint2* out) {
    local ulong keys[SORTED];
    const int from = get_group_id(0) * SORTED;
    for (int i = get_local_id(0); i < SORTED; i += GROUP) {
        keys[i] = from + i < columns ? keyOf(x[(size_t) row * stride + from + i], from + i) : 0;
    }
    sort(keys);
    for (int i = get_local_id(0); i < k; i += GROUP) {
        out[get_group_id(0) * k + i] = inHalves(keys[i]);
    }
}

// The k largest of each block of `count` keys that begin at `from`, into those that begin at `to`: run until there is
// one block. Each run leaves k of every SORTED keys.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void topOfKeys(global uint2* all, int from, int count, int k, int to) {
    local ulong keys[SORTED];
    const int first = get_group_id(0) * SORTED;
    for (int i = get_local_id(0); i < SORTED; i += GROUP) {
        const uint2 key = first + i < count ? all[from + first + i] : (uint2) (0, 0);
        keys[i] = (ulong) key.x << 32 | key.y;
    }
    sort(keys);
    for (int i = get_local_id(0); i < k; i += GROUP) {
        all[to + get_group_id(0) * k + i] = inHalves(keys[i]);
    }
}

// The largest number m of each slice of a row, and the sum of exp(x - m). Groups: (slices). A slice of -infinity alone
// has the sum 0, and one with an infinity or NaN an infinite sum or NaN: no infinity is taken from another.
//
// Each work-item adds a few numbers, the host the sums of slices in double: rounding stays near that of one exp.
kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void sumOfExp(global const float* x, int stride, int columns, int row, int slice, global float2* out) {
    local float part[GROUP];
    const int item = get_local_id(0);
    const int from = get_group_id(0) * slice;
    const int to = min(columns, from + slice);
    x += (size_t) row * stride;
    float largest = -INFINITY;
    for (int c = from + item; c < to; c += GROUP) {
        largest = fmax(largest, x[c]);
    }
    part[item] = largest;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int others = GROUP / 2; others > 0; others /= 2) {
        if (item < others) {
            part[item] = fmax(part[item], part[item + others]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    largest = part[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    const float reference = isinf(largest) ? 0.0f : largest;
    float sum = 0;
    for (int c = from + item; c < to; c += GROUP) {
        sum += exp(x[c] - reference);
    }
    part[item] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int others = GROUP / 2; others > 0; others /= 2) {
        if (item < others) {
            part[item] += part[item + others];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (item == 0) {
        out[get_group_id(0)] = (float2) (largest, part[0]);
    }
}
