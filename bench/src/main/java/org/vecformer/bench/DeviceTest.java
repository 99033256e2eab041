package org.vecformer.bench;

import org.vecformer.yardstick.Limit;

/**
 * Something that {@link DeviceReport} measures on a device.
 *
 * @param name      for the report
 * @param goalShare of the limit that is to be reached; NaN if nothing is
 * @param limit     what bounds the speed
 * @param gigas     billions of bytes or operations of a run, whichever the limit is about
 * @param tokens    of a run
 * @param run       what is timed; its result has been computed when it returns
 * @param check     throws an {@link IllegalStateException} if what was computed is wrong
 */
record DeviceTest(String name, double goalShare, Limit limit, double gigas, int tokens, Runnable run, Runnable check) {

    String goal() {
        return Double.isNaN(goalShare) ? "" : ">= " + Math.round(100 * goalShare) + " % of its limit";
    }
}
