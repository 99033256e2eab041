package org.vecformer.engine.model;

import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.PackedVector;

/** A linear layer, y = x W + b; {@code bias} is null where a model has none. */
record Linear(PackedMatrix weight, PackedVector bias) {}
