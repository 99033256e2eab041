package org.vecformer.engine.model;

import java.util.Arrays;
import org.vecformer.engine.tensor.Tensor;

/** Shows a model's states to a {@link Trace}, if there is one. */
final class Tracing {

    private Tracing() {
    }

    static void hidden(Trace trace, int layer, int rows, Tensor x) {
        if (trace != null) {
            for (int r = 0; r < rows; r++) {
                trace.hidden(layer, r, Arrays.copyOfRange(x.data(), x.offset(r), x.offset(r) + x.columns()));
            }
        }
    }
}
