package org.vecformer.loader;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The tensors of a model, from one safetensors file or from several that an index joins. Thread-safe as
 * {@link Safetensors} is.
 *
 * <p>Of shards it is known, once an instance exists, that every tensor of the index is in the file that the index names
 * for it, and that no name is in two files. A tensor that a shard has and the index does not list is there too.
 */
public final class Checkpoint implements AutoCloseable {
    private final List<Safetensors> files;
    private final Map<String, Safetensors> owners;
    private final Map<String, String> metadata;

    private Checkpoint(List<Safetensors> files) throws FormatException {
        this.files = files;
        this.owners = new LinkedHashMap<>();
        this.metadata = new LinkedHashMap<>();
        for (Safetensors file : files) {
            for (TensorInfo tensor : file.tensors()) {
                Safetensors other = owners.putIfAbsent(tensor.name(), file);
                if (other != null) {
                    throw new FormatException(file.path(), "tensor " + FormatException.quote(tensor.name())
                            + " is also in " + other.path() + ", expected it in one shard only");
                }
            }
            for (var entry : file.metadata().entrySet()) {
                metadata.putIfAbsent(entry.getKey(), entry.getValue());
            }
        }
    }

    /**
     * Opens the weights of a model.
     *
     * @throws FormatException if a file is wrong, or the index and the shards do not fit together
     * @throws IOException if a file cannot be read
     */
    public static Checkpoint open(ModelFiles model) throws IOException {
        return open(model.weights(), model.shardIndex());
    }

    /**
     * Opens a safetensors file, an index file ({@code *.index.json}), or the directory of a model.
     *
     * @throws FormatException if a file is wrong, or the index and the shards do not fit together
     * @throws IOException if a file cannot be read
     */
    public static Checkpoint open(Path path) throws IOException {
        WeightFiles weights = WeightFiles.of(path);
        return open(weights.files(), weights.index());
    }

    private static Checkpoint open(List<Path> weights, Optional<ShardIndex> index) throws IOException {
        List<Safetensors> files = new ArrayList<>();
        try {
            for (Path path : weights) {
                files.add(Safetensors.open(path));
            }
            Checkpoint checkpoint = new Checkpoint(files);
            if (index.isPresent()) {
                checkpoint.requireAll(index.get());
            }
            return checkpoint;
        } catch (Throwable e) {
            closeAll(files, e);
            throw e;
        }
    }

    private void requireAll(ShardIndex index) throws FormatException {
        for (var entry : index.weightMap().entrySet()) {
            Safetensors owner = owners.get(entry.getKey());
            if (owner == null || !owner.path().equals(entry.getValue())) {
                throw new FormatException(index.path(), "weight_map says that tensor "
                        + FormatException.quote(entry.getKey()) + " is in " + entry.getValue().getFileName()
                        + ", but it is "
                        + (owner == null ? "in none of the shards" : "in " + owner.path().getFileName()));
            }
        }
    }

    /** The names of all tensors. */
    public Set<String> names() {
        return Collections.unmodifiableSet(owners.keySet());
    }

    /** The tensor of this name. */
    public Optional<TensorInfo> find(String name) {
        Safetensors owner = owners.get(name);
        return owner == null ? Optional.empty() : owner.find(name);
    }

    /**
     * The file that a tensor is in, for messages.
     *
     * @throws IllegalArgumentException if there is no tensor of this name
     */
    public Path file(String name) {
        return owner(name).path();
    }

    /** The texts of {@code __metadata__}; where several shards have a key, that of the first. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /**
     * Copies bytes of a tensor; see {@link Safetensors#read}.
     *
     * @throws IllegalArgumentException if the tensor is not one of this checkpoint, or the destination cannot be
     *             written
     * @throws IndexOutOfBoundsException if the tensor has not that many bytes
     * @throws IOException if reading fails
     */
    public void read(TensorInfo tensor, long byteOffset, MemorySegment destination) throws IOException {
        owner(tensor.name()).read(tensor, byteOffset, destination);
    }

    private Safetensors owner(String name) {
        Safetensors owner = owners.get(name);
        if (owner == null) {
            throw new IllegalArgumentException("there is no tensor " + FormatException.quote(name));
        }
        return owner;
    }

    /** Closes all files. */
    @Override
    public void close() throws IOException {
        IOException failure = new IOException("closing the checkpoint failed");
        closeAll(files, failure);
        if (failure.getSuppressed().length > 0) {
            throw failure;
        }
    }

    private static void closeAll(List<Safetensors> files, Throwable failure) {
        for (Safetensors file : files) {
            try {
                file.close();
            } catch (IOException e) {
                failure.addSuppressed(e);
            }
        }
    }
}
