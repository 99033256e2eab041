package org.vecformer.cli.launcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The search on made-up machines of the three systems. */
class JdkSearchTest {
    private static final String MODULES = "java.base jdk.incubator.vector jdk.zipfs";

    @TempDir
    Path machine;

    private final Map<String, String> environment = new HashMap<>();

    private Jdk running = new Jdk(new File("/running"), "17.0.15", true);

    private Path install(String folder, String version, String modules, String executable) {
        try {
            Path home = Files.createDirectories(machine.resolve(folder));
            Files.createDirectories(home.resolve("bin"));
            Files.writeString(home.resolve("bin").resolve(executable), "");
            Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Somebody\"\nJAVA_VERSION=\"" + version + "\"\n"
                    + (modules == null ? "" : "MODULES=\"" + modules + "\"\n"));
            return home;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path install(String folder, String version) {
        return install(folder, version, MODULES, "java");
    }

    private Path installWindows(String folder, String version) {
        return install(folder, version, MODULES, "java.exe");
    }

    private Path find(Places.Family family) throws NoJdkException {
        return find(family, "home/user");
    }

    private Path find(Places.Family family, String userHome) throws NoJdkException {
        Places places = new Places(family, machine.toFile(), machine.resolve(userHome).toFile(), environment);
        return new JdkSearch(places, running).find().home().toPath();
    }

    @ParameterizedTest
    @ValueSource(strings = {"usr/lib/jvm/temurin-25-jdk-amd64", "usr/lib64/jvm/java-25", "usr/java/jdk-25",
        "usr/local/openjdk-25", "usr/local/java/jdk-25", "opt/java/openjdk", "opt/jdk-25.0.3", "opt/jdk/25",
        "home/user/.sdkman/candidates/java/25.0.3-tem", "home/user/.jdks/openjdk-25",
        "home/user/.asdf/installs/java/temurin-25",
        "home/user/.local/share/mise/installs/java/25", "home/user/.jbang/cache/jdks/25",
        "home/user/.gradle/jdks/temurin-25",
        "home/linuxbrew/.linuxbrew/opt/openjdk@25/libexec"})
    void linux(String folder) throws Exception {
        Path home = install(folder, "25.0.3");
        assertThat(find(Places.Family.LINUX)).isEqualTo(home);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Library/Java/JavaVirtualMachines/temurin-25.jdk/Contents/Home",
        "System/Library/Java/JavaVirtualMachines/x.jdk/Contents/Home",
        "Users/me/Library/Java/JavaVirtualMachines/openjdk-25/Contents/Home",
        "opt/homebrew/opt/openjdk@25/libexec/openjdk.jdk/Contents/Home",
        "usr/local/opt/openjdk/libexec/openjdk.jdk/Contents/Home", "Users/me/.sdkman/candidates/java/25.0.3-tem",
        "Users/me/.jdks/temurin-25/Contents/Home", "Users/me/.asdf/installs/java/zulu-25"})
    void mac(String folder) throws Exception {
        Path home = install(folder, "25.0.3");
        assertThat(find(Places.Family.MAC, "Users/me")).isEqualTo(home);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Program Files/Java/jdk-25", "Program Files/Eclipse Adoptium/jdk-25.0.3.9-hotspot",
        "Program Files/Microsoft/jdk-25.0.3.9-hotspot", "Program Files/Zulu/zulu-25",
        "Program Files/Amazon Corretto/jdk25.0.3_9",
        "Program Files/BellSoft/LibericaJDK-25", "Program Files (x86)/Java/jdk-25",
        "Users/me/AppData/Local/Programs/Eclipse Adoptium/jdk-25", "Users/me/.jdks/openjdk-25",
        "Users/me/scoop/apps/temurin25-jdk/current"})
    void windows(String folder) throws Exception {
        environment.put("ProgramFiles", machine.resolve("Program Files").toString());
        environment.put("ProgramFiles(x86)", machine.resolve("Program Files (x86)").toString());
        environment.put("LOCALAPPDATA", machine.resolve("Users/me/AppData/Local").toString());
        Path home = installWindows(folder, "25.0.3");
        assertThat(find(Places.Family.WINDOWS, "Users/me")).isEqualTo(home);
    }

    @Test
    void theRunningOneIsPreferredToANewerOne() throws Exception {
        install("usr/lib/jvm/java-27", "27");
        running = new Jdk(new File("/running"), "25", true);
        assertThat(find(Places.Family.LINUX)).isEqualTo(Path.of("/running"));
    }

    @Test
    void theNewestOfTheFoldersIsTaken() throws Exception {
        install("usr/lib/jvm/java-25-a", "25.0.3");
        install("usr/lib/jvm/java-8", "1.8.0_402");
        Path newest = install("opt/jdk-x", "25.0.10");
        install("usr/lib/jvm/java-25-b", "25");
        install("usr/lib/jvm/java-9", "9.0.4");
        assertThat(find(Places.Family.LINUX)).isEqualTo(newest);
    }

    @Test
    void javaHomeComesBeforeTheFolders() throws Exception {
        install("usr/lib/jvm/java-27", "27");
        environment.put("JAVA_HOME", install("somewhere/else", "25").toString());
        assertThat(find(Places.Family.LINUX)).isEqualTo(machine.resolve("somewhere/else"));
    }

    @Test
    void anOldJavaHomeIsPassedOver() throws Exception {
        Path home = install("usr/lib/jvm/java-27", "27");
        environment.put("JAVA_HOME", install("somewhere/else", "21.0.2").toString());
        assertThat(find(Places.Family.LINUX)).isEqualTo(home);
    }

    @Test
    void theJavaOfThePathIsFollowedToItsHome() throws Exception {
        Path home = install("odd/place/jdk", "26");
        Path bin = Files.createDirectories(machine.resolve("usr/bin"));
        Files.createSymbolicLink(bin.resolve("java"), home.resolve("bin/java"));
        environment.put("PATH", "relative" + File.pathSeparator + machine.resolve("none") + File.pathSeparator + bin);
        assertThat(find(Places.Family.LINUX)).isEqualTo(home.toRealPath());
    }

    @Test
    void theOverrideComesFirst() throws Exception {
        running = new Jdk(new File("/running"), "25", true);
        Path home = install("mine", "26");
        environment.put("VECFORMER_JAVA_HOME", home.toString());
        assertThat(find(Places.Family.LINUX)).isEqualTo(home);
    }

    @Test
    void anOverrideThatDoesNotFitIsRefused() {
        running = new Jdk(new File("/running"), "25", true);
        environment.put("VECFORMER_JAVA_HOME", install("mine", "21").toString());
        assertThatThrownBy(() -> find(Places.Family.LINUX)).isInstanceOf(NoJdkException.class)
                .hasMessageContaining("VECFORMER_JAVA_HOME").hasMessageContaining("Java 21").hasMessageContaining("25");
    }

    @Test
    void aJavaWithoutTheVectorModuleIsPassedOver() throws Exception {
        install("usr/lib/jvm/java-27-small", "27", "java.base java.logging", "java");
        Path full = install("usr/lib/jvm/java-25", "25");
        assertThat(find(Places.Family.LINUX)).isEqualTo(full);
    }

    @Test
    void aReleaseFileWithoutModulesIsTrusted() throws Exception {
        Path home = install("usr/lib/jvm/java-25", "25", null, "java");
        assertThat(find(Places.Family.LINUX)).isEqualTo(home);
    }

    @Test
    void foldersThatAreNoJdkDoNoHarm() throws Exception {
        Files.createDirectories(machine.resolve("usr/lib/jvm/empty"));
        Files.createDirectories(machine.resolve("usr/lib/jvm/odd/release"));
        Files.writeString(machine.resolve("usr/lib/jvm/file"), "");
        Files.delete(install("usr/lib/jvm/no-executable", "29").resolve("bin/java"));
        Files.writeString(install("usr/lib/jvm/garbage", "29").resolve("release"), "\0\u00FF\nJAVA_VERSION=\"?\"");
        Files.createSymbolicLink(machine.resolve("usr/lib/jvm/dangling"), machine.resolve("nowhere"));
        Path home = install("usr/lib/jvm/java-25", "25");
        assertThat(find(Places.Family.LINUX)).isEqualTo(home);
    }

    @Test
    void nothingFoundSaysWhatWasLookedForAndWhere() {
        install("usr/lib/jvm/java-21", "21.0.2");
        install("opt/jdk-27-small", "27", "java.base", "java");
        Path old = install("old", "11.0.1");
        environment.put("JAVA_HOME", old.toString());
        environment.put("PATH", machine.resolve("bin").toString());
        assertThatThrownBy(() -> find(Places.Family.LINUX)).isInstanceOf(NoJdkException.class).message()
                .contains("no JDK 25 or newer").contains("jdk.incubator.vector").contains("/running is Java 17.0.15")
                .contains("JAVA_HOME: " + old + " is Java 11.0.1").contains("PATH: no java")
                .contains("usr/lib/jvm: java-21 is Java 21.0.2")
                .contains("opt: jdk-27-small is Java 27 without the module jdk.incubator.vector")
                .contains("no JDK in ").contains("usr/java, ").contains(".sdkman/candidates/java")
                .contains("VECFORMER_JAVA_HOME");
    }

    @ParameterizedTest
    @CsvSource({"1.8.0_402,8", "9,9", "17.0.15,17", "25.0.3+9,25", "26-ea,26", "abc,0", "'',0"})
    void featureNumber(String version, int feature) {
        assertThat(Jdk.feature(version)).isEqualTo(feature);
    }
}
