package org.vecformer.cli.launcher;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The main class of gpt2.jar: runs the command line in a JDK that can run it. */
public final class Launcher {
    /** The system property that gives the child the process id of its launcher, if that is known. */
    public static final String PARENT = "vecformer.launcher.parent";

    private static final String MAIN_CLASS = "org.vecformer.cli.Main";

    /** A made-up root folder, for tests of what happens on a machine without any JDK that fits. */
    private static final String ROOT = "vecformer.launcher.root";

    private static final String TUNABLES = "GLIBC_TUNABLES";
    private static final String HUGE_PAGES = "glibc.malloc.hugetlb";

    private static final String PRELOADED = "LD_PRELOAD";
    private static final String SIGNAL_CHAINING = "lib/libjsig.so";
    /** The beginning of all options that have a driver loaded. */
    private static final String DEVICE_OPTION = "--device";

    private static final int FAILED = 1;
    private static final int USAGE = 2;

    private Launcher() {
    }

    /** Ends the JVM with the exit status of the command. */
    public static void main(String[] arguments) throws Exception {
        Places.Family family = Places.Family.of(System.getProperty("os.name"));
        boolean windows = family == Places.Family.WINDOWS;
        String encoding = System.getProperty("sun.jnu.encoding", "UTF-8");
        List<byte[]> commandLine = family == Places.Family.LINUX ? Arguments.processCommandLine() : null;
        String[] original;
        try {
            original = Arguments.original(arguments, commandLine, encoding);
        } catch (BadArgumentException e) {
            fail(USAGE, e.getMessage());
            return;
        }
        if (canRunHere(windows, encoding)) {
            runHere(original);
            return;
        }
        Jdk jdk;
        try {
            File home = new File(System.getProperty("java.home"));
            Jdk running = Jdk.read(home, windows);
            if (running == null) {
                running = new Jdk(home, System.getProperty("java.version"), true);
            }
            Places places = new Places(family, new File(System.getProperty(ROOT, "/")),
                    new File(System.getProperty("user.home")), System.getenv());
            jdk = new JdkSearch(places, running).find();
        } catch (NoJdkException e) {
            fail(FAILED, e.getMessage());
            return;
        }
        List<String> users = commandLine != null
                ? virtualMachineOptions(commandLine, arguments.length)
                : ManagementFactory.getRuntimeMXBean().getInputArguments();
        String processId = processId(commandLine != null);
        ClassArchive archive = mayShare(users) && original.length > 0
                ? ClassArchive.of(System.getenv(ClassArchive.FOLDER), jdk.home(),
                        new File(System.getProperty("java.class.path")), original[0], processId)
                : ClassArchive.none();
        ProcessBuilder builder = new ProcessBuilder(
                command(jdk, users, archive.options(), processId, original, windows)).inheritIO();
        addTunables(builder.environment());
        if (family == Places.Family.LINUX) {
            addSignalChaining(builder.environment(), jdk.home(), original);
        }
        if (!windows && Arguments.isAscii(encoding)) {
            // Otherwise the child could not even open a file whose name is not ASCII.
            builder.environment().put("LC_ALL", "C.UTF-8");
        }
        try {
            System.exit(new Child(builder, windows, archive).run());
        } catch (IOException e) {
            fail(FAILED, "cannot start " + jdk.home() + " (Java " + jdk.version() + "): " + e.getMessage());
        }
    }

    private static void fail(int status, String message) {
        System.err.println("gpt2: " + message);
        System.exit(status);
    }

