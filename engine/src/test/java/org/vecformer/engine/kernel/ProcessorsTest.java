package org.vecformer.engine.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Physical cores of made-up machines. */
class ProcessorsTest {

    private static final int UNKNOWN = Integer.MAX_VALUE;

    @TempDir
    Path machine;

    private Path status(String allowed) throws IOException {
        return Files.writeString(machine.resolve("status"),
                "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t" + allowed + "\nMems_allowed:\t1\n");
    }

    private void cpu(int number, String siblings) throws IOException {
        Path topology = Files.createDirectories(machine.resolve("cpu" + number + "/topology"));
        Files.writeString(topology.resolve("thread_siblings_list"), siblings + "\n");
    }

    /** Four cores of two threads each, numbered as most servers do it. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"0-7; 4", "0-3; 4", "4-7; 4", "0,4; 1", "0-1,4-5; 2", "3; 1", "2,7; 2"})
    void twoThreadsOfACoreCountOnce(String allowed, int cores) throws IOException {
        for (int i = 0; i < 8; i++) {
            cpu(i, i % 4 + "," + (i % 4 + 4));
        }
        assertThat(Processors.cores(status(allowed), machine)).isEqualTo(cores);
    }

    /** As desktop processors are numbered, some cores with one thread. */
    @Test
    void neighboursMayBeTheSameCore() throws IOException {
        cpu(0, "0-1");
        cpu(1, "0-1");
        cpu(2, "2-3");
        cpu(3, "2-3");
        cpu(4, "4");
        cpu(5, "5");
        assertThat(Processors.cores(status("0-5"), machine)).isEqualTo(4);
        assertThat(Processors.cores(status("1-4"), machine)).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "0-", "-1", "3-1", "0-99999999999", "0-9999999", "0,,1", "0-1-2"})
    void whatMakesNoSenseIsNotBelieved(String list) throws IOException {
        cpu(0, "0");
        cpu(1, "1");
        assertThat(Processors.cores(status(list), machine)).isEqualTo(UNKNOWN);
        assertThat(Processors.cores(status("0-1"), machine)).isEqualTo(2);
        cpu(0, list);
        assertThat(Processors.cores(status("0-1"), machine)).isEqualTo(UNKNOWN);
    }

    /** A core always counts itself, whatever its file says, so that the count ends. */
    @Test
    void aCoreThatDoesNotNameItselfCounts() throws IOException {
        cpu(0, "5");
        cpu(1, "5");
        assertThat(Processors.cores(status("0-1"), machine)).isEqualTo(2);
    }

    @Test
    void withoutTheFilesNothingIsKnown() throws IOException {
        assertThat(Processors.cores(machine.resolve("no-status"), machine)).isEqualTo(UNKNOWN);
        assertThat(Processors.cores(status("0-1"), machine)).isEqualTo(UNKNOWN);
        assertThat(Processors.cores(Files.writeString(machine.resolve("other"), "Name: java\n"), machine))
                .isEqualTo(UNKNOWN);
    }

    @Test
    void hereItIsAtLeastOneAndNoMoreThanTheProcessors() {
        assertThat(Processors.count()).isBetween(1, Runtime.getRuntime().availableProcessors());
    }
}
