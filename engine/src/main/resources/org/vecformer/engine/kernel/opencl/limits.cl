// What a device can do: for DeviceLimits, which says how many work-items there are and checks what they leave behind.
//
// VECTOR is the type that a work-item computes with: float4 on a GPU, whose items are lanes; float16 on a CPU, where an
// item is a thread.

// Sums a piece of memory for each group. Its items read neighbouring vectors, with four reads on the way each.
//   numbers   [groups][perItem][items of a group], perItem a multiple of 4
//   sums      a vector for each item
kernel void limits_read(global const VECTOR *numbers, const int perItem, global VECTOR *sums) {
    const size_t items = get_local_size(0);
    global const VECTOR *from = numbers + get_group_id(0) * items * perItem + get_local_id(0);
    VECTOR s0 = 0.0f, s1 = 0.0f, s2 = 0.0f, s3 = 0.0f;
    for (int i = 0; i < perItem; i += 4) {
        s0 += from[0];
        s1 += from[items];
        s2 += from[2 * items];
        s3 += from[3 * items];
        from += 4 * items;
    }
    sums[get_global_id(0)] = (s0 + s1) + (s2 + s3);
}

#define STEP(c) c = MULTIPLY_ADD(c, m, a);
#define STEPS STEP(c0) STEP(c1) STEP(c2) STEP(c3) STEP(c4) STEP(c5) STEP(c6) STEP(c7)

// Eight chains of multiply-adds for each item and lane, four steps a round so that the loop itself costs next to nothing.
//   starts   where the chains begin: eight vectors, all numbers different, so that no compiler makes one chain of two
//   steps    of each chain, a multiple of 4
//   sums     a vector for each item: of the ends of its chains
kernel void limits_multiply_add(global const VECTOR *starts, const int steps, const float factor, const float addend,
        global VECTOR *sums) {
    const VECTOR m = factor;
    const VECTOR a = addend;
    VECTOR c0 = starts[0], c1 = starts[1], c2 = starts[2], c3 = starts[3];
    VECTOR c4 = starts[4], c5 = starts[5], c6 = starts[6], c7 = starts[7];
    for (int i = 0; i < steps; i += 4) {
        STEPS STEPS STEPS STEPS
    }
    sums[get_global_id(0)] = ((c0 + c1) + (c2 + c3)) + ((c4 + c5) + (c6 + c7));
}
