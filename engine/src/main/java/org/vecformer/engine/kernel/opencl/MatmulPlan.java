package org.vecformer.engine.kernel.opencl;

import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.WeightType;
import org.vecformer.engine.tensor.PackedMatrix;
import org.vecformer.engine.tensor.Tensor;

/** How a matrix product is cut into work-groups. Why the kernels are as they are is said in their files. */
sealed interface MatmulPlan {

    /** The most rows that are computed by reading W rather than by tiles; 9 to 16 of them read it twice. */
    int FEW_ROWS = 16;

    /** Work-groups that should be there for each compute unit, so that none waits for the others' memory or barriers. */
    int GROUPS_OF_UNIT = 2;

    /**
     * Into how many shares the inputs are cut, which are added up by a further kernel: more than one where there are too
     * few outputs to keep all compute units busy.
     */
    int shares();

    /**
     * Matrix times a few vectors ({@code matvec.cl}).
     *
     * @param rows  of one pass over W: 1, 2, 4 or 8
     * @param items work-items of a group, a multiple of 64
     * @param share portions of inputs in a share
     */
    record Vectors(int rows, int items, int share, int shares) implements MatmulPlan {

        private static final int MAX_ROWS = 8;
        private static final int MAX_ITEMS = 256;
        /** Smaller groups: where there are many of them, less of their time is spent on adding up. */
        private static final int FEWER_ITEMS = 128;
        private static final int MANY_GROUPS_OF_UNIT = 4;
        private static final int WAVEFRONT = 64;
        /** What reading less than this takes is less than the launch of the kernel that adds shares. */
        private static final long SHARE_BYTES = 64 << 10;

        private static Vectors of(ComputeDevice device, int rows, WeightType type, int inputs, int outputs) {
            int panels = Math.ceilDiv(outputs, Tensor.PANEL);
            int pass = rows <= 2 ? rows : rows <= 4 ? 4 : MAX_ROWS;
            int groups = panels * Math.ceilDiv(rows, pass);
            long panelBytes = PackedMatrix.byteSize(type, inputs, Tensor.PANEL);
            int shares = MatmulPlan.shares(device, groups, panelBytes / SHARE_BYTES);
            boolean many = groups * shares >= MANY_GROUPS_OF_UNIT * device.computeUnits();
            // Items of eight rows take the registers of two.
            int most = many || pass == MAX_ROWS ? FEWER_ITEMS : MAX_ITEMS;
            return of(pass, type, inputs, shares, Math.min(most, device.maxWorkGroupSize()));
        }

        /**
         * @param shares how many there should be; there will be fewer where they would have nothing to do
         * @param most   the most items of a group
         */
        static Vectors of(int rows, WeightType type, int inputs, int shares, int most) {
            int portions = inputs / portion(rows, type);
            int share = Math.ceilDiv(portions, shares);
            // As many items as have equally much to do.
            int rounds = Math.max(1, Math.ceilDiv(share * lanes(type), most));
            int items = Math.ceilDiv(Math.ceilDiv(share, rounds) * lanes(type), WAVEFRONT) * WAVEFRONT;
            return new Vectors(rows, Math.clamp(items, Math.min(WAVEFRONT, most), most), share,
                    share == 0 ? 1 : Math.ceilDiv(portions, share));
        }

        /** Inputs that an item takes at a time: its loads of 16 bytes in flight, as many as registers allow. */
        static int portion(int rows, WeightType type) {
            return type.quantized() ? WeightType.BLOCK : rows <= 2 ? 8 : 4;
        }

        /** Items that read a row of a panel together, 16 bytes each. */
        private static int lanes(WeightType type) {
            return sixteenBits(type) ? 4 : 8;
        }

        /** Bytes of local memory that the work-items of a group add up through. */
        static long scratchBytes(int rows, WeightType type, int items) {
            return (long) items * (Tensor.PANEL / lanes(type) + rows) * Float.BYTES;
        }

        private static boolean sixteenBits(WeightType type) {
            return type == WeightType.F16 || type == WeightType.BF16;
        }
    }

    /**
     * Matrix times matrix ({@code matmul.cl}).
     *
     * @param share inputs of a share, a multiple of {@link Tile#STEP}
     */
    record Tiles(Tile tile, int share, int shares) implements MatmulPlan {

        /** With fewer inputs a group would do little but begin and end. */
        private static final int LEAST_SHARE = 128;

        private static Tiles of(ComputeDevice device, int rows, int inputs, int outputs) {
            for (Tile tile : Tile.values()) {
                boolean enough = tile.groups(rows, outputs) >= GROUPS_OF_UNIT * device.computeUnits();
                // At most a quarter of the tiles' rows may lie past the last one.
                boolean full = Math.ceilDiv(rows, tile.rows()) * tile.rows() * 3 <= rows * 4;
                if (enough && full && tile.fits(device)) {
                    return of(tile, inputs, 1);
                }
            }
            int groups = Tile.SMALL.groups(rows, outputs);
            return of(Tile.SMALL, inputs, MatmulPlan.shares(device, groups, inputs / LEAST_SHARE));
        }

        /** @param shares how many there should be; there will be fewer where they would have nothing to do */
        static Tiles of(Tile tile, int inputs, int shares) {
            int share = Math.ceilDiv(Math.ceilDiv(inputs, shares), Tile.STEP) * Tile.STEP;
            return new Tiles(tile, share, Math.ceilDiv(inputs, share));
        }
    }

    /** A tile of the result, made by one work-group. Largest first. */
    enum Tile {
        LARGE(8, 8, 128), MEDIUM(8, 4, 64), SMALL(4, 4, 32);

        /** Inputs that tiles take at a time. */
        static final int STEP = 16;

        private final int itemRows;
        private final int itemColumns;
        private final int columns;

        Tile(int itemRows, int itemColumns, int columns) {
            this.itemRows = itemRows;
            this.itemColumns = itemColumns;
            this.columns = columns;
        }

        /** Such that an item has eight weights to fetch in a step: {@code STEP * columns = 8 * items}. */
        int rows() {
            return 2 * itemRows * itemColumns;
        }

        int columns() {
            return columns;
        }

        int itemRows() {
            return itemRows;
        }

        int itemColumns() {
            return itemColumns;
        }

        int items() {
            return 2 * columns;
        }

        int groups(int rows, int outputs) {
            return Math.ceilDiv(rows, rows()) * Math.ceilDiv(outputs, columns);
        }

        private boolean fits(ComputeDevice device) {
            long localBytes = (long) STEP * (rows() + 4 + columns) * Float.BYTES;
            return items() <= device.maxWorkGroupSize() && localBytes <= device.localMemory();
        }
    }

    /** For a product of {@code rows} rows with a matrix of the given type and shape. */
    static MatmulPlan of(ComputeDevice device, int rows, WeightType type, int inputs, int outputs) {
        return rows <= FEW_ROWS
                ? Vectors.of(device, rows, type, inputs, outputs)
                : Tiles.of(device, rows, inputs, outputs);
    }

    /** How many shares it takes to have enough groups. */
    private static int shares(ComputeDevice device, int groups, long most) {
        int wanted = Math.ceilDiv(GROUPS_OF_UNIT * device.computeUnits(), groups);
        return Math.clamp(most, 1, wanted);
    }
}
