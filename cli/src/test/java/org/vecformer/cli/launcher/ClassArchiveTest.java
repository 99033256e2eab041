package org.vecformer.cli.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is written where, and what becomes of it; a made-up JDK. JarIT has the JVM's part. */
class ClassArchiveTest {

    private static final String WRITE = "-XX:ArchiveClassesAtExit=";
    private static final String READ = "-XX:SharedArchiveFile=";

    @TempDir
    Path machine;

    private Path jdk;
    private Path jar;
    private Path folder;

    @BeforeEach
    void jdkAndJar() throws IOException {
        jdk = machine.resolve("jdk");
        Files.createDirectories(jdk.resolve("lib/server"));
        Files.writeString(jdk.resolve("lib/server/classes.jsa"), "shared");
        Files.writeString(jdk.resolve("lib/modules"), "modules");
        jar = Files.writeString(machine.resolve("gpt2.jar"), "jar");
        folder = machine.resolve("cache");
    }

    private ClassArchive archive(String command, String processId) {
        return ClassArchive.of(folder.toString(), jdk.toFile(), jar.toFile(), command, processId);
    }

    private static String value(ClassArchive archive, String option) {
        List<String> values = archive.options().stream().filter(o -> o.startsWith(option)).toList();
        assertThat(values).hasSize(1);
        return values.getFirst().substring(option.length());
    }

    /** The part of the JVM. */
    private static Path write(ClassArchive archive) throws IOException {
        return Files.writeString(Path.of(value(archive, WRITE)), "classes");
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(file -> file.getFileName().toString()).toList();
        }
    }

    @Test
    void theFirstRunWritesAndTheNextReads() throws IOException {
        ClassArchive first = archive("generate", "7");
        Path written = write(first);
        first.ended(0);
        first.ended(0);
        assertThat(written).doesNotExist();
        ClassArchive second = archive("generate", "8");
        assertThat(Path.of(value(second, READ))).hasContent("classes").hasParent(folder);
        second.ended(0);
        assertThat(archive("generate", "9").options()).isEqualTo(second.options());
        assertThat(value(archive("score", "9"), WRITE)).isNotEmpty();
    }

    @Test
    void aRunThatFailedLeavesNothing() throws IOException {
        ClassArchive archive = archive("generate", "7");
        write(archive);
        archive.ended(130);
        assertThat(files()).isEmpty();
        archive("generate", "8").ended(0);
        assertThat(files()).isEmpty();
    }

    @Test
    void twoFirstRunsAtOnce() throws IOException {
        ClassArchive one = archive("generate", "7");
        ClassArchive other = archive("generate", "8");
        assertThat(write(one)).isNotEqualTo(write(other));
        one.ended(0);
        other.ended(0);
        assertThat(files()).hasSize(1);
        assertThat(value(archive("generate", "9"), READ)).endsWith(files().getFirst());
    }

    @Test
    void aNewJarOrJdkReplacesTheArchivesOfTheOld() throws IOException {
        ClassArchive old = archive("generate", "1");
        write(old);
        old.ended(0);
        ClassArchive neighbour = archive("score", "1");
        write(neighbour);
        neighbour.ended(0);
        for (Path changed : new Path[]{jar, jdk.resolve("lib/modules")}) {
            Files.writeString(changed, "changed " + changed);
            ClassArchive archive = archive("generate", "2");
            write(archive);
            archive.ended(0);
            assertThat(files()).as("of generate and of score").hasSize(2);
        }
        assertThat(files()).filteredOn(name -> name.contains("-score-")).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--version", "Generate", "../generate", "a b", "generate:x", "aaaaaaaaaaaaaaaaaaaaa"})
    void onlyWhatMayBeACommandHasOne(String command) {
        assertThat(archive(command, "7").options()).isEmpty();
        assertThat(folder).doesNotExist();
    }

    @Test
    void withoutAUsableFolderThereIsNone() throws IOException {
        assertThat(ClassArchive.of(null, jdk.toFile(), jar.toFile(), "generate", "7").options()).isEmpty();
        assertThat(ClassArchive.of("", jdk.toFile(), jar.toFile(), "generate", "7").options()).isEmpty();
        Path file = Files.writeString(machine.resolve("file"), "");
        assertThat(ClassArchive.of(file.toString(), jdk.toFile(), jar.toFile(), "generate", "7").options()).isEmpty();
        String deep = machine.resolve("no/such").toString();
        assertThat(ClassArchive.of(deep, jdk.toFile(), jar.toFile(), "generate", "7").options()).isEmpty();
        // The JVM takes such a name for two.
        String two = folder + File.pathSeparator + "x";
        assertThat(ClassArchive.of(two, jdk.toFile(), jar.toFile(), "generate", "7").options()).isEmpty();
        assertThat(ClassArchive.none().options()).isEmpty();
    }

    @Test
    void aJdkThatDoesNotShareHasNone() throws IOException {
        Files.delete(jdk.resolve("lib/server/classes.jsa"));
        assertThat(archive("generate", "7").options()).isEmpty();
    }
}
