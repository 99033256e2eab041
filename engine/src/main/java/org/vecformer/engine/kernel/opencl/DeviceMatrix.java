package org.vecformer.engine.kernel.opencl;

import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.WeightMatrix;

/**
 * A weight matrix on a device, byte for byte as a {@link org.vecformer.engine.tensor.PackedMatrix}: 32 neighbouring
 * work-items read a row of 32 outputs.
 *
 * @param data    {@link #byteSize()} bytes
 * @param type    how a number is kept
 * @param inputs  K, the length of x
 * @param outputs N, the length of y
 */
record DeviceMatrix(ClBuffer data, WeightType type, int inputs, int outputs) implements WeightMatrix {}
