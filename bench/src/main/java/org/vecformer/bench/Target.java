package org.vecformer.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Locale;
import org.vecformer.yardstick.Limit;

/**
 * A row of {@link TargetsReport}: what was to be reached, and what was. What does not apply is NaN, or null.
 *
 * @param name    what was measured
 * @param goal    what was to be reached; empty if nothing was
 * @param limit   what the machine allows, in {@code limitUnit}
 * @param ours    the median, in {@code unit}
 * @param share   the median share of the limit
 * @param peer    who else did it
 * @param theirs  its median, in {@code unit}
 * @param ratio   the median of ours by theirs
 * @param reached whether the goal was reached; null if nobody here can say so
 * @param why     why it was not measured; null if it was
 */
record Target(String name, String goal, String limitName, double limit, String limitUnit, double ours, String unit,
        double share, String peer, double theirs, double ratio, Boolean reached, String why) {

    static final String HEADER = """
            | target | goal | limit | ours | of the limit | peer | ours by it | reached |
            |---|---|---|---|---|---|---|---|""";

    /** A row that has what we did. */
    static Target of(String name, String goal, double ours, String unit) {
        return new Target(name, goal, null, Double.NaN, null, ours, unit, Double.NaN, null, Double.NaN, Double.NaN,
                null, null);
    }

    /** A row that says why it is empty. */
    static Target missing(String name, String goal, String why) {
        return new Target(name, goal, null, Double.NaN, null, Double.NaN, null, Double.NaN, null, Double.NaN,
                Double.NaN, null, why);
    }

    /** With the machine's limit, and our share of it. */
    Target of(Limit limit, double value, double share) {
        return new Target(name, goal, limit.label(), value, limit.unit(), ours, unit, share, peer, theirs, ratio,
                reached, why);
    }

    /** Beside somebody else, whose speed is in the same unit. */
    Target beside(String peer, double theirs, double ratio) {
        return new Target(name, goal, limitName, limit, limitUnit, ours, unit, share, peer, theirs, ratio, reached,
                why);
    }

    /** Whether the goal was reached. */
    Target reached(boolean reached) {
        return new Target(name, goal, limitName, limit, limitUnit, ours, unit, share, peer, theirs, ratio, reached,
                why);
    }

    /** A row of a table in Markdown. */
    String text() {
        if (why != null) {
            return "| " + name + " | " + goal + " | | not measured: " + why + " | | | | |";
        }
        return "| " + String.join(" | ", name, goal,
                limitName == null ? "" : limitName + " " + number(limit) + " " + limitUnit,
                number(ours) + " " + unit,
                Double.isNaN(share) ? "" : String.format(Locale.ROOT, "%.1f %%", 100 * share),
                peer == null ? "" : peer + " " + number(theirs),
                Double.isNaN(ratio) ? "" : String.format(Locale.ROOT, "%.2f", ratio),
                reached == null ? "" : reached ? "yes" : "no") + " |";
    }

    /** Three digits, or all before the point. */
    private static String number(double value) {
        double size = Math.abs(value);
        return String.format(Locale.ROOT, size >= 100 || size == 0 ? "%.0f" : size >= 10 ? "%.1f" : "%.2f", value);
    }

    String json() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            write(json, "target", name);
            write(json, "goal", goal);
            write(json, "limit", limitName);
            write(json, "limit_value", limit);
            write(json, "limit_unit", limitUnit);
            write(json, "ours", ours);
            write(json, "unit", unit);
            write(json, "share", share);
            write(json, "peer", peer);
            write(json, "theirs", theirs);
            write(json, "ratio", ratio);
            if (reached != null) {
                json.writeBooleanField("reached", reached);
            }
            write(json, "not_measured", why);
            json.writeEndObject();
        }
        return text.toString();
    }

    private static void write(JsonGenerator json, String field, String value) throws IOException {
        if (value != null) {
            json.writeStringField(field, value);
        }
    }

    private static void write(JsonGenerator json, String field, double value) throws IOException {
        if (!Double.isNaN(value)) {
            json.writeNumberField(field, value);
        }
    }
}
