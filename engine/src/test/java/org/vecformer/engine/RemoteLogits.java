package org.vecformer.engine;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.vecformer.engine.kernel.Backend;
import org.vecformer.engine.kernel.Ops;
import org.vecformer.engine.tensor.Tensor;

/**
 * The engine under test, which says that its tensors are remote, as a device's are, or that they are not, and counts what
 * is brought over. It can round logits, so that many are equal.
 */
public final class RemoteLogits implements AutoCloseable {

    private final Engine engine;
    private final boolean remote;
    private final int vocabularySize;
    private final float grain;
    private int rows;
    private int states;
    private int argMaxes;
    private int topKs;
    private int sums;

    private RemoteLogits(boolean remote, int vocabularySize, float grain) {
        this.remote = remote;
        this.vocabularySize = vocabularySize;
        this.grain = grain;
        Backend backend = TestBackends.open(2).compute();
        engine = new Engine(proxy(Backend.class, (_, method, arguments) -> {
            Object result = method.invoke(backend, arguments);
            return result instanceof Ops ops ? counting(ops) : result;
        }));
    }

    /**
     * An engine for models of this vocabulary.
     *
     * @param remote whether it says that the logits are remote
     * @param grain  logits are rounded to multiples of this; 0 for not at all
     */
    public static RemoteLogits open(boolean remote, int vocabularySize, float grain) {
        return new RemoteLogits(remote, vocabularySize, grain);
    }

    private Ops counting(Ops ops) {
        return proxy(Ops.class, (_, method, arguments) -> {
            switch (method.getName()) {
                case "isRemote" -> {
                    return remote;
                }
                case "read" -> {
                    if (((Tensor) arguments[0]).columns() == vocabularySize) {
                        rows++;
                    } else {
                        states++;
                    }
                }
                case "argMax" -> argMaxes++;
                case "topK" -> topKs++;
                case "logSumExp" -> sums++;
                default -> {
                }
            }
            Object result = method.invoke(ops, arguments);
            if (method.getName().equals("matmul") && grain > 0) {
                round(ops, (Tensor) arguments[6], (int) arguments[1]);
            }
            return result;
        });
    }

    private void round(Ops ops, Tensor out, int count) {
        if (out.columns() != vocabularySize) {
            return;
        }
        float[] row = new float[vocabularySize];
        for (int r = 0; r < count; r++) {
            ops.read(out, r, row);
            for (int i = 0; i < row.length; i++) {
                row[i] = Math.round(row[i] / grain) * grain;
            }
            ops.write(row, out, r);
        }
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        InvocationHandler unwrapping = (proxy, method, arguments) -> {
            try {
                return handler.invoke(proxy, method, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        };
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type}, unwrapping));
    }

    public Engine engine() {
        return engine;
    }

    /** Begins to count anew. */
    public void reset() {
        rows = 0;
        states = 0;
        argMaxes = 0;
        topKs = 0;
        sums = 0;
    }

    /** Whole rows of logits that were read. */
    public int rows() {
        return rows;
    }

    /** Hidden states that were read. */
    public int states() {
        return states;
    }

    /** How often the largest logits of a step's rows were asked for. */
    public int argMaxes() {
        return argMaxes;
    }

    /** How often the k largest logits of a row were asked for. */
    public int topKs() {
        return topKs;
    }

    /** How often the sum of a row was asked for. */
    public int sums() {
        return sums;
    }

    @Override
    public void close() {
        engine.close();
    }
}
