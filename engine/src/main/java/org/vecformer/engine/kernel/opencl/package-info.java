/**
 * The OpenCL backend.
 * <p>
 * The lower half, {@code Cl*}, puts OpenCL's calls (JOCL's {@code CL}) into objects that are closed, count what is alive
 * and never hand a released handle to a driver: {@code ClPlatforms} lists devices, {@code ClDevice} is an opened one,
 * {@code ClProgram} the kernels of a {@code .cl} file, {@code ClQueue} does things in order. Nothing outside of {@code Cl*}
 * sees JOCL, and no class of JOCL is loaded before a device is asked for.
 */
package org.vecformer.engine.kernel.opencl;
