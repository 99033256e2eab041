package org.vecformer.loader;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * A {@code model.safetensors.index.json}: which shard each tensor is in.
 *
 * @param path the index file
 * @param weightMap from tensor name to the shard's file
 */
record ShardIndex(Path path, Map<String, Path> weightMap) {
    /** An index has a line of some 100 bytes a tensor; this is 300,000 of them. */
    private static final long MAX_BYTES = 32 << 20;

    static ShardIndex read(Path path) throws IOException {
        Object map = Json.readObject(path, MAX_BYTES).get("weight_map");
        if (!(map instanceof Map<?, ?> entries)) {
            throw new FormatException(path, map == null
                    ? "weight_map is missing"
                    : "weight_map is " + Json.describe(map) + ", expected an object of tensor names and file names");
        }
        if (entries.isEmpty()) {
            throw new FormatException(path, "weight_map is empty, expected tensor names and file names");
        }
        Map<String, Path> shards = new LinkedHashMap<>();
        Map<String, Path> weightMap = LinkedHashMap.newLinkedHashMap(entries.size());
        for (var entry : entries.entrySet()) {
            String tensor = (String) entry.getKey();
            if (!(entry.getValue() instanceof String shard)) {
                throw new FormatException(path, "weight_map of " + FormatException.quote(tensor) + " is "
                        + Json.describe(entry.getValue()) + ", expected a file name");
            }
            Path file = shards.get(shard);
            if (file == null) {
                file = inside(path, tensor, shard);
                shards.put(shard, file);
            }
            weightMap.put(tensor, file);
        }
        return new ShardIndex(path, weightMap);
    }

    /** The shards in the order of their first mention. */
    List<Path> shards() {
        return List.copyOf(new LinkedHashSet<>(weightMap.values()));
    }

    /** The shard's path. A name that leads out of the index's directory, on any system, is refused. */
    private static Path inside(Path index, String tensor, String shard) throws FormatException {
        String problem = "weight_map of " + FormatException.quote(tensor) + " is " + FormatException.quote(shard)
                + ", expected the name of a file in the same directory";
        boolean escapes = shard.indexOf('\\') >= 0 || shard.indexOf(':') >= 0 || shard.indexOf('\0') >= 0;
        for (String part : shard.split("/", -1)) {
            escapes |= part.isEmpty() || part.equals(".") || part.equals("..");
        }
        if (escapes) {
            throw new FormatException(index, problem);
        }
        try {
            return index.resolveSibling(shard);
        } catch (InvalidPathException e) {
            throw new FormatException(index, problem, e);
        }
    }
}
