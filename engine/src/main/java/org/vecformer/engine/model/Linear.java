package org.vecformer.engine.model;

import org.vecformer.engine.tensor.WeightMatrix;
import org.vecformer.engine.tensor.WeightVector;

/** A linear layer, y = x W + b; {@code bias} is null where a model has none. */
record Linear(WeightMatrix weight, WeightVector bias) {}
