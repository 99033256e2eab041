package org.vecformer.cli.launcher;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * An installed Java, as its {@code release} file describes it: reading that file takes microseconds, starting
 * the Java would take 50 ms.
 */
final class Jdk {
    private static final String VECTOR_MODULE = "jdk.incubator.vector";

    private final File home;
    private final String version;
    private final boolean vectorModule;

    Jdk(File home, String version, boolean vectorModule) {
        this.home = home;
        this.version = version;
        this.vectorModule = vectorModule;
    }

    /**
     * Reads what is installed in a folder.
     *
     * @return null if the folder holds no Java: no readable {@code release} file with a version, or no {@code bin/java}
     */
    static Jdk read(File home, boolean windows) {
        File release = new File(home, "release");
        if (!release.isFile() || !executable(home, windows).isFile()) {
            return null;
        }
        String version = null;
        String modules = null;
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(new FileInputStream(release), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("JAVA_VERSION=")) {
                    version = value(line);
                } else if (line.startsWith("MODULES=")) {
                    modules = value(line);
                }
            }
        } catch (IOException e) {
            return null;
        }
        if (version == null || feature(version) == 0) {
            return null;
        }
        // Without a list of modules (some vendors leave it out) the module is taken to be there, as it is in every full
        // JDK.
        boolean vector = modules == null || (" " + modules + " ").contains(" " + VECTOR_MODULE + " ");
        return new Jdk(home, version, vector);
    }

    private static String value(String line) {
        return line.substring(line.indexOf('=') + 1).replace("\"", "").trim();
    }

    static File executable(File home, boolean windows) {
        return new File(new File(home, "bin"), windows ? "java.exe" : "java");
    }

    /** The number that counts: 8 of "1.8.0_402", 25 of "25.0.3", 0 of what is no version. */
    static int feature(String version) {
        return number(version, version.startsWith("1.") ? 1 : 0);
    }

    /** The n-th number of a version, 0 if it has none. */
    private static int number(String version, int n) {
        int value = 0;
        int field = 0;
        for (int i = 0; i < version.length(); i++) {
            char c = version.charAt(i);
            if (c >= '0' && c <= '9') {
                value = Math.min(value * 10 + (c - '0'), 99_999);
            } else if (c == '.' || c == '_') {
                if (field == n) {
                    return value;
                }
                field++;
                value = 0;
            } else {
                break;
            }
        }
        return field == n ? value : 0;
    }

    File home() {
        return home;
    }

    String version() {
        return version;
    }

    boolean isAtLeast(int feature) {
        return feature(version) >= feature;
    }

    boolean hasVectorModule() {
        return vectorModule;
    }

    boolean isNewerThan(Jdk other) {
        for (int n = 0; n < 4; n++) {
            int difference = number(version, n) - number(other.version, n);
            if (difference != 0) {
                return difference > 0;
            }
        }
        return false;
    }
}
