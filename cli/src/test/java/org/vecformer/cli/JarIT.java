package org.vecformer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** target/gpt2.jar as users run it, by the Java of the PATH and by the JDK of the build. */
class JarIT {
    @TempDir
    Path folder;

    static Stream<String> javas() {
        return JarProcess.javas().stream();
    }

    static Stream<String> olderJavas() {
        return JarProcess.olderJavas().stream();
    }

    /** As in a plain container: no locale. */
    private static Map<String, String> noLocale() {
        Map<String, String> environment = new HashMap<>();
        for (String name : System.getenv().keySet()) {
            if (name.startsWith("LC_") || name.startsWith("LANG")) {
                environment.put(name, null);
            }
        }
        return environment;
    }

    @Test
    void whatTheJarHolds() throws IOException {
        try (JarFile jar = new JarFile(JarProcess.jar().toFile())) {
            assertThat(jar.getManifest().getMainAttributes().getValue("Main-Class"))
                    .isEqualTo("org.vecformer.cli.launcher.Launcher");
            List<String> names = jar.stream().map(entry -> entry.getName()).toList();
            assertThat(names).doesNotHaveDuplicates().noneMatch(name -> name.endsWith("module-info.class"));
            assertThat(names).contains("META-INF/LICENSE", "META-INF/NOTICE", "META-INF/JLINE-LICENSE",
                    "META-INF/jline/providers/ffm", "org/vecformer/cli/storyteller/README.md",
                    "org/vecformer/cli/storyteller/model.safetensors", "org/vecformer/cli/storyteller/vocab.json");
            try (var launcher = jar.getInputStream(jar.getEntry("org/vecformer/cli/launcher/Launcher.class"))) {
                // Class files of Java 8.
                assertThat(launcher.readNBytes(8)[7]).isEqualTo((byte) 52);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void itTellsAStoryWithNoNetworkAndNoFiles(String java) throws Exception {
        Map<String, String> environment = noLocale();
        environment.put("HOME", folder.resolve("nobody").toString());
        try (JarProcess gpt2 = JarProcess.shell(environment, java,
                "cd '" + folder
                        + "' && exec \"$JAVA\" -jar \"$JAR\" generate 'Once upon a time' --greedy --max-new-tokens 12")) {
            assertThat(gpt2.await()).isZero();
            assertThat(gpt2.out()).isEqualTo(", there was a little girl named Lily. She loved to\n");
            assertThat(gpt2.err()).hasLineCount(1).contains("vector kernels");
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void itScoresATextAndMeasuresAFile(String java) throws Exception {
        try (JarProcess gpt2 = JarProcess.shell(noLocale(), java,
                "exec \"$JAVA\" -jar \"$JAR\" score --prompt 'Her name was' \"$(printf ' Zo\\303\\253')\" ' Lily' --json --quiet")) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            assertThat(gpt2.out()).startsWith("[{\"text\":\" Zoë\",\"ids\":[").contains("\"ratio_to_first\":1.0}");
        }
        Files.writeString(folder.resolve("passages.txt"), "Once upon a time\nThere was a lobster\n");
        try (JarProcess gpt2 = JarProcess.shell(noLocale(), java, "cd '" + folder
                + "' && exec \"$JAVA\" -jar \"$JAR\" evaluate passages.txt --task last-word")) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            assertThat(gpt2.out()).startsWith("accuracy              0.5000 (1 of 2)\n");
            assertThat(gpt2.err()).hasLineCount(1).startsWith("gpt2 evaluate: ");
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void exitStatusAndStreamsPassThrough(String java) throws Exception {
        try (JarProcess gpt2 = JarProcess.start(java, "generate", "--top-k", "many")) {
            assertThat(gpt2.await()).isEqualTo(2);
            assertThat(gpt2.out()).isEmpty();
            assertThat(gpt2.err()).hasLineCount(1).contains("--top-k");
        }
        try (JarProcess gpt2 = JarProcess.start(java, "generate", "x", "--model", "no/such/model")) {
            assertThat(gpt2.await()).isEqualTo(1);
            assertThat(gpt2.err().lines().findFirst().orElseThrow()).startsWith("gpt2 generate: ")
                    .contains("no/such/model");
        }
        // A program that asks line by line gets each answer before it asks on.
        try (JarProcess gpt2 = JarProcess.start(java, "tokenize", "--jsonl")) {
            int answered = 0;
            for (String text : List.of("Once", " upon", " a")) {
                gpt2.input().write(("{\"text\":\"" + text + "\"}\n").getBytes(StandardCharsets.UTF_8));
                gpt2.input().flush();
                gpt2.awaitOutput(answered + 1);
                while (!gpt2.out().endsWith("}\n")) {
                    Thread.sleep(5);
                }
                answered = gpt2.out().length();
            }
            gpt2.input().close();
            assertThat(gpt2.await()).isZero();
            assertThat(gpt2.out().lines().map(line -> CommandRun.asObject(CommandRun.json(line)).get("ids")))
                    .containsExactly(List.of(567),
                            List.of(510), List.of(259));
        }
    }

    /** The same for a BERT, whose lines are computed together where they come together. */
    @ParameterizedTest
    @MethodSource("javas")
    void aBertAnswersLineByLine(String java) throws Exception {
        String model = TinyBert.write(folder.resolve("bert"), "BertForMaskedLM").toString();
        String expected = CommandRun.of("fill-mask", "bob is [MASK]", "--json", "--model", model).out();
        try (JarProcess gpt2 = JarProcess.start(java, "fill-mask", "--jsonl", "--model", model)) {
            for (int answers = 1; answers <= 3; answers++) {
                gpt2.input().write("{\"text\":\"bob is [MASK]\"}\n".getBytes(StandardCharsets.UTF_8));
                gpt2.input().flush();
                gpt2.awaitOutput(answers * expected.length());
            }
            gpt2.input().write("{\"text\":\"bob is [MASK]\"}\n{\"text\":\"bob\"}".getBytes(StandardCharsets.UTF_8));
            gpt2.input().close();
            assertThat(gpt2.await()).isEqualTo(1);
            assertThat(gpt2.out()).isEqualTo(expected.repeat(4));
            assertThat(gpt2.err()).hasLineCount(1).contains("line 5 of standard input").contains("[MASK]");
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void textIsRightWithoutALocale(String java) throws Exception {
        // "Grüße, 世界 😀?" as bytes.
        String prompt = "\"$(printf 'Gr\\303\\274\\303\\237e, \\344\\270\\226\\347\\225\\214 \\360\\237\\230\\200?')\"";
        try (JarProcess gpt2 = JarProcess.shell(noLocale(), java,
                "exec \"$JAVA\" -jar \"$JAR\" tokenize --json " + prompt)) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            Map<String, Object> result = CommandRun.asObject(CommandRun.json(gpt2.out()));
            assertThat(result.get("ids"))
                    .isEqualTo(CommandRun.of("tokenize", "Grüße, 世界 😀?", "--json").object().get("ids"));
        }
        try (JarProcess gpt2 = JarProcess.shell(noLocale(), java,
                "exec \"$JAVA\" -jar \"$JAR\" generate " + prompt
                        + " --echo --greedy --max-new-tokens 1 --quiet --backend scalar")) {
            assertThat(gpt2.await()).isZero();
            assertThat(gpt2.out()).startsWith("Grüße, 世界 😀?");
        }
        try (JarProcess gpt2 = JarProcess.shell(noLocale(), java,
                "printf 'Gr\\303\\274\\303\\237e' | exec \"$JAVA\" -jar \"$JAR\" generate - --echo --greedy --max-new-tokens 1 --quiet --backend scalar")) {
            assertThat(gpt2.await()).isZero();
            assertThat(gpt2.out()).startsWith("Grüße");
        }
        try (JarProcess gpt2 = JarProcess.shell(noLocale(), java,
                "exec \"$JAVA\" -jar \"$JAR\" tokenize \"$(printf 'Gr\\374n')\"")) {
            assertThat(gpt2.await()).isEqualTo(2);
            assertThat(gpt2.err()).hasLineCount(1).contains("argument 2").contains("UTF-8");
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void fileNamesAreRightWithoutALocale(String java) throws Exception {
        Map<String, String> environment = noLocale();
        environment.put("MODEL", CommandRun.embeddedModel().toString());
        environment.put("FOLDER", folder.toString());
        String line = "D=\"$FOLDER/$(printf 'M\\303\\244rchen')\"; mkdir \"$D\" && cp \"$MODEL\"/* \"$D\" && printf 'Once upon' > \"$D/t\""
                + " && exec \"$JAVA\" -jar \"$JAR\" generate \"@$D/t\" --model \"$D\" --greedy --max-new-tokens 2 --quiet --echo --backend scalar";
        try (JarProcess gpt2 = JarProcess.shell(environment, java, line)) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            assertThat(gpt2.out()).isEqualTo("Once upon a time\n");
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void aPromptMayBeLong(String java) throws Exception {
        // Encoded it is longer than Linux lets one argument be.
        String line = "P=$(yes \"$(printf '\\303\\244 ')\" | head -c 120000 | tr '\\n' ' '); exec \"$JAVA\" -jar \"$JAR\" tokenize \"$P\" --json";
        try (JarProcess gpt2 = JarProcess.shell(noLocale(), java, line)) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            assertThat((List<?>) CommandRun.asObject(CommandRun.json(gpt2.out())).get("ids"))
                    .hasSizeGreaterThan(60_000);
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void aReaderMayGoAway(String java) throws Exception {
        String status = folder.resolve("status").toString();
        String command = "\"$JAVA\" -jar \"$JAR\" generate Once --greedy --ignore-eos --backend scalar";
        try (JarProcess gpt2 = JarProcess.shell(Map.of(), java,
                "(" + command + "; echo $? > '" + status + "') | head -c 8")) {
            gpt2.await();
            assertThat(gpt2.out()).hasSize(8);
            assertThat(Files.readString(Path.of(status))).isEqualTo("0\n");
            assertThat(gpt2.err()).isEmpty();
        }
        assumeTrue(Files.exists(Path.of("/dev/full")));
        try (JarProcess gpt2 = JarProcess.shell(Map.of(), java, command + " > /dev/full")) {
            assertThat(gpt2.await()).isEqualTo(1);
            assertThat(gpt2.err()).hasLineCount(1).contains("standard output");
        }
    }

    @ParameterizedTest
    @MethodSource("javas")
    void shortMemoryIsSaidInOneLine(String java) throws Exception {
        String line = "head -c 30000000 /dev/zero | tr '\\0' 'x' | \"$JAVA\" -Xmx24m -jar \"$JAR\" tokenize -";
        try (JarProcess gpt2 = JarProcess.shell(Map.of(), java, line)) {
            assertThat(gpt2.await()).isEqualTo(1);
            assertThat(gpt2.err()).hasLineCount(1).contains("memory").contains("-Xmx");
        }
    }

    @Test
    void withTheModuleGivenOneJvmIsEnough() throws Exception {
        try (JarProcess gpt2 = JarProcess.shell(Map.of("LC_ALL", "C.UTF-8"), JarProcess.thisJava(),
                "exec \"$JAVA\" --add-modules jdk.incubator.vector -jar \"$JAR\" tokenize --jsonl")) {
            gpt2.input().write("{\"text\":\"Once\"}\n".getBytes(StandardCharsets.UTF_8));
            gpt2.input().flush();
            gpt2.awaitOutput(10);
            assertThat(gpt2.process().descendants()).isEmpty();
            gpt2.input().close();
            assertThat(gpt2.await()).isZero();
        }
    }

    @Test
    void withoutTheVectorModuleItIsSlowLoudlyOrNotAtAll() throws Exception {
        String main = "exec \"$JAVA\" -cp \"$JAR\" org.vecformer.cli.Main generate Once --greedy --max-new-tokens 1";
        try (JarProcess gpt2 = JarProcess.shell(Map.of(), JarProcess.thisJava(), main)) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            assertThat(gpt2.err()).contains("scalar kernels");
        }
        try (JarProcess gpt2 = JarProcess.shell(Map.of(), JarProcess.thisJava(), main + " --require-simd")) {
            assertThat(gpt2.await()).isEqualTo(1);
            assertThat(gpt2.err()).hasLineCount(1).contains("jdk.incubator.vector");
        }
        try (JarProcess gpt2 = JarProcess.shell(Map.of(), JarProcess.thisJava(), main + " --backend vector")) {
            assertThat(gpt2.await()).isEqualTo(1);
            assertThat(gpt2.err()).hasLineCount(1).contains("jdk.incubator.vector");
        }
    }

    /** An archive of classes is written once, used from then on, and never in the way. */
    @ParameterizedTest
    @MethodSource("javas")
    void aClassArchiveChangesNothingButTheTime(String java) throws Exception {
        Path cache = folder.resolve("cache");
        Map<String, String> environment = new HashMap<>();
        environment.put("VECFORMER_CACHE", cache.toString());
        environment.put("JDK_JAVA_OPTIONS", null);
        environment.put("JAVA_TOOL_OPTIONS", null);
        environment.put("CLASSES", folder.resolve("classes-%p").toString());
        String line = "exec \"$JAVA\" -Xlog:class+load:file=\"$CLASSES\" -jar \"$JAR\" tokenize 'Once upon'";
        String expected = CommandRun.of("tokenize", "Once upon").out();
        assertTokenizes(environment, java, line, expected);
        Path archive = onlyFile(cache);
        assertThat(archive.getFileName().toString()).contains("-tokenize-").endsWith(".jsa");
        assertThat(classesFromArchive()).isZero();

        assertTokenizes(environment, java, line, expected);
        assertThat(classesFromArchive()).isGreaterThan(100);
        assertThat(onlyFile(cache)).isEqualTo(archive);

        // Cut off, and then no archive at all.
        byte[] bytes = Files.readAllBytes(archive);
        Files.write(archive, Arrays.copyOf(bytes, bytes.length / 2));
        assertTokenizes(environment, java, line, expected);
        Files.writeString(archive, "not an archive");
        assertTokenizes(environment, java, line, expected);
        assertThat(classesFromArchive()).isZero();

        environment.put("VECFORMER_CACHE", JarProcess.jar().toString());
        assertTokenizes(environment, java, line, expected);
    }

    private static void assertTokenizes(Map<String, String> environment, String java, String line, String expected)
            throws InterruptedException {
        try (JarProcess gpt2 = JarProcess.shell(environment, java, line)) {
            assertThat(gpt2.await()).as(gpt2.err()).isZero();
            assertThat(gpt2.out()).isEqualTo(expected);
            assertThat(gpt2.err()).isEmpty();
        }
    }

    private static Path onlyFile(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(1);
            return all.getFirst();
        }
    }

    /** Classes that the last run of the command took from an archive of its own; forgets the logs. */
    private long classesFromArchive() throws IOException {
        long count = 0;
        try (Stream<Path> logs = Files.list(folder)) {
            for (Path log : logs.filter(file -> file.getFileName().toString().startsWith("classes-")).toList()) {
                try (Stream<String> lines = Files.lines(log)) {
                    count += lines.filter(entry -> entry.contains("shared objects file (top)")).count();
                }
                Files.delete(log);
            }
        }
        return count;
    }

    @ParameterizedTest
    @MethodSource("olderJavas")
    void withoutANewJdkItSaysWhereItLooked(String java) throws Exception {
        Map<String, String> environment = new HashMap<>();
        environment.put("JAVA_HOME", null);
        environment.put("NOWHERE", folder.toString());
        try (JarProcess gpt2 = JarProcess.shell(environment, java,
                "exec \"$JAVA\" -Dvecformer.launcher.root=\"$NOWHERE\" -Duser.home=\"$NOWHERE\" -jar \"$JAR\" generate x")) {
            assertThat(gpt2.await()).isEqualTo(1);
            assertThat(gpt2.out()).isEmpty();
            assertThat(gpt2.err()).startsWith("gpt2: no JDK 25 or newer").contains("JAVA_HOME: not set")
                    .contains("usr/lib/jvm")
                    .contains("VECFORMER_JAVA_HOME");
        }
        environment.put("VECFORMER_JAVA_HOME", System.getProperty("java.home"));
        try (JarProcess gpt2 = JarProcess.shell(environment, java,
                "exec \"$JAVA\" -Dvecformer.launcher.root=\"$NOWHERE\" -Duser.home=\"$NOWHERE\" -jar \"$JAR\" tokenize Once")) {
            assertThat(gpt2.await()).isZero();
        }
    }
}
