package org.vecformer.engine.model;

import org.vecformer.engine.kernel.AttentionTrace;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.tensor.Tensor;

/** Shows a model's states to a {@link Trace}, if there is one. */
final class Tracing {

    private Tracing() {
    }

    static void hidden(Ops ops, Trace trace, int layer, int rows, Tensor x) {
        if (trace != null) {
            for (int r = 0; r < rows; r++) {
                float[] state = new float[x.columns()];
                ops.read(x, r, state);
                trace.hidden(layer, r, state);
            }
        }
    }

    /** What attention tells; null if nobody wants to know. */
    static AttentionTrace attention(Trace trace) {
        return trace != null && trace.wantsAttention() ? trace::attention : null;
    }
}
