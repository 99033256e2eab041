import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Writes the register tiles of the vector kernels, which differ in the type of the weights and in how many rows and
 * panels they take at once. The accumulators are local variables, so that C2 keeps them in registers (a loop over an array
 * of vectors would put them into memory): that is why the rows are written out, and why a program does it.
 * <p>
 * The build runs it: {@code java TileSource.java DIRECTORY}. What it writes is a class like any other; see
 * {@code target/generated-sources/tiles}.
 */
final class TileSource {

    private static final String PACKAGE = "org.vecformer.engine.kernel";

    private TileSource() {
    }

    public static void main(String[] args) throws IOException {
        Path directory = Path.of(args[0]).resolve(PACKAGE.replace('.', '/'));
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("FloatTiles.java"), floatTiles());
        Files.writeString(directory.resolve("NarrowTiles.java"), narrowTiles());
    }

    // Matrices of float32.

    private static String floatTiles() {
        return """
                package %1$s;

                import static org.vecformer.engine.kernel.Lanes.BYTES;
                import static org.vecformer.engine.kernel.Lanes.COUNT;
                import static org.vecformer.engine.kernel.Lanes.FLOAT;
                import static org.vecformer.engine.tensor.Tensor.PANEL;

                import java.lang.foreign.MemorySegment;
                import java.nio.ByteOrder;
                import jdk.incubator.vector.FloatVector;

                /** Register tiles over float32 panels, written by TileSource: c (+)= a b for rows by two vectors of columns. */
                final class FloatTiles {

                    private static final int ROW_BYTES = PANEL * Float.BYTES;

                    private FloatTiles() {
                    }

                    private static FloatVector load(MemorySegment b, long at) {
                        return FloatVector.fromMemorySegment(FLOAT, b, at, ByteOrder.nativeOrder());
                    }

                    private static FloatVector start(float[] c, int at, boolean more) {
                        return more ? FloatVector.fromArray(FLOAT, c, at) : FloatVector.zero(FLOAT);
                    }
                %2$s}
                """.formatted(PACKAGE, IntStream.of(1, 2, 4, 6, 8).mapToObj(TileSource::floatTile).collect(Collectors.joining()));
    }

    private static String floatTile(int rows) {
        return """

                    static void rows%1$d(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, float[] c, int c0,
                            int cStride, boolean more) {
                %2$s%3$s%4$s        for (int i = 0; i < k; i++) {
                            long row = b0 + (long) i * ROW_BYTES;
                            FloatVector u = load(b, row), v = load(b, row + BYTES);
                %5$s        }
                %6$s    }
                """.formatted(rows,
                rowOffsets("a", rows),
                rowOffsets("c", rows),
                each(rows, "        FloatVector s# = start(c, c#, more), t# = start(c, c# + COUNT, more);\n"),
                each(rows, """
                                    FloatVector x# = FloatVector.broadcast(FLOAT, a[a# + i]);
                                    s# = x#.fma(u, s#);
                                    t# = x#.fma(v, t#);
                        """),
                each(rows, """
                                s#.intoArray(c, c#);
                                t#.intoArray(c, c# + COUNT);
                        """));
    }

    // Matrices of narrower types, widened in registers.

    /** A type of weights, by the statements that widen it. */
    private enum Type {
        BFLOAT, HALF, INT8, INT4
    }

    private static String narrowTiles() {
        StringBuilder tiles = new StringBuilder();
        for (Type type : Type.values()) {
            boolean blocks = type == Type.INT8 || type == Type.INT4;
            IntFunction<String> tile = rows -> blocks ? blockTile(type, rows, 1) : rowTile(type, rows, 1);
            tiles.append(blocks ? blockTile(type, 1, 2) : rowTile(type, 1, type == Type.BFLOAT ? 4 : 2));
            IntStream.of(1, 2, 4).mapToObj(tile).forEach(tiles::append);
        }
        return """
                package %1$s;

                import static org.vecformer.engine.WeightType.BLOCK;
                import static org.vecformer.engine.kernel.Lanes.FLOAT;
                import static org.vecformer.engine.kernel.Lanes.INT;
                import static org.vecformer.engine.kernel.Widening.INT4_OFFSET;
                import static org.vecformer.engine.kernel.Widening.INT8_OFFSET;
                import static org.vecformer.engine.kernel.Widening.highBfloats;
                import static org.vecformer.engine.kernel.Widening.highHalves;
                import static org.vecformer.engine.kernel.Widening.int4;
                import static org.vecformer.engine.kernel.Widening.int8;
                import static org.vecformer.engine.kernel.Widening.lowBfloats;
                import static org.vecformer.engine.kernel.Widening.lowHalves;
                import static org.vecformer.engine.tensor.Tensor.PANEL;

                import java.lang.foreign.MemorySegment;
                import java.nio.ByteOrder;
                import jdk.incubator.vector.FloatVector;
                import jdk.incubator.vector.IntVector;
                import jdk.incubator.vector.VectorOperators;

                /**
                 * Register tiles over panels of narrow weights, written by TileSource: c = a b for rows by panels, of which a tile
                 * computes one vector of the columns up to 15 and one of those from 16 on.
                 */
                final class NarrowTiles {

                    private static final int WORDS = PANEL / 2;
                    private static final int HALF_BYTES = WORDS * Integer.BYTES;
                    private static final int ROW_BYTES = 2 * HALF_BYTES;

                    private NarrowTiles() {
                    }

                    private static IntVector load(MemorySegment b, long at) {
                        return IntVector.fromMemorySegment(INT, b, at, ByteOrder.nativeOrder());
                    }
                %2$s}
                """.formatted(PACKAGE, tiles);
    }

    private static String signature(Type type, int rows, int panels) {
        return """
                    static void %sRows%d%s(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, long panelBytes,
                            float[] c, int c0, int cStride) {
                """.formatted(type.name().toLowerCase(Locale.ROOT), rows, panels > 1 ? "Panels" + panels : "");
    }

    /** Types of 16 bits: a row of a panel is 16 words, each with a column in its low half and one in its high half. */
    private static String rowTile(Type type, int rows, int panels) {
        String kind = type == Type.BFLOAT ? "Bfloats" : "Halves";
        StringBuilder body = new StringBuilder();
        for (int p = 0; p < panels; p++) {
            body.append("            IntVector w%1$d = load(b, row + %1$d * panelBytes);\n".formatted(p));
            body.append("            FloatVector u%1$d = low%2$s(w%1$d), v%1$d = high%2$s(w%1$d);\n".formatted(p, kind));
            body.append(accumulate(rows, p, "            "));
        }
        return "\n" + signature(type, rows, panels) + rowOffsets("a", rows) + zeros(rows, panels) + """
                        for (int i = 0; i < k; i++) {
                            long row = b0 + (long) i * HALF_BYTES;
                %s%s        }
                %s    }
                """.formatted(broadcasts(rows, "i", "            "), body, stores(rows, panels));
    }

    /** Quantized types: a block of 32 inputs begins with its scales; then each word has several inputs of one column. */
    private static String blockTile(Type type, int rows, int panels) {
        String name = type.name().toLowerCase(Locale.ROOT);
        int bits = type == Type.INT8 ? 8 : 4;
        StringBuilder scales = new StringBuilder();
        StringBuilder words = new StringBuilder();
        StringBuilder body = new StringBuilder();
        for (int p = 0; p < panels; p++) {
            scales.append("""
                                IntVector scales%1$d = load(b, at + %1$d * panelBytes);
                                FloatVector g%1$d = lowBfloats(scales%1$d), h%1$d = highBfloats(scales%1$d);
                                FloatVector y%1$d = g%1$d.mul(%2$s_OFFSET), z%1$d = h%1$d.mul(%2$s_OFFSET);
                    """.formatted(p, type));
            words.append("                IntVector w%1$d = load(b, row + %1$d * panelBytes).lanewise(VectorOperators.ROR, turn);\n"
                    .formatted(p));
            words.append("                IntVector x%1$d = load(b, row + %1$d * panelBytes + HALF_BYTES).lanewise(VectorOperators.ROR, turn);\n"
                    .formatted(p));
            body.append("                FloatVector u%2$d = %1$s(w%2$d, g%2$d, y%2$d), v%2$d = %1$s(x%2$d, h%2$d, z%2$d);\n"
                    .formatted(name, p));
            body.append(accumulate(rows, p, "                "));
        }
        return "\n" + signature(type, rows, panels) + rowOffsets("a", rows) + zeros(rows, panels) + """
                        long at = b0;
                        for (int i = 0; i < k; i += BLOCK) {
                %1$s            at += HALF_BYTES;
                            for (int j = 0; j < BLOCK; j++) {
                                long row = at + j / %2$d * ROW_BYTES;
                                int turn = j %% %2$d * %7$d;
                %3$s%4$s%5$s            }
                            at += BLOCK / %2$d * ROW_BYTES;
                        }
                %6$s    }
                """.formatted(scales, Integer.SIZE / bits, words, broadcasts(rows, "i + j", "                "), body,
                stores(rows, panels), bits);
    }

    /** Each row's broadcast input times the two vectors of a panel's columns. */
    private static String accumulate(int rows, int panel, String indent) {
        return each(rows, (indent + "s#p%1$d = a#i.fma(u%1$d, s#p%1$d);\n" + indent + "t#p%1$d = a#i.fma(v%1$d, t#p%1$d);\n")
                .formatted(panel));
    }

    private static String broadcasts(int rows, String index, String indent) {
        return each(rows, indent + "FloatVector a#i = FloatVector.broadcast(FLOAT, a[a# + " + index + "]);\n");
    }

    private static String zeros(int rows, int panels) {
        return IntStream.range(0, panels).mapToObj(p -> each(rows,
                "        FloatVector s#p%1$d = FloatVector.zero(FLOAT), t#p%1$d = FloatVector.zero(FLOAT);\n".formatted(p)))
                .collect(Collectors.joining());
    }

    private static String stores(int rows, int panels) {
        return rowOffsets("c", rows) + IntStream.range(0, panels).mapToObj(p -> each(rows, """
                        s#p%1$d.intoArray(c, c# + %1$d * PANEL);
                        t#p%1$d.intoArray(c, c# + %1$d * PANEL + WORDS);
                """.formatted(p))).collect(Collectors.joining());
    }

    /** Where rows after the first begin: {@code int a1 = a0 + aStride, a2 = a1 + aStride;}. */
    private static String rowOffsets(String name, int rows) {
        if (rows == 1) {
            return "";
        }
        return IntStream.range(1, rows).mapToObj(r -> "%1$s%2$d = %1$s%3$d + %1$sStride".formatted(name, r, r - 1))
                .collect(Collectors.joining(", ", "        int ", ";\n"));
    }

    /** The text once for each row, # being its number. */
    private static String each(int rows, String text) {
        return IntStream.range(0, rows).mapToObj(r -> text.replace("#", Integer.toString(r))).collect(Collectors.joining());
    }
}
