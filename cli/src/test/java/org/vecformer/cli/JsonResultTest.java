package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class JsonResultTest {

    /** Whoever ends the process between two writes leaves whole lines. */
    @Test
    void aLineGoesOutInOneWrite() throws IOException {
        List<String> writes = new ArrayList<>();
        StandardOutput out = new StandardOutput(new OutputStream() {
            @Override
            public void write(int b) {
                writes.add(Character.toString(b));
            }

            @Override
            public void write(byte[] bytes, int offset, int length) {
                writes.add(new String(bytes, offset, length, StandardCharsets.UTF_8));
            }
        });
        for (int i = 0; i < 2; i++) {
            JsonResult.line(out, json -> {
                json.writeStartObject();
                json.writeStringField("text", "Es war einmal ein M\u00e4dchen");
                json.writeEndObject();
            });
        }
        assertThat(writes).hasSize(2).containsOnly("{\"text\":\"Es war einmal ein M\u00e4dchen\"}\n");
    }
}
