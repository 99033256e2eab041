package org.vecformer.engine.life;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.TestModels;
import org.vecformer.engine.task.TinyBert;
import org.vecformer.loader.DType;

/**
 * A server that drops a program which used the library gets its classes' memory back: no thread, thread-local, hook or
 * registry of the server's keeps them.
 */
class ClassLoaderTest {

    @TempDir
    Path gpt;
    @TempDir
    Path bert;

    @Test
    void classesGoWithTheirUser() throws Exception {
        TestModels.write(gpt, TestModels.Shape.EVEN, 21, DType.F32);
        TestModels.writeByteTokenizer(gpt);
        TinyBert.open(bert, "BertForMaskedLM", 0).close();
        List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
        String expected = Tenant.use(gpt, bert);
        for (int i = 0; i < 2; i++) {
            loaders.add(useAndDrop(expected));
        }
        for (WeakReference<ClassLoader> loader : loaders) {
            // Softly reachable is reachable: such memory comes back when there is none left.
            Waiting.until("the class loader is collected", () -> {
                System.gc();
                return loader.refersTo(null);
            });
        }
    }

    /** On this thread, which lives on: what is left in its thread-locals would keep the classes. */
    private WeakReference<ClassLoader> useAndDrop(String expected) throws Exception {
        URLClassLoader loader = new URLClassLoader("tenant", classPath(), ClassLoader.getPlatformClassLoader());
        try (loader) {
            Class<?> tenant = loader.loadClass(Tenant.class.getName());
            assertThat(tenant.getClassLoader()).isSameAs(loader);
            assertThat(tenant.getMethod("use", Path.class, Path.class).invoke(null, gpt, bert)).isEqualTo(expected);
        }
        return new WeakReference<>(loader);
    }

    private static URL[] classPath() throws IOException {
        List<URL> urls = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            urls.add(Path.of(entry).toUri().toURL());
        }
        return urls.toArray(URL[]::new);
    }
}
