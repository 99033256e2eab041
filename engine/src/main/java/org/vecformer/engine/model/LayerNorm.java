package org.vecformer.engine.model;

import org.vecformer.engine.tensor.WeightVector;

/** The gain and bias of a layer norm. */
record LayerNorm(WeightVector gain, WeightVector bias) {}
