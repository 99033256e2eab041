package org.vecformer.engine.call;

/**
 * A virtual thread for what users have hung onto a result: it may take its time, or wait for the one who tells, whose
 * thread this must not hold up.
 */
public final class OwnThread {

    private OwnThread() {
    }

    /** Runs it on a virtual thread of its own; here and now if there is no memory for one: nobody may wait forever. */
    public static void tell(Runnable telling) {
        try {
            Thread.ofVirtual().inheritInheritableThreadLocals(false).start(telling);
        } catch (OutOfMemoryError _) {
            telling.run();
        }
    }
}
