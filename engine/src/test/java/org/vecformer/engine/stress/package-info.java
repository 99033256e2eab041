/**
 * Everything at once, for a few seconds in each build and for ten minutes on demand: {@link
 * org.vecformer.engine.stress.StressTest} and {@code StressCheck} put {@link org.vecformer.engine.stress.Visitor}s on 64
 * threads into a {@link org.vecformer.engine.stress.House} of shared models. What they may see is precomputed, one after
 * the other; what they leave behind is {@link org.vecformer.engine.stress.ProcessState}.
 */
package org.vecformer.engine.stress;
