// out[rows x outputs] = activation(sum of parts + bias) + residual: the end of a product whose inputs were shared out to
// several work-groups.
//
//   parts     count x rows x stride float4s, as matmul and matvec left them; stride is that of whole panels
//
// A work-item takes four columns of a row and adds its parts in their order: the same bits in every run, which atomic
// additions would not give. Neighbours read neighbouring 16 bytes.
//
// Defines: ACTIVATION.

kernel void addParts(global const float4 *restrict parts, const int count, const int rows, const int stride,
        global const float4 *restrict bias, global const float4 *restrict residual, const int residualStride,
        global float4 *restrict out, const int outStride) {
    const int column = get_global_id(0);
    const int row = get_global_id(1);
    if (column < stride) {
        global const float4 *from = parts + (size_t) row * stride + column;
        float4 sum = from[0];
        for (int i = 1; i < count; i++) {
            sum += from[(size_t) i * rows * stride];
        }
        out[(size_t) row * outStride + column] = finish(sum, column, bias, residual, (size_t) row * residualStride);
    }
}
