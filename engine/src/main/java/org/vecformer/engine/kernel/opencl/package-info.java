/**
 * The OpenCL backend.
 * <p>
 * The lower half, {@code Cl*}, puts OpenCL's calls (JOCL's {@code CL}) into objects that are closed, count what is alive
 * and never hand a released handle to a driver: {@code ClPlatforms} lists devices, {@code ClDevice} is an opened one,
 * {@code ClProgram} the kernels of a {@code .cl} file, {@code ClQueue} does things in order. Nothing outside of {@code Cl*}
 * sees JOCL, and no class of JOCL is loaded before a device is asked for.
 * <p>
 * The upper half computes: {@code OpenClBackend} is a device for models, {@code OpenClOps} the ops of a session on it.
 * They call {@code MatmulKernels}, {@code AttentionKernels} and {@code RowKernels}, each of which chooses sizes for its
 * {@code .cl} files by the device's limits (a {@code *Plan} where there is much to choose) and launches their kernels.
 * Those files are resources beside these classes; each says its shapes and layout, and {@code common.cl} stands before
 * all of them. {@code Device*} are tensors, weights and caches on the device: weights and caches in the very layouts of
 * the CPU.
 */
package org.vecformer.engine.kernel.opencl;
