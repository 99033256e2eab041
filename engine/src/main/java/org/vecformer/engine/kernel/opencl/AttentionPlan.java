package org.vecformer.engine.kernel.opencl;

import java.util.ArrayList;
import java.util.List;
import org.vecformer.engine.ComputeDevice;

/**
 * How attention is cut into work groups on a device.
 *
 * @param fewRows      a sequence of no more rows in a step attends row by row, each reading the cache for itself; the
 *                     rows of a longer one share what they read, in tiles
 * @param tiles        query rows that a tile may have, ascending; none where the device has no room for any
 * @param groupsWanted work groups that fill the device: fewer, and work is cut smaller
 * @param group        work items of a group that attends for one row
 */
record AttentionPlan(int fewRows, List<Integer> tiles, int groupsWanted, int group) {

    /** A page of keys or values passes through local memory in chunks of 32 rows of 32 floats. */
    private static final int CHUNK = 32 * 32;
    private static final int ACROSS = 8;

    /** What suits a device. */
    static AttentionPlan of(ComputeDevice device, int headSize) {
        List<Integer> tiles = new ArrayList<>();
        // A CPU takes seconds to compile a kernel for each, and nothing waits for it to be filled.
        boolean cpu = device.type() == ComputeDevice.Type.CPU;
        for (int tile : cpu ? new int[]{32} : new int[]{16, 32, 64}) {
            if (items(tile, headSize) <= Math.min(128, device.maxWorkGroupSize())
                    && localBytes(tile, headSize) <= device.localMemory()) {
                tiles.add(tile);
            }
        }
        int group = Math.min(128, Math.max(32, Integer.highestOneBit(device.maxWorkGroupSize())));
        return new AttentionPlan(tiles.isEmpty() ? Integer.MAX_VALUE : 8, tiles, 2 * device.computeUnits(), group);
    }

    /**
     * Query rows of a work item: four while their sums fit registers, two in tiles that would otherwise have fewer work
     * items than a wavefront.
     */
    static int rowsOfItem(int tile, int headSize) {
        return headSize > 128 || tile < 32 ? 2 : 4;
    }

    /** Work items of a tile's group. */
    static int items(int tile, int headSize) {
        return tile / rowsOfItem(tile, headSize) * ACROSS;
    }

    /** Local memory of a tile's group: queries, weights, a chunk, and a number for each work item and row. */
    private static long localBytes(int tile, int headSize) {
        return Float.BYTES * ((headSize + 32L) * (tile + 4) + CHUNK + tile * ACROSS);
    }
}
