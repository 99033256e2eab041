package org.vecformer.engine.life;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.Engine;
import org.vecformer.engine.EngineOptions;
import org.vecformer.engine.generation.GenerationOptions;
import org.vecformer.engine.generation.TokenListener;
import org.vecformer.engine.model.Gpt;
import org.vecformer.engine.model.Model;
import org.vecformer.engine.task.TextGenerator;

/** In a process whose processors and memory somebody limits, as containers do. */
class ContainerTest {

    @TempDir
    static Path directory;
    private static TinyModels models;

    @BeforeAll
    static void write() throws IOException {
        models = TinyModels.write(directory);
    }

    /** Prints what an engine makes of this machine, and what a model writes on it. */
    static final class Guest {
        private Guest() {
        }

        public static void main(String[] args) throws IOException {
            try (Model model = Model.load(Path.of(args[0]));
                    TextGenerator generator = TextGenerator.open((Gpt) model, model.tokenizer())) {
                String text = generator.generate("Hello", GenerationOptions.defaults().withMaxNewTokens(20),
                        TokenListener.NONE).text();
                System.out.println("threads " + model.engine().threads() + ", workers "
                        + Waiting.libraryThreads().size() + ", limit " + model.engine().memory().limit());
                System.out.println("text " + text.hashCode());
            }
        }
    }

    private static String run(String... flags) throws IOException {
        return JavaProcess.run(List.of(flags), Guest.class, models.gpt().toString());
    }

    @Test
    void theSameTextOnFewerProcessors() throws IOException {
        String usual = run();
        String one = run("-XX:ActiveProcessorCount=1");
        assertThat(one).contains("threads 1, workers 0,").contains(text(usual));
        assertThat(run("-XX:ActiveProcessorCount=3")).contains(text(usual));
    }

    private static String text(String output) {
        return output.lines().filter(line -> line.startsWith("text ")).findFirst().orElseThrow();
    }

    /** Weights and caches lie outside the heap: a small one is enough, with the collector that small containers get. */
    @Test
    void aSmallHeapIsEnough() throws IOException {
        assertThat(run("-Xmx24m", "-XX:+UseSerialGC")).contains(text(run()));
    }

    /** Direct memory has a limit of its own in a JVM; weights are not counted there. */
    @Test
    void weightsAreNoDirectBuffers() throws IOException {
        assertThat(run("-XX:MaxDirectMemorySize=100k")).contains("text ");
    }

    @Test
    void theLimitOfMemoryIsTheContainersUnlessSaid() {
        try (Engine engine = Engine.create(EngineOptions.defaults());
                Engine small = Engine.create(EngineOptions.defaults().withMemoryLimit(1 << 20))) {
            assertThat(engine.memory().limit()).isGreaterThan(Runtime.getRuntime().maxMemory() / 2);
            assertThat(small.memory().limit()).isEqualTo(1 << 20);
        }
    }
}
