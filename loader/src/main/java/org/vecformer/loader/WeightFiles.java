package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The safetensors files of a model.
 *
 * @param files one file, or the shards of the index
 * @param index the index, if there are shards
 */
record WeightFiles(List<Path> files, Optional<ShardIndex> index) {
    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";
    private static final String SUFFIX = ".safetensors";
    private static final String INDEX_SUFFIX = ".index.json";

    /** Weights in other forms, as they are named in published directories, that can be converted here. */
    private static final List<String> CONVERTIBLE = List.of("pytorch_model.bin", "pytorch_model.bin.index.json",
            "model.ckpt.index", "bert_model.ckpt.index");
    /** Those that cannot. */
    private static final List<String> OTHER_FORMS = List.of("tf_model.h5", "flax_model.msgpack", "rust_model.ot");

    /** The weights in a directory, or those that a file is or lists. */
    static WeightFiles of(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            return in(path);
        }
        String name = String.valueOf(path.getFileName());
        if (name.endsWith(INDEX_SUFFIX)) {
            return sharded(path);
        }
        if (!name.endsWith(SUFFIX)) {
            if (!Files.exists(path)) {
                throw new NoSuchFileException(path.toString(), null, "there is no such file or directory");
            }
            throw new FormatException(path, "the file's name does not end in " + SUFFIX
                    + ", expected a safetensors file or a model directory; convert other formats to safetensors");
        }
        return single(path);
    }

    private static WeightFiles in(Path directory) throws IOException {
        Path single = directory.resolve(SINGLE);
        if (Files.exists(single)) {
            return single(single);
        }
        Path index = directory.resolve(INDEX);
        if (Files.exists(index)) {
            return sharded(index);
        }
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
            entries.forEach(found::add);
        }
        if (found.size() == 1) {
            return single(found.getFirst());
        }
        if (!found.isEmpty()) {
            List<String> names = found.stream().map(file -> file.getFileName().toString()).sorted().limit(10).toList();
            throw new FormatException(directory,
                    "there are " + found.size() + " safetensors files (" + String.join(", ", names)
                            + "), but neither " + SINGLE + " nor " + INDEX
                            + "; expected one of these, or name one file");
        }
        refuse(directory, CONVERTIBLE, "java -jar gpt2.jar convert DIR NEW_DIR");
        refuse(directory, OTHER_FORMS, "in Python: AutoModel.from_pretrained(DIR).save_pretrained(NEW_DIR)");
        throw new FormatException(directory, "there are no weights, expected " + SINGLE + " or " + INDEX);
    }

    private static void refuse(Path directory, List<String> forms, String way) throws FormatException {
        for (String form : forms) {
            if (Files.exists(directory.resolve(form))) {
                throw new FormatException(directory, "the weights are there as " + form + " only, expected " + SINGLE
                        + "; convert them to safetensors (" + way + ")");
            }
        }
    }

    private static WeightFiles single(Path file) {
        return new WeightFiles(List.of(file), Optional.empty());
    }

    private static WeightFiles sharded(Path path) throws IOException {
        ShardIndex index = ShardIndex.read(path);
        return new WeightFiles(index.shards(), Optional.of(index));
    }
}
