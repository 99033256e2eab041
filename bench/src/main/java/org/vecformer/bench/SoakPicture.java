package org.vecformer.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;
import org.vecformer.bench.SvgPanel.Axis;
import org.vecformer.bench.SvgPanel.Line;
import org.vecformer.bench.SvgPanel.Tick;

/** Draws a {@link Soak} as SVG: memory over time, latencies over time, and latencies by percentile. */
final class SoakPicture {

    private static final double[] PERCENTILES = {50, 90, 99, 99.9};
    private static final String[] SHADES = {"#9ecae1", "#4292c6", "#08519c", "#fdae6b"};
    private static final int WIDTH = 2;
    /** Of the rarest, which lies below the others and may coincide with the next. */
    private static final int WIDE = 6;
    private static final int HEADER = 58;
    private static final int PANEL = 300;
    private static final double MILLIS = 1e-3;

    private SoakPicture() {
    }

    /**
     * @param title    what ran
     * @param subtitle where
     */
    static String svg(Soak soak, String title, String subtitle) {
        double[] minutes = IntStream.range(0, soak.intervals().size()).mapToDouble(i -> (i + 1) * soak.seconds() / 60)
                .toArray();
        List<SvgPanel> panels = List.of(memory(soak, minutes),
                overTime("Time from a token to the next of the same text, over time", soak, minutes,
                        interval -> interval.latencies().nextToken()),
                overTime("Time to the first token, over time", soak, minutes,
                        interval -> interval.latencies().firstToken()),
                byPercentile(soak));
        int height = HEADER + panels.stream().mapToInt(SvgPanel::height).sum();
        StringBuilder svg = new StringBuilder("""
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%1$d" height="%2$d"
                    font-family="DejaVu Sans, Verdana, sans-serif">
                <style>.title{font-size:15px;font-weight:bold}.tick,.legend{font-size:12px}.axis{font-size:13px}\
                .grid{stroke:#ddd;stroke-width:1}text{fill:#222}</style>
                <rect width="%1$d" height="%2$d" fill="#fff"/>
                <text x="24" y="24" font-size="17" font-weight="bold">%s</text>
                <text x="24" y="44" font-size="12">%s</text>
                """.formatted(SvgPanel.WIDTH, height, SvgPanel.escaped(title), SvgPanel.escaped(subtitle)));
        int offset = HEADER;
        for (SvgPanel panel : panels) {
            svg.append(panel.svg(offset));
            offset += panel.height();
        }
        return svg.append("</svg>\n").toString();
    }

    private static Axis time(double[] minutes) {
        double end = minutes[minutes.length - 1];
        return end < 2
                ? Axis.linear("seconds", 60 * end, SoakPicture::number)
                : Axis.linear("minutes", end, SoakPicture::number);
    }

    private static double[] times(double[] minutes) {
        double end = minutes[minutes.length - 1];
        return end < 2 ? IntStream.range(0, minutes.length).mapToDouble(i -> 60 * minutes[i]).toArray() : minutes;
    }

    private static SvgPanel memory(Soak soak, double[] minutes) {
        List<Line> lines = new ArrayList<>();
        memory(lines, "resident set", "#222222", soak, minutes, Soak.Memory::resident);
        memory(lines, "Java heap, garbage too", "#fd8d3c", soak, minutes, Soak.Memory::heap);
        memory(lines, "engine: weights", "#08519c", soak, minutes, memory -> memory.engine().weights());
        memory(lines, "engine: caches", "#31a354", soak, minutes, memory -> memory.engine().caches());
        memory(lines, "engine: working memory", "#756bb1", soak, minutes, memory -> memory.engine().scratch());
        double most = lines.stream().flatMapToDouble(line -> Arrays.stream(line.ys())).max().orElse(1);
        return new SvgPanel("Memory", PANEL, time(minutes), Axis.linear("MiB", most, SoakPicture::number), lines);
    }

