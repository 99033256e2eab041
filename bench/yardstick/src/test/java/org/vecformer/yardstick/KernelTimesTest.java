package org.vecformer.yardstick;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.KernelTime;

class KernelTimesTest {

    private final KernelTimes times = KernelTimes.of(
            Map.of("norm", new KernelTime(4, 1_000_000), "matvec", new KernelTime(2, 3_000_000)), 0.005);

    @Test
    void asATable() {
        assertThat(times.text().lines()).containsExactly(
                "  kernel                            launches   total ms    mean us    share",
                "  matvec                                   2      3.000    1500.00   75.0 %",
                "  norm                                     4      1.000     250.00   25.0 %",
                "  all kernels                              6      4.000     666.67  100.0 %"
                        + "; 80.0 % of 5.000 ms that the process waited");
    }

    @Test
    void asJson() throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
            json.writeStartObject();
            times.write(json);
            json.writeEndObject();
        }
        assertThat(text).hasToString("""
                {"kernels":[{"name":"matvec","launches":2,"total_ms":3.0,"mean_us":1500.0,"share":0.75},\
                {"name":"norm","launches":4,"total_ms":1.0,"mean_us":250.0,"share":0.25}],"kernels_busy":0.8}""");
    }

    @Test
    void nothingWasLaunched() {
        KernelTimes none = KernelTimes.of(Map.of(), 1);
        assertThat(none.text()).contains("all kernels").doesNotContain("NaN");
        assertThat(none.sum()).isEqualTo(new KernelTime(0, 0));
    }
}
