package org.vecformer.engine;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicReference;
import org.vecformer.engine.kernel.Backend;
import org.vecformer.engine.kernel.Ops;

/** The engine under test, which can be made to fail in the midst of a step. */
public final class BreakingEngine implements AutoCloseable {

    private final Engine engine;
    private final AtomicReference<RuntimeException> failure = new AtomicReference<>();

    private BreakingEngine() {
        Backend backend = TestBackends.open(2).compute();
        engine = new Engine(proxy(Backend.class, (_, method, arguments) -> {
            Object result = method.invoke(backend, arguments);
            return result instanceof Ops ops ? breaking(ops) : result;
        }));
    }

    /** One that has not failed yet. */
    public static BreakingEngine open() {
        return new BreakingEngine();
    }

    private Ops breaking(Ops ops) {
        return proxy(Ops.class, (_, method, arguments) -> {
            RuntimeException now = method.getName().equals("matmul") ? failure.getAndSet(null) : null;
            if (now != null) {
                throw now;
            }
            return method.invoke(ops, arguments);
        });
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[]{type},
                (proxy, method, arguments) -> {
                    try {
                        return handler.invoke(proxy, method, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }

    /** The engine. */
    public Engine engine() {
        return engine;
    }

    /** Its next matrix product fails with this. */
    public void fail(RuntimeException with) {
        failure.set(with);
    }

    @Override
    public void close() {
        engine.close();
    }
}
