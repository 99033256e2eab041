package org.vecformer.engine.stress;

import java.util.SplittableRandom;
import java.util.concurrent.ScheduledExecutorService;

/** How a request is made to end, unless it is finished before. */
enum Ending {
    /** By itself. */
    FINISHED(55, Outcome.FINISHED),
    /** It is cancelled before it begins. */
    CANCELLED_BEFORE(5, Outcome.CANCELLED),
    /** Somebody cancels it. */
    CANCELLED(15, Outcome.CANCELLED),
    /** It has a deadline. */
    LATE(15, Outcome.LATE),
    /** Its thread is interrupted. */
    INTERRUPTED(10, Outcome.INTERRUPTED);

    private final int percent;
    private final Outcome outcome;

    Ending(int percent, Outcome outcome) {
        this.percent = percent;
        this.outcome = outcome;
    }

    static Ending draw(SplittableRandom random) {
        int number = random.nextInt(100);
        for (Ending ending : values()) {
            number -= ending.percent;
            if (number < 0) {
                return ending;
            }
        }
        throw new IllegalStateException("percents");
    }

    /** Whether a request that was to end so may have ended in that way. */
    boolean allows(Outcome actual) {
        return switch (actual) {
            case REFUSED, CLOSED -> true;
            case FINISHED -> this != CANCELLED_BEFORE;
            case CANCELLED, LATE, INTERRUPTED -> actual == outcome;
        };
    }

    /** Begins a request on this thread that will end so, after a random time. */
    Attempt begin(SplittableRandom random, ScheduledExecutorService disturber) {
        return new Attempt(this, random.nextLong(1, Attempt.LONGEST_NANOS), disturber);
    }
}
