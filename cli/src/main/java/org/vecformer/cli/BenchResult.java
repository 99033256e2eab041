package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.Locale;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.yardstick.KernelTimes;
import org.vecformer.yardstick.Samples;

/**
 * What a test of {@code bench} gave.
 *
 * @param speeds tokens per second of each repetition
 * @param seconds that each took
 * @param limit of what computes, in its unit; NaN if it could not be measured
 * @param kernels the device's time in the repetitions, by kernel; null if nobody asked
 */
record BenchResult(BenchTest test, Samples speeds, Samples seconds, double limit, KernelTimes kernels) {
    static final String HEADER = String.format(Locale.ROOT, "%-24s %-7s %-8s %7s %-10s %10s %-24s %s", "model",
            "weights", "backend", "threads", "test", "tokens/s", "(spread)", "share of the machine's limit");

    /** The median speed as a share of what the limit allows; NaN if that is not known. */
    double share() {
        return test.workPerToken() > 0 ? speeds.median() * test.workPerToken() / 1e9 / limit : Double.NaN;
    }

    /** A line of the table, and the table of kernels below it. */
    String text(LoadedModel model) {
        return kernels == null ? line(model) : line(model) + System.lineSeparator() + kernels.text();
    }

    private String line(LoadedModel model) {
        String line = String.format(Locale.ROOT, "%-24s %-7s %-8s %7d %-10s %10.2f %-24s", model.name(),
                model.weights(), model.engine().backend(), model.engine().threads(), test.name(), speeds.median(),
                String.format(Locale.ROOT, "(%.2f - %.2f)", speeds.least(), speeds.most()));
        return Double.isNaN(share())
                ? line.stripTrailing()
                : line + String.format(Locale.ROOT, " %.1f %% of the %s of %.1f %s", 100 * share(),
                        test.limit().label(), limit, test.limit().unit());
    }

    /** An object; what is not known has no field. */
    void write(JsonGenerator json, LoadedModel model) throws IOException {
        json.writeStartObject();
        json.writeStringField("model", model.name());
        json.writeStringField("weights", model.weights());
        json.writeStringField("backend", model.engine().backend());
        if (model.engine().device().isPresent()) {
            ComputeDevice device = model.engine().device().get();
            json.writeStringField("device", device.name());
            json.writeStringField("device_type", device.type().name().toLowerCase(Locale.ROOT));
        }
        json.writeNumberField("threads", model.engine().threads());
        json.writeStringField("test", test.name());
        json.writeNumberField("tokens_per_second", speeds.mean());
        json.writeNumberField("stddev", speeds.deviation());
        speeds.write(json, "");
        json.writeNumberField("repetitions", speeds.values().length);
        if (!Double.isNaN(limit)) {
            json.writeStringField("limit", test.limit().label());
            json.writeNumberField("limit_value", limit);
            json.writeStringField("limit_unit", test.limit().unit());
        }
        if (!Double.isNaN(share())) {
            json.writeNumberField("share", share());
        }
        if (test.firstToken()) {
            json.writeNumberField("first_token_seconds", seconds.median());
        }
        json.writeNumberField("load_seconds", model.loadSeconds());
        if (kernels != null) {
            kernels.write(json);
        }
        json.writeEndObject();
    }
}
