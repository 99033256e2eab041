package org.vecformer.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.vecformer.engine.ComputeDevice;
import org.vecformer.engine.Engine;

/** The OpenCL devices for people, below the cpu, and for programs. */
final class DeviceTable {

    private static final List<String> HEADER = List.of("device", "name", "type", "platform", "driver", "units",
            "memory", "one buffer", "local", "version");
    private static final String NOTHING = "-";

    private DeviceTable() {
    }

    /** "vector kernels, 512-bit": what the cpu is going to compute with. */
    private static String kernels(Engine cpu) {
        return cpu.backend() + " kernels" + (cpu.vectorBits() > 0 ? ", " + cpu.vectorBits() + "-bit" : "");
    }

    /** Lines of columns; the cpu is the first one below the header. */
    static List<String> lines(Engine cpu, List<ComputeDevice> devices) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADER);
        rows.add(List.of("cpu", kernels(cpu), "cpu", NOTHING, NOTHING, Integer.toString(cpu.threads()), NOTHING,
                NOTHING, NOTHING, NOTHING));
        for (ComputeDevice device : devices) {
            rows.add(List.of(name(device), Texts.printable(device.name()), type(device),
                    Texts.printable(device.platform()), Texts.printable(device.driver()),
                    Integer.toString(device.computeUnits()), size(device.globalMemory()),
                    size(device.maxAllocation()), size(device.localMemory()), Texts.printable(device.version())));
        }
        int[] widths = new int[HEADER.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        return rows.stream().map(row -> line(row, widths)).toList();
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            line.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 2);
        }
        return line.toString().stripTrailing();
    }

    static void write(JsonGenerator json, ComputeDevice device) throws IOException {
        json.writeStartObject();
        json.writeStringField("device", name(device));
        json.writeStringField("name", device.name());
        json.writeStringField("type", type(device));
        json.writeStringField("vendor", device.vendor());
        json.writeStringField("platform", device.platform());
        json.writeStringField("driver", device.driver());
        json.writeStringField("version", device.version());
        json.writeNumberField("compute_units", device.computeUnits());
        json.writeNumberField("max_work_group_size", device.maxWorkGroupSize());
        json.writeNumberField("memory_bytes", device.globalMemory());
        json.writeNumberField("max_allocation_bytes", device.maxAllocation());
        json.writeNumberField("local_memory_bytes", device.localMemory());
        json.writeBooleanField("half_precision", device.halfPrecision());
        json.writeEndObject();
    }

    /** As {@code --device} takes it. */
    private static String name(ComputeDevice device) {
        return "opencl:" + device.index();
    }

    private static String type(ComputeDevice device) {
        return device.type().name().toLowerCase(Locale.ROOT);
    }

    private static String size(long bytes) {
        if (bytes >= 1 << 30) {
            return String.format(Locale.ROOT, "%.1f GiB", bytes / 0x1p30);
        }
        return bytes >= 1 << 20
                ? String.format(Locale.ROOT, "%.1f MiB", bytes / 0x1p20)
                : String.format(Locale.ROOT, "%.0f KiB", bytes / 0x1p10);
    }
}
