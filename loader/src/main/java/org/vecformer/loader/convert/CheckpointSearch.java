package org.vecformer.loader.convert;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.vecformer.loader.Checkpoint;
import org.vecformer.loader.FormatException;

/**
 * Finds the one checkpoint that a path means: a file or the first part of a file's name, a directory, an archive, an
 * archive in an archive. What it opened is closed with it.
 */
final class CheckpointSearch implements Closeable {
    private static final String SAFETENSORS = ".safetensors";
    private static final String TORCH = "pytorch_model.bin";
    private static final String SHARDS = ".index.json";
    private static final Pattern SHARD = Pattern.compile("(.*)\\.data-[0-9]{5}-of-[0-9]{5}");
    /** A zip file smaller than this holds no model and nothing that does. */
    private static final long MIN_ARCHIVE = 100;
    private static final int MAX_SHARDS = 10_000;

    /** Names and beginnings of what is not read, and what it is. */
    private static final Map<String, String> OTHERS = new TreeMap<>(Map.of("tf_model.h5", "a Keras file",
            "flax_model.msgpack", "a Flax file", "rust_model.ot", "a file of rust-bert", "saved_model.pb",
            "a graph without its variables", "frozen_model.pb", "a frozen graph",
            "model.npz", "a NumPy archive"));

    private final Path scratch;
    private final Pulse pulse;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private FileTree files;
    private String folder = "";
    private String stem = "";
    private WeightSource weights;

    private CheckpointSearch(Path scratch, Pulse pulse) {
        this.scratch = scratch;
        this.pulse = pulse;
    }

    /**
     * Finds and opens a checkpoint.
     *
     * @param scratch a folder, not yet there, for what must be unpacked; whoever named it removes it
     * @throws FormatException if there is none, more than one, or a damaged one
     */
    static CheckpointSearch open(Path path, Path scratch, Pulse pulse) throws IOException {
        CheckpointSearch search = new CheckpointSearch(scratch, pulse);
        try {
            search.find(path);
            return search;
        } catch (Throwable e) {
            search.close();
            throw e;
        }
    }

    /** The name of the file that the checkpoint is, without its ending, for an ONNX file. */
    String stem() {
        return stem;
    }

    /** The files that lie around the checkpoint. */
    FileTree files() {
        return files;
    }

    /** What the names of the files that belong to the checkpoint begin with: its folder with a slash, or nothing. */
    String folder() {
        return folder;
    }

    WeightSource weights() {
        return weights;
    }

