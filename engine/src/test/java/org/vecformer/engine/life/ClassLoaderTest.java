package org.vecformer.engine.life;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
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

    /**
     * Softly reachable memory comes back when there is none left, or, so, at once: the JDK keeps the equals methods of
     * records in that way. What threads keep in thread-locals is looked at, which takes the open module.
     */
    private static final List<String> FLAGS = List.of("-XX:SoftRefLRUPolicyMSPerMB=0", "--add-opens",
            "java.base/java.lang=ALL-UNNAMED");

    @TempDir
    Path gpt;
    @TempDir
    Path bert;

    @Test
    void classesGoWithTheirUser() throws Exception {
        TestModels.write(gpt, TestModels.Shape.EVEN, 21, DType.F32);
        TestModels.writeByteTokenizer(gpt);
        TinyBert.open(bert, "BertForMaskedLM", 0).close();
        assertThat(JavaProcess.run(FLAGS, Server.class, gpt.toString(), bert.toString()))
                .contains("vectors of 30 numbers", "all collected");
    }

    /** Runs two tenants, one after the other. */
    static final class Server {
        private static final String PROBE = "what a thread-local of this thread holds";
        private static final ThreadLocal<String> HELD = new ThreadLocal<>();

        private Server() {
        }

        public static void main(String[] args) throws Exception {
            HELD.set(PROBE);
            List<WeakReference<ClassLoader>> loaders = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                // On this thread, which lives on: what is left in its thread-locals would keep the classes.
                loaders.add(host(Path.of(args[0]), Path.of(args[1])));
            }
            for (WeakReference<ClassLoader> loader : loaders) {
                Waiting.until("the class loader is collected", () -> {
                    System.gc();
                    return loader.refersTo(null);
                });
            }
            System.out.println("all collected");
        }

        private static WeakReference<ClassLoader> host(Path gpt, Path bert) throws Exception {
            List<URL> urls = new ArrayList<>();
            for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
            try (URLClassLoader loader = new URLClassLoader("tenant", urls.toArray(URL[]::new),
                    ClassLoader.getPlatformClassLoader())) {
                Class<?> tenant = loader.loadClass(Tenant.class.getName());
                assertThat(tenant.getClassLoader()).isSameAs(loader);
                System.out.println(tenant.getMethod("use", Path.class, Path.class).invoke(null, gpt, bert));
                assertThat(threadLocals(Thread.currentThread())).noneMatch(value -> isOf(loader, value));
                Waiting.until("the library's threads have ended", () -> Waiting.libraryThreads().isEmpty());
                return new WeakReference<>(loader);
            }
        }

        private static boolean isOf(ClassLoader loader, Object value) {
            return value != null && (value.getClass().getClassLoader() == loader
                    || value instanceof Reference<?> reference && isOf(loader, reference.get()));
        }

        /** What a thread holds in thread-locals. */
        private static List<Object> threadLocals(Thread thread) throws ReflectiveOperationException {
            List<Object> values = new ArrayList<>();
            Object map = get(Thread.class, "threadLocals", thread);
            Object table = get(map.getClass(), "table", map);
            for (int i = 0; i < Array.getLength(table); i++) {
                Object entry = Array.get(table, i);
                if (entry != null) {
                    values.add(get(entry.getClass(), "value", entry));
                }
            }
            assertThat(values).contains(PROBE);
            return values;
        }

        private static Object get(Class<?> type, String field, Object of) throws ReflectiveOperationException {
            Field found = type.getDeclaredField(field);
            found.setAccessible(true);
            return found.get(of);
        }
    }
}
