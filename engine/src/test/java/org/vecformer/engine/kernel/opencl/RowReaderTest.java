package org.vecformer.engine.kernel.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.vecformer.engine.TestDevices;

@Tag("opencl")
class RowReaderTest {

    private static final int ROWS = 1000;
    private static final int COLUMNS = 700;
    /** Rows that a large transfer has: 2^18 floats, of 704 a row. */
    private static final int WINDOW = 372;

    private ClDevice device;
    private ClQueue queue;
    private DeviceTensor x;
    private RowReader reader;
    private final float[] row = new float[COLUMNS];

    @BeforeEach
    void open() {
        device = ClDevice.open(TestDevices.choiceOrSkip(), false);
        queue = device.openQueue();
        x = new DeviceTensor(device.allocate(DeviceTensor.byteSize(ROWS, COLUMNS), "x"), ROWS, COLUMNS);
        for (int r = 0; r < ROWS; r++) {
            write(r, r);
        }
        reader = new RowReader(queue);
    }

    private void write(int r, float plus) {
        for (int c = 0; c < COLUMNS; c++) {
            row[c] = c + plus / 1024;
        }
        queue.write(x.data(), x.offset(r), row, 0, COLUMNS);
    }

    private void check(int r, float plus) {
        reader.read(x, r, row);
        for (int c = 0; c < COLUMNS; c++) {
            assertThat(row[c]).isEqualTo(c + plus / 1024);
        }
    }

    @AfterEach
    void close() {
        if (device != null) {
            x.close();
            queue.close();
            device.close();
        }
    }

    @Test
    void neighboursComeTogether() {
        for (int r = 0; r < ROWS; r++) {
            check(r, r);
        }
        // The first by itself: nobody knows yet that others will be wanted.
        assertThat(reader.transfers()).isEqualTo(1 + Math.ceilDiv(ROWS - 1, WINDOW));
    }

    @Test
    void othersComeByThemselves() {
        for (int r : new int[]{5, 3, 999, 3, 500}) {
            check(r, r);
        }
        assertThat(reader.transfers()).isEqualTo(5);
        // To the last row and not beyond.
        check(998, 998);
        check(999, 999);
        check(998, 998);
    }

    @Test
    void whatHasChangedIsReadAgain() {
        check(0, 0);
        check(1, 1);
        check(2, 2);
        assertThat(reader.transfers()).isEqualTo(2);
        write(3, 17);
        check(3, 17);
        check(4, 4);
        queue.fill(x.data(), x.offset(5), (long) COLUMNS * Float.BYTES, 2f);
        reader.read(x, 5, row);
        assertThat(row).containsOnly(2f);
        queue.copy(x.data(), x.offset(9), x.data(), x.offset(6), (long) COLUMNS * Float.BYTES);
        check(6, 9);
    }

    @Test
    void anotherTensorsRowsAreItsOwn() {
        try (DeviceTensor y = new DeviceTensor(device.allocate(DeviceTensor.byteSize(3, COLUMNS), "y"), 3, COLUMNS)) {
            queue.fill(y.data(), 0, y.data().bytes(), 3f);
            check(0, 0);
            check(1, 1);
            reader.read(y, 2, row);
            assertThat(row).containsOnly(3f);
            check(3, 3);
        }
    }

    @Test
    void whatIsClosedIsNotRead() {
        DeviceTensor y = new DeviceTensor(device.allocate(DeviceTensor.byteSize(9, COLUMNS), "y"), 9, COLUMNS);
        queue.fill(y.data(), 0, y.data().bytes(), 3f);
        reader.read(y, 0, row);
        reader.read(y, 1, row);
        y.close();
        assertThatThrownBy(() -> reader.read(y, 2, row)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }
}
