package org.vecformer.engine;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.vecformer.engine.kernel.Backend;
import org.vecformer.engine.kernel.Ops;

/** The engine under test, which can be held up, or made to fail, in the midst of a step. */
public final class InterceptedEngine implements AutoCloseable {

    private final Engine engine;
    private final AtomicReference<Runnable> next = new AtomicReference<>();

    private InterceptedEngine() {
        Backend backend = TestBackends.open(2).compute();
        engine = new Engine(proxy(Backend.class, (_, method, arguments) -> {
            Object result = method.invoke(backend, arguments);
            return result instanceof Ops ops ? intercepted(ops) : result;
        }));
    }

    /** One that goes on undisturbed for now. */
    public static InterceptedEngine open() {
        return new InterceptedEngine();
    }

    private Ops intercepted(Ops ops) {
        return proxy(Ops.class, (_, method, arguments) -> {
            Runnable now = method.getName().equals("matmul") ? next.getAndSet(null) : null;
            if (now != null) {
                now.run();
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
        next.set(() -> {
            throw with;
        });
    }

    /** Its next matrix product waits. */
    public Hold hold() {
        Hold hold = new Hold();
        next.set(hold::pass);
        return hold;
    }

    /** Where a thread that computes has to wait. */
    public static final class Hold {
        private final CountDownLatch reached = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);

        private void pass() {
            reached.countDown();
            try {
                released.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        /** Returns when a thread waits. */
        public void awaitReached() throws InterruptedException {
            reached.await();
        }

        /** Lets it go on. */
        public void release() {
            released.countDown();
        }
    }

    @Override
    public void close() {
        engine.close();
    }
}
