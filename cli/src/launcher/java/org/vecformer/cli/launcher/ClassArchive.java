package org.vecformer.cli.launcher;

import java.io.File;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * A file that holds classes as the JVM keeps them in memory (class data sharing), so that most of them need not be
 * found, read and verified at every start. There is one for each command, in the folder that {@code VECFORMER_CACHE}
 * names; unless somebody names one, nothing is written anywhere.
 *
 * <p>The first run of a command has its JVM write the archive at its end, under a name of its own; if that run ended
 * well, the file is renamed, in one step, to the name that later runs look for. The JVM itself checks that an archive
 * was made by this very JVM and of this very jar, and otherwise goes on without. So two first runs at once do no harm,
 * nor does a new JDK or jar, a file that was cut off, or a folder that cannot be written to. A JVM that finds the disk
 * full while it writes fails, so one writes only where there is plenty of room.
 */
final class ClassArchive {
    static final String FOLDER = "VECFORMER_CACHE";

    private static final long ROOM = 256L << 20;
    private static final int LONGEST_COMMAND = 20;
    private static final String ENDING = ".jsa";
    /** Standard output is the command's alone; and whether there is a use for an archive is nobody's concern. */
    private static final String QUIET = "-Xlog:disable";
    private static final String WARNINGS = "-Xlog:all=warning,cds*=off,aot*=off:stderr";

    private static final ClassArchive NONE = new ClassArchive(null, null, null);

    /** Null if there is nothing to share. */
    private final File file;
    /** What the names of all archives of the same JDK, jar and command begin with, older ones included. */
    private final String family;
    /** What this run writes; null if the archive is there already. */
    private final File written;

    private ClassArchive(File file, String family, File written) {
        this.file = file;
        this.family = family;
        this.written = written;
    }

    /** No archive, neither read nor written. */
    static ClassArchive none() {
        return NONE;
    }

    /**
     * The archive of one command.
     *
     * @param folder    of all archives; null or empty if there shall be none. It is made if the folder that it lies in
     *                  is there
     * @param jdkHome   of the JVM that will run the command
     * @param jar       what it will run
     * @param command   the name of the command
     * @param processId makes a name that nobody else uses
     */
    static ClassArchive of(String folder, File jdkHome, File jar, String command, String processId) {
        // A JDK without an archive of its own classes is one that cannot share.
        boolean shares = new File(jdkHome, "lib/server/classes.jsa").isFile()
                || new File(jdkHome, "bin/server/classes.jsa").isFile();
        if (folder == null || folder.isEmpty() || processId == null || !shares || !jar.isFile() || !isName(command)
                || folder.indexOf(File.pathSeparatorChar) >= 0) {
            return NONE;
        }
        String family = Integer.toHexString((jdkHome.getAbsolutePath() + '\n' + jar.getAbsolutePath()).hashCode())
                + '-' + command + '-';
        File modules = new File(jdkHome, "lib/modules");
        String version = modules.lastModified() + " " + modules.length() + " " + jar.lastModified() + " "
                + jar.length();
        File file = new File(folder, family + Integer.toHexString(version.hashCode()) + ENDING);
        if (file.isFile()) {
            return new ClassArchive(file, family, null);
        }
        File place = file.getParentFile();
        if (!place.isDirectory() && !place.mkdir() || !place.canWrite() || place.getUsableSpace() < ROOM) {
            return NONE;
        }
        return new ClassArchive(file, family, new File(place, family + processId + ".tmp"));
    }

    private static boolean isName(String command) {
        for (int i = 0; i < command.length(); i++) {
            char c = command.charAt(i);
            if (!(c >= 'a' && c <= 'z' || c == '-' && i > 0)) {
                return false;
            }
        }
        return !command.isEmpty() && command.length() <= LONGEST_COMMAND;
    }

    /** The JVM's options for it. */
    List<String> options() {
        if (file == null) {
            return Collections.emptyList();
        }
        return Arrays.asList(QUIET, WARNINGS,
                written == null ? "-XX:SharedArchiveFile=" + file : "-XX:ArchiveClassesAtExit=" + written);
    }

    /** The JVM has ended: keeps what it wrote, if it ended well, in place of what older versions wrote. */
    void ended(int status) {
        if (written == null || !written.exists()) {
            return;
        }
        if (status != 0 || !written.renameTo(file)) {
            written.delete();
            return;
        }
        File[] all = file.getParentFile().listFiles();
        for (File other : all == null ? new File[0] : all) {
            if (other.getName().startsWith(family) && !other.equals(file)) {
                other.delete();
            }
        }
    }
}