    /** A JVM that was given the vector module (and can name any file) needs no second one. */
    private static boolean canRunHere(boolean windows, String encoding) {
        if (Jdk.feature(System.getProperty("java.version")) < JdkSearch.OLDEST
                || !windows && Arguments.isAscii(encoding)
                || System.getenv(JdkSearch.OVERRIDE) != null) {
            return false;
        }
        try {
            Class.forName("jdk.incubator.vector.VectorSpecies", false, Launcher.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /** By name, for the main class is of a version that this class's compiler does not know. */
    private static void runHere(String[] arguments) throws Exception {
        try {
            Class.forName(MAIN_CLASS).getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause() instanceof Exception ? (Exception) e.getCause() : e;
        }
    }

    /** Some options make a JVM refuse to write an archive, so one is shared with harmless ones only. */
    private static boolean mayShare(List<String> users) {
        for (String option : users) {
            if (!option.startsWith("-D") && !option.startsWith("-Xm") && !option.startsWith("-Xlog")) {
                return false;
            }
        }
        return System.getenv("JDK_JAVA_OPTIONS") == null && System.getenv("JAVA_TOOL_OPTIONS") == null;
    }

    /**
     * Has the C library (glibc 2.35 or newer; others do not look) ask for huge pages where it allocates much, which is
     * the weights: reading them misses fewer address translations. What the user chose is left alone.
     */
    static void addTunables(Map<String, String> environment) {
        String chosen = environment.get(TUNABLES);
        if (chosen == null || chosen.isEmpty()) {
            environment.put(TUNABLES, HUGE_PAGES + "=1");
        } else if (!chosen.contains(HUGE_PAGES)) {
            environment.put(TUNABLES, chosen + ":" + HUGE_PAGES + "=1");
        }
    }

    /**
     * Has the JVM keep its signal handlers where a driver is loaded that wants its own (compilers within OpenCL drivers do):
     * the JDK's library for that must be there from the start. What the user preloads is left alone.
     */
    static void addSignalChaining(Map<String, String> environment, File home, String[] arguments) {
        boolean device = false;
        for (String argument : arguments) {
            device |= argument.startsWith(DEVICE_OPTION);
        }
        File library = new File(home, SIGNAL_CHAINING);
        // The variable's separators cannot be escaped.
        if (device && library.isFile() && library.getPath().indexOf(' ') < 0 && library.getPath().indexOf(':') < 0) {
            String chosen = environment.get(PRELOADED);
            environment.put(PRELOADED,
                    chosen == null || chosen.isEmpty() ? library.getPath() : library.getPath() + ":" + chosen);
        }
    }

    private static List<String> command(Jdk jdk, List<String> users, List<String> archive, String parent,
            String[] arguments, boolean windows) {
        List<String> command = new ArrayList<String>();
        command.add(Jdk.executable(jdk.home(), windows).getPath());
        addStartOptions(command, users);
        command.addAll(archive);
        command.addAll(users);
        command.add("--add-modules");
        command.add("jdk.incubator.vector");
        command.add("--enable-native-access=ALL-UNNAMED");
        if (parent != null) {
            command.add("-D" + PARENT + "=" + parent);
        }
        boolean encode = Arguments.needEncoding(arguments, windows);
        if (encode) {
            command.add("-D" + Arguments.ENCODED + "=true");
        }
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(MAIN_CLASS);
        if (encode) {
            command.addAll(Arguments.encode(arguments));
        } else {
            for (String argument : arguments) {
                command.add(argument);
            }
        }
        return command;
    }

    /**
     * The options that shorten the start and keep memory small: weights live outside of the heap, a step of the engine
     * makes no garbage, and there is little to compile. What the user chose (on the command line, or in the variables that
     * every JVM reads) is left alone.
     */
    private static void addStartOptions(List<String> command, List<String> users) {
        StringBuilder all = new StringBuilder();
        for (String option : users) {
            all.append(option).append(' ');
        }
        all.append(System.getenv("JDK_JAVA_OPTIONS")).append(' ').append(System.getenv("JAVA_TOOL_OPTIONS"));
        String chosen = all.toString();
        if (!(chosen.contains("+Use") && chosen.contains("GC"))) {
            command.add("-XX:+UseSerialGC");
        }
        if (!chosen.contains("-Xm") && !chosen.contains("HeapSize") && !chosen.contains("RAM")
                && !chosen.contains("NewSize")) {
            command.add("-Xms32m");
            command.add("-Xmn16m");
        }
        // Each thread that compiles takes 10 MB, and on 16 processors there were 12 of them.
        if (Runtime.getRuntime().availableProcessors() > 4 && !chosen.contains("CICompilerCount")) {
            command.add("-XX:CICompilerCount=3");
        }
        command.add("-XX:-UsePerfData");
    }

    /**
     * What stands between {@code java} and {@code -jar} or the main class: options such as -Xmx are meant for
     * the engine, not for this process.
     */
    static List<String> virtualMachineOptions(List<byte[]> commandLine, int arguments) {
        List<String> options = new ArrayList<String>();
        for (int i = 1; i < commandLine.size() - arguments; i++) {
            String entry = new String(commandLine.get(i), StandardCharsets.UTF_8);
            if (!entry.startsWith("-") || entry.equals("-jar")) {
                break;
            }
            boolean classPath = entry.equals("-cp") || entry.equals("-classpath") || entry.equals("--class-path");
            boolean withValue = classPath || entry.startsWith("--") && entry.indexOf('=') < 0 && takesValue(entry);
            // A debugger's port is taken by this process already.
            boolean debugger = entry.startsWith("-agentlib:jdwp") || entry.startsWith("-Xrunjdwp");
            if (!classPath && !debugger && !entry.startsWith("--class-path=")) {
                options.add(entry);
            }
            if (withValue) {
                i++;
                if (!classPath && i < commandLine.size() - arguments) {
                    options.add(new String(commandLine.get(i), StandardCharsets.UTF_8));
                }
            }
        }
        return options;
    }

    private static boolean takesValue(String option) {
        return option.equals("--module-path") || option.equals("--upgrade-module-path") || option.startsWith("--add-")
                || option.equals("--limit-modules") || option.equals("--enable-native-access")
                || option.equals("--patch-module");
    }

    /** Java 8 has no better way to its own process id than these two. */
    private static String processId(boolean linux) {
        try {
            if (linux) {
                return new File("/proc/self").getCanonicalFile().getName();
            }
            String name = ManagementFactory.getRuntimeMXBean().getName().toLowerCase(Locale.ROOT);
            int at = name.indexOf('@');
            return at > 0 ? String.valueOf(Long.parseLong(name.substring(0, at))) : null;
        } catch (IOException e) {
            return null;
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
