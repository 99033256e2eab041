package org.vecformer.cli.dialog;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Personalities to pick from, each some sentences that say who somebody is. Immutable.
 *
 * @param all the personalities, at least one, each with at least one sentence
 */
public record Personalities(List<List<String>> all) {
    private static final String BUILT_IN = "/org/vecformer/cli/personalities.txt";

    /** @throws IllegalArgumentException if there is none */
    public Personalities {
        all = all.stream().map(List::copyOf).toList();
        if (all.isEmpty()) {
            throw new IllegalArgumentException("there is no personality; expected at least one");
        }
    }

    /** Those that come with the program. */
    public static Personalities builtIn() {
        try (InputStream in = Personalities.class.getResourceAsStream(BUILT_IN)) {
            return new Personalities(paragraphs(new String(in.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Reads a text file: one sentence a line, with an empty line between two personalities.
     *
     * @throws IOException if it cannot be read, is no UTF-8, or has no personality
     */
    public static Personalities read(Path file) throws IOException {
        List<List<String>> all;
        try {
            all = paragraphs(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(Files.readAllBytes(file)))
                    .toString());
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is not valid UTF-8", e);
        }
        if (all.isEmpty()) {
            throw new IOException(
                    file + " has no personality; expected one sentence a line, and an empty line between two"
                            + " personalities");
        }
        return new Personalities(all);
    }

    /** Another one than this, if there is another. */
    public List<String> another(List<String> current, RandomGenerator random) {
        List<List<String>> others = all.stream().filter(one -> !one.equals(current)).toList();
        return others.isEmpty() ? current : others.get(random.nextInt(others.size()));
    }

    private static List<List<String>> paragraphs(String text) {
        List<List<String>> all = new ArrayList<>();
        List<String> current = new ArrayList<>();
        for (String line : (text + "\n\n").lines().map(String::strip).toList()) {
            if (!line.isEmpty()) {
                current.add(line);
            } else if (!current.isEmpty()) {
                all.add(current);
                current = new ArrayList<>();
            }
        }
        return all;
    }
}
