/**
 * What computes: {@link org.vecformer.engine.Engine} and its options.
 * <p>
 * An engine holds the kernels chosen for the machine and the threads, or the OpenCL device that was asked for. Models ({@link org.vecformer.engine.model}) are
 * loaded on an engine, tasks ({@link org.vecformer.engine.task}) run on models. Weights are immutable and shared; all
 * that changes during a run belongs to a session that its owner closes.
 */
package org.vecformer.engine;
