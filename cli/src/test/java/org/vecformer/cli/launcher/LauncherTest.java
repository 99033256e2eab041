package org.vecformer.cli.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
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
}
