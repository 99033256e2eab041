package org.vecformer.cli.launcher;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Finds the JDK to run in. The order is that of how much somebody meant it: {@code VECFORMER_JAVA_HOME} (named for us
 * alone, so it is taken or refused, never passed over), the Java that runs already, {@code JAVA_HOME}, the PATH's
 * {@code java}, and then the newest of the install folders.
 */
final class JdkSearch {
    static final int OLDEST = 25;
    static final String OVERRIDE = "VECFORMER_JAVA_HOME";

    private final Places places;
    private final Jdk running;
    private final List<String> report = new ArrayList<String>();

    /** @param running the Java that runs this code */
    JdkSearch(Places places, Jdk running) {
        this.places = places;
        this.running = running;
    }

    /**
     * @throws NoJdkException if there is none; its message says what was looked for, where, and what was
     * found instead
     */
    Jdk find() throws NoJdkException {
        String named = places.variable(OVERRIDE);
        if (named != null) {
            Jdk jdk = places.jdkIn(new File(named));
            if (!fits(jdk)) {
                throw new NoJdkException(
                        OVERRIDE + " names " + named + ", which is " + describe(jdk) + "; expected a JDK "
                                + OLDEST + " or newer with the module jdk.incubator.vector");
            }
            return jdk;
        }
        if (fits(running)) {
            return running;
        }
        report.add("the running Java: " + running.home() + " is " + describe(running));
        Jdk found = inJavaHome();
        if (found == null) {
            found = onPath();
        }
        if (found == null) {
            found = newestInstalled();
        }
        if (found == null) {
            throw new NoJdkException(nothingFound());
        }
        return found;
    }

    private Jdk inJavaHome() {
        String home = places.variable("JAVA_HOME");
        if (home == null) {
            report.add("JAVA_HOME: not set");
            return null;
        }
        Jdk jdk = places.jdkIn(new File(home));
        report.add("JAVA_HOME: " + home + " is " + describe(jdk));
        return fits(jdk) ? jdk : null;
    }

    private Jdk onPath() {
        File java = places.javaOnPath();
        if (java == null) {
            report.add("PATH: no java");
            return null;
        }
        Jdk jdk = null;
        try {
            File bin = java.getCanonicalFile().getParentFile();
            File home = bin == null ? null : bin.getParentFile();
            jdk = home == null ? null : Jdk.read(home, places.windows());
        } catch (IOException e) {
            // A link that leads nowhere is reported as what it is: no JDK.
        }
        report.add("PATH: " + java + " is " + (jdk == null ? "not in a JDK's own folder" : describe(jdk)));
        return fits(jdk) ? jdk : null;
    }

    private Jdk newestInstalled() {
        Jdk newest = null;
        StringBuilder without = new StringBuilder();
        for (File folder : places.installFolders()) {
            File[] children = folder.listFiles();
            if (children == null) {
                children = new File[0];
            }
            // The order of a listing differs from machine to machine; of two equal versions always the same one is
            // taken.
            Arrays.sort(children);
            StringBuilder found = new StringBuilder();
            for (File child : children) {
                Jdk jdk = child.isDirectory() ? places.jdkIn(child) : null;
                if (jdk == null) {
                    continue;
                }
                found.append(found.length() == 0 ? "" : ", ").append(child.getName()).append(" is ")
                        .append(describe(jdk));
                if (fits(jdk) && (newest == null || jdk.isNewerThan(newest))) {
                    newest = jdk;
                }
            }
            if (found.length() > 0) {
                report.add(folder + ": " + found);
            } else {
                without.append(without.length() == 0 ? "" : ", ").append(folder);
            }
        }
        report.add("no JDK in " + without);
        return newest;
    }

    private static boolean fits(Jdk jdk) {
        return jdk != null && jdk.isAtLeast(OLDEST) && jdk.hasVectorModule();
    }

    private static String describe(Jdk jdk) {
        if (jdk == null) {
            return "no JDK";
        }
        return "Java " + jdk.version()
                + (jdk.isAtLeast(OLDEST) && !jdk.hasVectorModule() ? " without the module jdk.incubator.vector" : "");
    }

    private String nothingFound() {
        StringBuilder message = new StringBuilder();
        message.append("no JDK ").append(OLDEST)
                .append(" or newer (with the module jdk.incubator.vector) was found. Looked at:");
        for (String line : report) {
            message.append(System.lineSeparator()).append("  ").append(line);
        }
        message.append(System.lineSeparator()).append("Install one (https://adoptium.net has them), or set ")
                .append(OVERRIDE)
                .append(" to the folder of one.");
        return message.toString();
    }
}
