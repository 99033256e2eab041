package org.vecformer.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.function.DoubleUnaryOperator;

/** A panel of a picture: a frame with two axes, lines in it, and their names beside it. Writes SVG. */
final class SvgPanel {

    static final int WIDTH = 1000;
    private static final int LEFT = 90;
    private static final int RIGHT = 250;
    private static final int ABOVE = 34;
    private static final int BELOW = 52;

    /** A place on an axis that has a name. */
    record Tick(double value, String name) {}

    /**
     * @param scale from values to a number that grows evenly along the axis
     * @param ticks ascending; the axis goes from the first to the last
     */
    record Axis(String title, DoubleUnaryOperator scale, List<Tick> ticks) {

        /** From 0 in even steps, of which the last is not below the largest value. */
        static Axis linear(String title, double most, DoubleFunction<String> name) {
            double step = Math.pow(10, Math.floor(Math.log10(Math.max(most, 1e-9))));
            if (most / step < 2) {
                step /= 5;
            } else if (most / step < 5) {
                step /= 2;
            }
            List<Tick> ticks = new ArrayList<>();
            int steps = (int) Math.max(1, Math.ceil(most / step - 1e-9));
            for (int i = 0; i <= steps; i++) {
                ticks.add(new Tick(i * step, name.apply(i * step)));
            }
            return new Axis(title, DoubleUnaryOperator.identity(), ticks);
        }

        /** Logarithmic: 1, 2, 5, 10 and so on, from one that is not above the least to one above the largest value. */
        static Axis logarithmic(String title, double least, double most, DoubleFunction<String> name) {
            List<Tick> ticks = new ArrayList<>();
            for (int power = -6; ticks.isEmpty() || ticks.getLast().value <= most; power++) {
                for (int factor : new int[]{1, 2, 5}) {
                    double value = factor * Math.pow(10, power);
                    if (value <= least) {
                        ticks.clear();
                    }
                    if (ticks.isEmpty() || ticks.getLast().value <= most) {
                        ticks.add(new Tick(value, name.apply(value)));
                    }
                }
            }
            return new Axis(title, Math::log10, ticks);
        }

        double share(double value) {
            double from = scale.applyAsDouble(ticks.getFirst().value);
            double to = scale.applyAsDouble(ticks.getLast().value);
            return Math.clamp((scale.applyAsDouble(value) - from) / (to - from), 0, 1);
        }
    }

    /**
     * @param width in pixels
     * @param ys    of the xs at the same places; NaN for none
     */
    record Line(String name, String colour, int width, double[] xs, double[] ys) {}

    private final String title;
    private final int height;
    private final Axis x;
    private final Axis y;
    private final List<Line> lines;

    SvgPanel(String title, int height, Axis x, Axis y, List<Line> lines) {
        this.title = title;
        this.height = height;
        this.x = x;
        this.y = y;
        this.lines = lines;
    }

    int height() {
        return height;
    }

    private double left(double value) {
        return LEFT + x.share(value) * (WIDTH - LEFT - RIGHT);
    }

    private double top(double value) {
        return height - BELOW - y.share(value) * (height - ABOVE - BELOW);
    }

    /** @param offset how far below the top of the picture it begins */
    String svg(int offset) {
        StringBuilder svg = new StringBuilder("<g transform=\"translate(0 " + offset + ")\">\n");
        text(svg, LEFT, 20, "start", "title", title);
        for (Tick tick : y.ticks) {
            double at = top(tick.value);
            line(svg, LEFT, at, WIDTH - RIGHT, at);
            text(svg, LEFT - 8, at + 4, "end", "tick", tick.name);
        }
        for (Tick tick : x.ticks) {
            double at = left(tick.value);
            line(svg, at, ABOVE, at, height - BELOW);
            text(svg, at, height - BELOW + 18, "middle", "tick", tick.name);
        }
        text(svg, (LEFT + WIDTH - RIGHT) / 2.0, height - BELOW + 38, "middle", "axis", x.title);
        double middle = (ABOVE + height - BELOW) / 2.0;
        svg.append(format("<text class=\"axis\" text-anchor=\"middle\" transform=\"translate(18 %.1f) rotate(-90)\">",
                middle)).append(escaped(y.title)).append("</text>\n");
        for (int i = 0; i < lines.size(); i++) {
            curve(svg, lines.get(i));
            double at = ABOVE + 12 + 22 * i;
            svg.append(format("<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" %s/>%n", WIDTH - RIGHT + 14, at - 4,
                    WIDTH - RIGHT + 40, at - 4, stroke(lines.get(i))));
            text(svg, WIDTH - RIGHT + 46, at, "start", "legend", lines.get(i).name);
        }
        return svg.append("</g>\n").toString();
    }

    private void curve(StringBuilder svg, Line line) {
        StringBuilder points = new StringBuilder();
        boolean drawing = false;
        for (int i = 0; i < line.xs.length; i++) {
            if (Double.isNaN(line.ys[i])) {
                drawing = false;
                continue;
            }
            points.append(format("%s%.1f %.1f", drawing ? "L" : "M", left(line.xs[i]), top(line.ys[i])));
            drawing = true;
        }
        svg.append("<path d=\"").append(points).append("\" fill=\"none\" ").append(stroke(line)).append("/>\n");
    }

    private static String stroke(Line line) {
        return "stroke=\"" + line.colour + "\" stroke-width=\"" + line.width + "\" stroke-linejoin=\"round\"";
    }

    private static void line(StringBuilder svg, double x1, double y1, double x2, double y2) {
        svg.append(format("<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>%n", x1, y1, x2, y2));
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String kind, String text) {
        svg.append(format("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", kind, x, y, anchor))
                .append(escaped(text)).append("</text>\n");
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format.replace("%n", "\n"), values);
    }
}
