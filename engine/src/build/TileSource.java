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
 * of vectors would put them into memory): that is why the rows are written out, and why a program does it. No method of
 * a tile takes or returns vectors: where C2 does not inline one, they become heap objects (see Widening).
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

                    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
                    private static final int ROW_BYTES = PANEL * Float.BYTES;

                    private FloatTiles() {
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
                            FloatVector u = FloatVector.fromMemorySegment(FLOAT, b, row, ORDER);
                            FloatVector v = FloatVector.fromMemorySegment(FLOAT, b, row + BYTES, ORDER);
                %5$s        }
                %6$s    }
                """.formatted(rows,
                rowOffsets("a", rows),
                rowOffsets("c", rows),
                each(rows, """
                                FloatVector s# = more ? FloatVector.fromArray(FLOAT, c, c#) : FloatVector.zero(FLOAT);
                                FloatVector t# = more ? FloatVector.fromArray(FLOAT, c, c# + COUNT) : FloatVector.zero(FLOAT);
                        """),
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
                import static org.vecformer.engine.kernel.Widening.*;
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

                    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
                    private static final int WORDS = PANEL / 2;
                    private static final int HALF_BYTES = WORDS * Integer.BYTES;
                    private static final int ROW_BYTES = 2 * HALF_BYTES;

                    private NarrowTiles() {
                    }
                %2$s}
                """.formatted(PACKAGE, tiles);
    }

    // Expressions and not methods of the tiles: those would take or return vectors.

    private static String load(String at) {
        return "IntVector.fromMemorySegment(INT, b, %s, ORDER)".formatted(at);
    }

    private static String lowBfloats(String words) {
        return words + ".lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats()";
    }

    private static String highBfloats(String words) {
        return words + ".and(HIGH_HALF).reinterpretAsFloats()";
    }

    private static String lowHalves(String words) {
        return highHalves(words + ".lanewise(VectorOperators.LSHL, 16)");
    }

    private static String highHalves(String words) {
        return words + ".lanewise(VectorOperators.ASHR, 3).and(HALF_BITS).reinterpretAsFloats().mul(HALF_SCALE)";
    }

    private static String integers(Type type, String words, String scale, String offset) {
        return "%s.and(%s).or(TWO_TO_15).reinterpretAsFloats().fma(%s, %s)".formatted(words,
                type == Type.INT8 ? "BYTE" : "HALF_BYTE", scale, offset);
    }

    private static String signature(Type type, int rows, int panels) {
        return """
                    static void %sRows%d%s(float[] a, int a0, int aStride, int k, MemorySegment b, long b0, long panelBytes,
                            float[] c, int c0, int cStride) {
                """.formatted(type.name().toLowerCase(Locale.ROOT), rows, panels > 1 ? "Panels" + panels : "");
    }

    /** Types of 16 bits: a row of a panel is 16 words, each with a column in its low half and one in its high half. */
    private static String rowTile(Type type, int rows, int panels) {
        StringBuilder body = new StringBuilder();
        for (int p = 0; p < panels; p++) {
            body.append("            IntVector w%1$d = %2$s;\n".formatted(p, load("row + %d * panelBytes".formatted(p))));
            body.append("            FloatVector u%1$d = %2$s;\n            FloatVector v%1$d = %3$s;\n".formatted(p,
                    type == Type.BFLOAT ? lowBfloats("w" + p) : lowHalves("w" + p),
                    type == Type.BFLOAT ? highBfloats("w" + p) : highHalves("w" + p)));
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
        int bits = type == Type.INT8 ? 8 : 4;
        StringBuilder scales = new StringBuilder();
        StringBuilder words = new StringBuilder();
        StringBuilder body = new StringBuilder();
        for (int p = 0; p < panels; p++) {
            scales.append("""
                                IntVector scales%1$d = %3$s;
                                FloatVector g%1$d = %4$s, h%1$d = %5$s;
                                FloatVector y%1$d = g%1$d.mul(%2$s_OFFSET), z%1$d = h%1$d.mul(%2$s_OFFSET);
                    """.formatted(p, type, load("at + %d * panelBytes".formatted(p)), lowBfloats("scales" + p),
                    highBfloats("scales" + p)));
            words.append("                IntVector w%d = %s.lanewise(VectorOperators.ROR, turn);\n"
                    .formatted(p, load("row + %d * panelBytes".formatted(p))));
            words.append("                IntVector x%d = %s.lanewise(VectorOperators.ROR, turn);\n"
                    .formatted(p, load("row + %d * panelBytes + HALF_BYTES".formatted(p))));
            body.append("                FloatVector u%d = %s;\n".formatted(p, integers(type, "w" + p, "g" + p, "y" + p)));
            body.append("                FloatVector v%d = %s;\n".formatted(p, integers(type, "x" + p, "h" + p, "z" + p)));
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
