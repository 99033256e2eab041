package org.vecformer.cli.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the launcher gives to the process that does the work; the rest is JarIT's. */
class LauncherTest {

    /** Weights go on huge pages, unless the user has an opinion; what else he chose stays. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"; glibc.malloc.hugetlb=1", "''; glibc.malloc.hugetlb=1",
        "glibc.malloc.check=3; glibc.malloc.check=3:glibc.malloc.hugetlb=1",
        "glibc.malloc.hugetlb=0; glibc.malloc.hugetlb=0",
        "glibc.malloc.hugetlb=2:glibc.malloc.check=3; glibc.malloc.hugetlb=2:glibc.malloc.check=3"})
    void hugePagesAreAskedFor(String chosen, String expected) {
        Map<String, String> environment = new HashMap<>();
        if (chosen != null) {
            environment.put("GLIBC_TUNABLES", chosen);
        }
        Launcher.addTunables(environment);
        assertThat(environment).containsOnly(Map.entry("GLIBC_TUNABLES", expected));
    }

    /** Where a driver may be loaded, the JDK's library that keeps the JVM's signal handlers is, too, before all else. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"generate --device gpu; ; LIBRARY", "bench --device=opencl:0; ; LIBRARY",
        "info --devices; ''; LIBRARY", "generate --device gpu; other.so; LIBRARY:other.so", "generate; ; ",
        "generate; other.so; other.so"})
    void signalsAreChainedForADevice(String arguments, String chosen, String expected, @TempDir Path home)
            throws IOException {
        Map<String, String> environment = new HashMap<>();
        if (chosen != null) {
            environment.put("LD_PRELOAD", chosen);
        }
        Path library = Files.createDirectories(home.resolve("lib")).resolve("libjsig.so");
        Launcher.addSignalChaining(environment, home.toFile(), arguments.split(" "));
        assertThat(environment.get("LD_PRELOAD")).as("a JDK without it").isEqualTo(chosen);
        Files.createFile(library);
        Launcher.addSignalChaining(environment, home.toFile(), arguments.split(" "));
        assertThat(environment.get("LD_PRELOAD"))
                .isEqualTo(expected == null ? null : expected.replace("LIBRARY", library.toString()));
    }
}
