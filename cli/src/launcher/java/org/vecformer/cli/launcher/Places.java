package org.vecformer.cli.launcher;

import java.io.File;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where the three systems keep their JDKs. The root folder, the user's home and the environment are parameters, so that
 * tests show a made-up machine.
 */
final class Places {
    enum Family {
        LINUX, MAC, WINDOWS;

        static Family of(String osName) {
            if (osName.startsWith("Windows")) {
                return WINDOWS;
            }
            return osName.startsWith("Mac") || osName.startsWith("Darwin") ? MAC : LINUX;
        }
    }

    private static final String[] LINUX = {"usr/lib/jvm", "usr/lib64/jvm", "usr/java", "usr/local/java",
        "usr/local/lib/jvm",
        "usr/local", "opt/java", "opt/jdk", "opt/jdks", "opt/jvm", "opt", "home/linuxbrew/.linuxbrew/opt"};

    private static final String[] MAC = {"Library/Java/JavaVirtualMachines", "System/Library/Java/JavaVirtualMachines",
        "opt/homebrew/opt", "usr/local/opt", "opt/local/Library/Java/JavaVirtualMachines"};

    /** Where version managers and IDEs put JDKs, below the user's home. */
    private static final String[] HOME = {".sdkman/candidates/java", ".jdks", ".asdf/installs/java",
        ".local/share/mise/installs/java", ".jenv/versions", ".jabba/jdk", ".jbang/cache/jdks", ".gradle/jdks",
        ".m2/jdks"};

    private static final String[] WINDOWS_PROGRAMS = {"ProgramFiles", "ProgramW6432", "ProgramFiles(x86)"};

    private static final String[] WINDOWS_VENDORS = {"Java", "Eclipse Adoptium", "Eclipse Foundation", "AdoptOpenJDK",
        "Microsoft", "Zulu", "Amazon Corretto", "BellSoft", "Semeru", "SapMachine", "RedHat", "OpenJDK", "GraalVM",
        "ojdkbuild",
        "Android"};

    /**
     * What a folder of an installation may hold on the way to the Java home: nothing, a macOS bundle, a
     * Homebrew formula.
     */
    private static final String[] INNER = {"", "Contents/Home", "libexec/openjdk.jdk/Contents/Home", "libexec",
        "current",
        "jbr"};

    private final Family family;
    private final File root;
    private final File userHome;
    private final Map<String, String> environment;

    Places(Family family, File root, File userHome, Map<String, String> environment) {
        this.family = family;
        this.root = root;
        this.userHome = userHome;
        this.environment = environment;
    }

    boolean windows() {
        return family == Family.WINDOWS;
    }

    String variable(String name) {
        String value = environment.get(name);
        return value == null || value.isEmpty() ? null : value;
    }

    /** The folders whose subfolders are installations, in the order in which they are searched. */
    List<File> installFolders() {
        List<File> folders = new ArrayList<File>();
        if (family == Family.WINDOWS) {
            for (String name : WINDOWS_PROGRAMS) {
                addVendors(folders, variable(name));
            }
            String local = variable("LOCALAPPDATA");
            if (local != null) {
                addVendors(folders, local + File.separator + "Programs");
            }
            folders.add(new File(userHome, "scoop" + File.separator + "apps"));
        } else {
            for (String path : family == Family.MAC ? MAC : LINUX) {
                folders.add(new File(root, path));
            }
            if (family == Family.MAC) {
                folders.add(new File(userHome, "Library/Java/JavaVirtualMachines"));
            }
        }
        for (String path : HOME) {
            folders.add(new File(userHome, path));
        }
        return folders;
    }

    private static void addVendors(List<File> folders, String programs) {
        if (programs != null) {
            for (String vendor : WINDOWS_VENDORS) {
                File folder = new File(programs, vendor);
                if (!folders.contains(folder)) {
                    folders.add(folder);
                }
            }
        }
    }

    /** The installed Java whose folder this is, in any of the layouts that installers use; null if there is none. */
    Jdk jdkIn(File folder) {
        for (String inner : INNER) {
            Jdk jdk = Jdk.read(inner.isEmpty() ? folder : new File(folder, inner), windows());
            if (jdk != null) {
                return jdk;
            }
        }
        return null;
    }

    /** The first {@code java} of the PATH; null if there is none. */
    File javaOnPath() {
        String path = variable("PATH");
        if (path == null && windows()) {
            path = variable("Path");
        }
        if (path == null) {
            return null;
        }
        int start = 0;
        while (start <= path.length()) {
            int end = path.indexOf(File.pathSeparatorChar, start);
            if (end < 0) {
                end = path.length();
            }
            // A relative entry would make the choice depend on the folder the command is run in.
            File folder = new File(path.substring(start, end));
            if (folder.isAbsolute()) {
                File java = new File(folder, windows() ? "java.exe" : "java");
                if (java.isFile()) {
                    return java;
                }
            }
            start = end + 1;
        }
        return null;
    }
}
