package org.vecformer.engine.kernel.opencl;

import org.vecformer.engine.tensor.WeightVector;

/**
 * A bias or gain on a device: floats, with zeros up to the next multiple of 32.
 *
 * @param data   {@link #byteSize()} bytes
 * @param length how many numbers count
 */
record DeviceVector(ClBuffer data, int length) implements WeightVector {}
