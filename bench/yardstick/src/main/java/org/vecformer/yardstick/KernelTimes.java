package org.vecformer.yardstick;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.vecformer.engine.KernelTime;

/**
 * Where a device's time went: its kernels, the one that took most first. Immutable.
 *
 * @param kernels     each kernel's time
 * @param wallSeconds how long the process waited for all of it; what the kernels' sum leaves of that is between them
 */
public record KernelTimes(List<Kernel> kernels, double wallSeconds) {

    /** A kernel of a device. */
    public record Kernel(String name, KernelTime time) {}

    public KernelTimes {
        kernels = kernels.stream().sorted(Comparator.comparingLong((Kernel kernel) -> -kernel.time.nanos())
                .thenComparing(Kernel::name)).toList();
    }

    /**
     * What an engine counted.
     *
     * @param profile as {@link org.vecformer.engine.Engine#profile} gives it
     */
    public static KernelTimes of(Map<String, KernelTime> profile, double wallSeconds) {
        return new KernelTimes(
                profile.entrySet().stream().map(entry -> new Kernel(entry.getKey(), entry.getValue())).toList(),
                wallSeconds);
    }

    /** All kernels together. */
    public KernelTime sum() {
        return kernels.stream().map(Kernel::time).reduce(new KernelTime(0, 0), KernelTime::plus);
    }

    /** A table for people, without a line break at its end. */
    public String text() {
        KernelTime sum = sum();
        StringBuilder text = new StringBuilder(
                String.format(Locale.ROOT, "  %-32s %9s %10s %10s %8s", "kernel", "launches", "total ms", "mean us",
                        "share"));
        for (Kernel kernel : kernels) {
            text.append(line(kernel.name, kernel.time, sum));
        }
        return text.append(line("all kernels", sum, sum)).append(String.format(Locale.ROOT,
                "; %.1f %% of %.3f ms that the process waited", 100 * busy(), 1e3 * wallSeconds)).toString();
    }

    private static String line(String name, KernelTime time, KernelTime sum) {
        return String.format(Locale.ROOT, "%n  %-32s %9d %10.3f %10.2f %6.1f %%", name, time.launches(),
                time.nanos() / 1e6, mean(time), 100 * share(time, sum));
    }

    /** Microseconds a launch. */
    private static double mean(KernelTime time) {
        return time.launches() == 0 ? 0 : time.nanos() / 1e3 / time.launches();
    }

    private static double share(KernelTime time, KernelTime sum) {
        return sum.nanos() == 0 ? 0 : (double) time.nanos() / sum.nanos();
    }

    /** The kernels' sum as a share of the time that was waited. */
    private double busy() {
        return sum().nanos() / 1e9 / wallSeconds;
    }

    /** Writes the field {@code kernels}, an array of objects, and {@code kernels_busy}, their share of the time waited. */
    public void write(JsonGenerator json) throws IOException {
        KernelTime sum = sum();
        json.writeArrayFieldStart("kernels");
        for (Kernel kernel : kernels) {
            json.writeStartObject();
            json.writeStringField("name", kernel.name);
            json.writeNumberField("launches", kernel.time.launches());
            json.writeNumberField("total_ms", kernel.time.nanos() / 1e6);
            json.writeNumberField("mean_us", mean(kernel.time));
            json.writeNumberField("share", share(kernel.time, sum));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeNumberField("kernels_busy", busy());
    }
}
