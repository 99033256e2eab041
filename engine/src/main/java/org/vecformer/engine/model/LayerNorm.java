package org.vecformer.engine.model;

import org.vecformer.engine.tensor.PackedVector;

/** The gain and bias of a layer norm. */
record LayerNorm(PackedVector gain, PackedVector bias) {}