    private static void memory(List<Line> lines, String name, String colour, Soak soak, double[] minutes,
            ToDoubleFunction<Soak.Memory> bytes) {
        double[] values = soak.intervals().stream().mapToDouble(i -> bytes.applyAsDouble(i.memory()) / (1 << 20))
                .toArray();
        lines.add(new Line(name + ", " + number(values[values.length - 1]), colour, WIDTH, times(minutes), values));
    }

    private static SvgPanel overTime(String title, Soak soak, double[] minutes,
            Function<Soak.Interval, Histogram> histogram) {
        List<Line> lines = new ArrayList<>();
        double least = Double.MAX_VALUE;
        double most = 0;
        for (int p = PERCENTILES.length - 1; p >= 0; p--) {
            double[] values = new double[minutes.length];
            for (int i = 0; i < values.length; i++) {
                Histogram of = histogram.apply(soak.intervals().get(i));
                values[i] = of.getTotalCount() == 0
                        ? Double.NaN
                        : of.getValueAtPercentile(PERCENTILES[p]) * MILLIS;
                if (of.getTotalCount() > 0) {
                    least = Math.min(least, values[i]);
                    most = Math.max(most, values[i]);
                }
            }
            lines.add(new Line("p" + number(PERCENTILES[p]), SHADES[p],
                    p == PERCENTILES.length - 1 ? WIDE : WIDTH, times(minutes), values));
        }
        return new SvgPanel(title, PANEL, time(minutes),
                Axis.logarithmic("milliseconds", Math.min(least, most), Math.max(most, 1e-3), SoakPicture::number),
                lines);
    }

    /** The usual picture of an HdrHistogram: the farther to the right, the rarer. */
    private static SvgPanel byPercentile(Soak soak) {
        Axis x = new Axis("percentile", percent -> -Math.log10(1 - Math.min(percent, 99.999) / 100),
                List.of(new Tick(0, "0"), new Tick(50, "50"), new Tick(90, "90"), new Tick(99, "99"),
                        new Tick(99.9, "99.9"), new Tick(99.99, "99.99")));
        List<Line> lines = new ArrayList<>();
        double[] range = {Double.MAX_VALUE, 1e-3};
        byPercentile(lines, range, "whole request", "#222222", soak.all().request());
        byPercentile(lines, range, "time to the first token", "#d94801", soak.all().firstToken());
        byPercentile(lines, range, "time to the next token", "#08519c", soak.all().nextToken());
        return new SvgPanel("Latencies by percentile, all the time", PANEL, x,
                Axis.logarithmic("milliseconds", Math.min(range[0], range[1]), range[1], SoakPicture::number), lines);
    }

    private static void byPercentile(List<Line> lines, double[] range, String name, String colour,
            Histogram histogram) {
        if (histogram.getTotalCount() == 0) {
            return;
        }
        List<Double> xs = new ArrayList<>();
        List<Double> ys = new ArrayList<>();
        // Beyond the last one there is nothing but the largest.
        double last = Math.min(99.99, 100 - 100.0 / histogram.getTotalCount());
        for (double rarity = 0; rarity <= 4; rarity += 0.05) {
            double percent = 100 * (1 - Math.pow(10, -rarity));
            if (percent <= last) {
                xs.add(percent);
                ys.add(histogram.getValueAtPercentile(percent) * MILLIS);
            }
        }
        double[] values = ys.stream().mapToDouble(Double::doubleValue).toArray();
        for (double value : values) {
            range[0] = Math.min(range[0], value);
            range[1] = Math.max(range[1], value);
        }
        lines.add(new Line(name, colour, WIDTH, xs.stream().mapToDouble(Double::doubleValue).toArray(), values));
    }

    /** Three digits, or all before the point. */
    static String number(double value) {
        String text = String.format(Locale.ROOT, value >= 100 || value == 0 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f",
                value);
        return text.contains(".") ? text.replaceFirst("\\.?0+$", "") : text;
    }
}