    private void find(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            files = keep(new DirectoryTree(path));
            findIn(path.toString(), 0);
        } else if (Files.exists(path)) {
            findFile(path);
        } else {
            findPrefix(path);
        }
    }

    /** A path without a file of that name: TensorFlow's users name checkpoints by what their files begin with. */
    private void findPrefix(Path path) throws IOException {
        Path index = path.resolveSibling(path.getFileName() + TensorBundle.INDEX);
        if (Files.exists(index)) {
            findFile(index);
            return;
        }
        if (Files.exists(path.resolveSibling(path.getFileName() + "-00000-of-00001"))) {
            throw new FormatException(path + TensorBundle.V1);
        }
        throw new NoSuchFileException(path.toString(), null,
                "there is no such file or directory, and no " + index.getFileName() + " either");
    }

    private void findFile(Path path) throws IOException {
        Path real = path.toAbsolutePath();
        String name = real.getFileName().toString();
        boolean zip;
        boolean legacy;
        boolean table;
        boolean gzip;
        try (ByteSource bytes = FileBytes.open(path)) {
            zip = ArchiveTree.isZip(bytes);
            legacy = TorchFile.isLegacy(bytes);
            table = SortedTable.isTable(bytes);
            gzip = new String(bytes.start(2), StandardCharsets.ISO_8859_1).equals("\u001f\u008b");
        }
        if (zip) {
            ArchiveTree archive = keep(ArchiveTree.open(path, path.toString(), scratch, pulse));
            if (TorchFile.pickleEntry(archive) == null) {
                files = archive;
                findIn(path.toString(), 1);
                return;
            }
        }
        var shard = SHARD.matcher(name);
        Path parent = real.getParent();
        if ((shard.matches() || name.endsWith(TensorBundle.INDEX)) && parent.endsWith("variables")) {
            // Within a SavedModel the model's other files lie beside this folder.
            files = keep(new DirectoryTree(parent.getParent()));
            openBundle("variables/" + (shard.matches() ? shard.group(1) + TensorBundle.INDEX : name));
            return;
        }
        files = keep(new DirectoryTree(parent));
        if (name.endsWith(SAFETENSORS) || name.endsWith(SAFETENSORS + SHARDS)) {
            openSafetensors(name);
        } else if (zip || legacy || name.endsWith(".bin" + SHARDS)) {
            openTorch(name);
        } else if (name.endsWith(OnnxFile.SUFFIX)) {
            openOnnx(name);
        } else if (name.endsWith(TensorBundle.INDEX)) {
            openBundle(name);
        } else if (shard.matches()) {
            openBundle(shard.group(1) + TensorBundle.INDEX);
        } else if (table) {
            throw new FormatException(path + TensorBundle.V1);
        } else if (files.names().contains(name.replaceFirst("\\.meta$", "") + TensorBundle.INDEX)) {
            openBundle(name.replaceFirst("\\.meta$", "") + TensorBundle.INDEX);
        } else {
            String known = gzip ? "a gzip file, to be unpacked first" : OTHERS.get(name);
            throw new FormatException(path, (known == null ? "this is no checkpoint" : "this is " + known)
                    + ", expected a TensorFlow checkpoint (X.index), a PyTorch checkpoint (" + TORCH
                    + "), safetensors, an ONNX file (*" + OnnxFile.SUFFIX
                    + "), or a directory, zip or jar file with one");
        }
    }

    /** Looks at names: what lies highest counts, safetensors before PyTorch before TensorFlow before ONNX. */
    private void findIn(String place, int archives) throws IOException {
        List<String> safetensors = new ArrayList<>();
        List<String> torch = new ArrayList<>();
        List<String> bundles = new ArrayList<>();
        List<String> onnx = new ArrayList<>();
        for (String name : files.names()) {
            String base = FileTree.baseName(name);
            if (base.equals("model" + SAFETENSORS) || base.equals("model" + SAFETENSORS + SHARDS)) {
                safetensors.add(name);
            } else if (base.equals(TORCH) || base.equals(TORCH + SHARDS)) {
                torch.add(name);
            } else if (base.endsWith(TensorBundle.INDEX) && hasData(name)) {
                bundles.add(name);
            } else if (base.endsWith(OnnxFile.SUFFIX)) {
                onnx.add(name);
            }
        }
        // A directory is a model itself; what lies in folders within it (2_Dense, checkpoint-500) is not it.
        if (archives == 0) {
            safetensors.removeIf(name -> name.contains("/"));
            torch.removeIf(name -> name.contains("/"));
            bundles.removeIf(name -> name.contains("/") && !name.startsWith("variables/"));
            onnx.removeIf(name -> name.contains("/"));
        }
        if (archives == 0 && safetensors.isEmpty()) {
            files.names().stream().filter(name -> !name.contains("/") && name.endsWith(SAFETENSORS))
                    .forEach(safetensors::add);
        }
        if (!safetensors.isEmpty()) {
            openSafetensors(one(place, highest(safetensors)));
        } else if (!torch.isEmpty()) {
            openTorch(one(place, highest(torch)));
        } else if (!bundles.isEmpty()) {
            openBundle(one(place, highest(bundles)));
        } else if (!onnx.isEmpty()) {
            openOnnx(one(place, highest(onnx)));
        } else if (archives != 1 || !openInner(place)) {
            throw nothing(place);
        }
    }

    private boolean hasData(String index) {
        String prefix = index.substring(0, index.length() - TensorBundle.INDEX.length()) + ".data-";
        SortedSet<String> from = files.names().tailSet(prefix);
        return !from.isEmpty() && from.first().startsWith(prefix);
    }

    /** The names with the fewest folders before them; of a model and the index of its shards, the model. */
    private static List<String> highest(List<String> names) {
        long depth = names.stream().mapToLong(CheckpointSearch::depth).min().orElse(0);
        List<String> highest = new ArrayList<>(names.stream().filter(name -> depth(name) == depth).toList());
        List<String> copy = List.copyOf(highest);
        highest.removeIf(name -> name.endsWith(SHARDS)
                && copy.contains(name.substring(0, name.length() - SHARDS.length())));
        return highest;
    }

    private static long depth(String name) {
        return name.chars().filter(c -> c == '/').count();
    }

    private static String one(String place, List<String> names) throws FormatException {
        if (names.size() > 1) {
            throw new FormatException(place + ": there are " + names.size() + " checkpoints ("
                    + Findings.list(names.stream().map(FormatException::plain).toList())
                    + "), expected one; name the one that is meant");
        }
        return names.getFirst();
    }

    /** Opens the one zip file that lies in this one, whatever its name is. */
    private boolean openInner(String place) throws IOException {
        ArchiveTree outer = (ArchiveTree) files;
        List<String> inner = new ArrayList<>();
        for (String name : outer.names()) {
            if (outer.size(name) >= MIN_ARCHIVE && !name.endsWith(".class")) {
                try (ByteSource bytes = outer.open(name)) {
                    if (ArchiveTree.isZip(bytes)) {
                        inner.add(name);
                    }
                }
            }
        }
        if (inner.isEmpty()) {
            return false;
        }
        String name = one(place, inner);
        // As much again is to be read when the tensors are.
        pulse.expect(2 * outer.size(name));
        ArchiveTree archive = keep(ArchiveTree.open(outer.file(name), outer.describe(name), scratch, pulse));
        files = archive;
        findIn(outer.describe(name), 2);
        return true;
    }

    private FormatException nothing(String place) {
        List<String> seen = new ArrayList<>();
        boolean old = false;
        for (String name : files.names()) {
            String base = FileTree.baseName(name);
            if (OTHERS.containsKey(base)) {
                seen.add(base + " is " + OTHERS.get(base));
            }
            old |= base.matches(".*\\.ckpt(-[0-9]+)?(-[0-9]{5}-of-[0-9]{5})?");
        }
        if (old) {
            return new FormatException(place + TensorBundle.V1);
        }
        return new FormatException(place + ": there is no checkpoint, expected a TensorFlow checkpoint (X.index and"
                + " X.data-00000-of-00001), " + TORCH + ", model" + SAFETENSORS + " or *" + OnnxFile.SUFFIX
                + (seen.isEmpty() ? "" : "; " + Findings.list(seen) + ", which is not read"));
    }

    private void openSafetensors(String name) throws IOException {
        folder = FileTree.folder(name);
        Path file = files.file(name);
        if (files instanceof ArchiveTree && name.endsWith(SHARDS)) {
            throw new FormatException(files.describe(name)
                    + ": sharded safetensors in an archive are not read; unpack the archive first");
        }
        weights = new SafetensorsWeights(files.describe(name), keep(Checkpoint.open(file)));
    }

    private void openTorch(String name) throws IOException {
        folder = FileTree.folder(name);
        List<TorchFile> parts = new ArrayList<>();
        if (name.endsWith(SHARDS)) {
            for (String shard : shards(name)) {
                parts.add(keep(torchFile(shard)));
            }
        } else {
            parts.add(keep(torchFile(name)));
        }
        weights = new TorchCheckpoint(files.describe(name), parts);
    }

    private TreeSet<String> shards(String index) throws IOException {
        JsonObject json;
        try (ByteSource bytes = files.open(index)) {
            json = JsonObject.read(bytes);
        }
        TreeSet<String> shards = new TreeSet<>();
        for (var entry : json.texts("weight_map").entrySet()) {
            String shard = folder + entry.getValue();
            if (!files.names().contains(shard) || shards.size() >= MAX_SHARDS) {
                throw new FormatException(files.describe(index) + ": weight_map of "
                        + FormatException.quote(entry.getKey()) + " is " + FormatException.quote(entry.getValue())
                        + ", expected the name of a file that lies beside it");
            }
            shards.add(shard);
        }
        if (shards.isEmpty()) {
            throw new FormatException(files.describe(index) + ": weight_map is empty");
        }
        return shards;
    }

    private TorchFile torchFile(String name) throws IOException {
        ByteSource bytes = files.open(name);
        try {
            if (TorchFile.isLegacy(bytes)) {
                return new TorchFile.Legacy(bytes);
            }
            if (!ArchiveTree.isZip(bytes)) {
                throw bytes.error("this is neither a zip file nor a pickle, expected a checkpoint of torch.save");
            }
        } catch (Throwable e) {
            bytes.close();
            throw e;
        }
        bytes.close();
        ArchiveTree zip = ArchiveTree.open(files.file(name), files.describe(name), scratch, pulse);
        try {
            if (TorchFile.pickleEntry(zip) == null) {
                throw new FormatException(files.describe(name)
                        + ": the zip file has no data.pkl, expected a checkpoint of torch.save");
            }
            return new TorchFile.Zipped(zip, files.describe(name));
        } catch (Throwable e) {
            zip.close();
            throw e;
        }
    }

    private void openOnnx(String name) throws IOException {
        folder = FileTree.folder(name);
        stem = name.substring(folder.length(), name.length() - OnnxFile.SUFFIX.length());
        weights = new OnnxFile(keep(files.open(name)));
    }

    private void openBundle(String index) throws IOException {
        String prefix = index.substring(0, index.length() - TensorBundle.INDEX.length());
        folder = FileTree.folder(prefix);
        if (folder.endsWith("variables/")) {
            folder = folder.substring(0, folder.length() - "variables/".length());
        }
        if (!files.names().contains(index)) {
            throw new FormatException(files.describe(index) + ": there is no such file, expected the index of a"
                    + " TensorFlow checkpoint");
        }
        weights = keep(TensorBundle.open(files, prefix));
    }

    private <T extends AutoCloseable> T keep(T resource) {
        opened.push(resource);
        return resource;
    }

    @Override
    public void close() throws IOException {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (IOException | RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IOException(e);
            }
        }
    }
}
