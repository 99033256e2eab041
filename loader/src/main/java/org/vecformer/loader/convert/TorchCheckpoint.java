package org.vecformer.loader.convert;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vecformer.loader.FormatException;

/** The tensors of a PyTorch checkpoint, of one file or of the shards that an index lists. */
final class TorchCheckpoint implements WeightSource {
    /** Shared storages may be written several times over, but not without end. */
    private static final long MAX_REPEATED = 8;
    private static final long SMALL = 64L << 20;

    private final String name;
    private final List<TorchFile> files;
    private final Map<String, TorchFile> owners = new HashMap<>();
    private final Map<String, String> aliases = new HashMap<>();
    private final List<SourceTensor> tensors = new ArrayList<>();
    private final List<String> others = new ArrayList<>();

    /** Which elements of which file a tensor is. */
    private record Place(TorchFile file, Pickle.View view) {}

    /** Closes the files with this. */
    TorchCheckpoint(String name, List<TorchFile> files) throws FormatException {
        this.name = name;
        this.files = List.copyOf(files);
        Map<Place, String> first = new HashMap<>();
        long read = 0;
        long stored = SMALL;
        for (TorchFile file : files) {
            others.addAll(file.others());
            Map<String, Long> storages = new LinkedHashMap<>();
            for (var entry : file.views().entrySet()) {
                Pickle.View view = entry.getValue();
                if (owners.putIfAbsent(entry.getKey(), file) != null) {
                    throw file.error("tensor " + FormatException.quote(entry.getKey())
                            + " is also in another shard, expected it in one only");
                }
                int elementBytes = view.storage().dtype().bits() / Byte.SIZE;
                long bytes = view.elements() * elementBytes;
                String same = first.putIfAbsent(new Place(file, view), entry.getKey());
                if (same != null) {
                    aliases.put(entry.getKey(), same);
                }
                tensors.add(new SourceTensor(entry.getKey(), view.storage().dtype(), view.shape(), bytes));
                read += bytes;
                storages.merge(view.storage().key(), view.storage().elements() * elementBytes, Math::max);
                if (read < 0) {
                    throw repeated(file);
                }
            }
            stored += storages.values().stream().mapToLong(Long::longValue).sum();
            if (read / MAX_REPEATED > stored) {
                throw repeated(file);
            }
        }
    }

    private static FormatException repeated(TorchFile file) {
        return file.error("the tensors have more than " + MAX_REPEATED
                + " times as many bytes as the storages that they share");
    }

    /** The name of an earlier tensor that is the same elements of the same storage. */
    Optional<String> sameAs(String tensor) {
        return Optional.ofNullable(aliases.get(tensor));
    }

    @Override
    public String format() {
        return "PyTorch checkpoint";
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<SourceTensor> tensors() {
        return Collections.unmodifiableList(tensors);
    }

    @Override
    public List<String> others() {
        return Collections.unmodifiableList(others);
    }

    @Override
    public TensorReader open(SourceTensor tensor) throws IOException {
        return owners.get(tensor.name()).open(tensor.name());
    }

    @Override
    public void close() throws IOException {
        for (TorchFile file : files) {
            file.close();
        }
    }
}
