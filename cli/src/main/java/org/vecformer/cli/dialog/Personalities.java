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
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;

/**
 * Personalities to pick from, each some sentences that say who somebody is. Immutable.
 *
 * @param all the personalities, at least one, each with at least one sentence
 */
public record Personalities(List<List<String>> all) {
    private static final String BUILT_IN = "/org/vecformer/cli/personalities.txt";
    private static final int BEGINNING = 4096;
    /** JSON, or a numbered line with a persona; perhaps behind a byte order mark (as ISO-8859-1 reads it). */
    private static final Pattern PERSONA_CHAT = Pattern
            .compile("(\u00ef\u00bb\u00bf)?\\s*([\\[{]|1 (your|partner's) persona:)");

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
     * Reads a file: PersonaChat in one of its formats, whose dialogs each have a personality, or a text with one sentence
     * a line and an empty line between two personalities.
     *
     * @throws IOException if it cannot be read, is neither, or has no personality
     */
    public static Personalities read(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file");
        }
        Set<List<String>> all = isPersonaChat(file) ? ofDialogs(file) : new LinkedHashSet<>(paragraphs(text(file)));
        all.remove(List.of());
        if (all.isEmpty()) {
            throw new IOException(
                    file + " has no personality; expected one sentence a line, and an empty line between two"
                            + " personalities");
        }
        return new Personalities(List.copyOf(all));
    }

    /** A text of sentences begins neither with a bracket nor with a line number. */
    private static boolean isPersonaChat(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            String beginning = new String(in.readNBytes(BEGINNING), StandardCharsets.ISO_8859_1);
            return PERSONA_CHAT.matcher(beginning).lookingAt();
        }
    }

    private static Set<List<String>> ofDialogs(Path file) throws IOException {
        Set<List<String>> all = new LinkedHashSet<>();
        try (ExampleReader reader = ExampleReader.open(file, null)) {
            for (NumberedExample next = reader.next(); next != null; next = reader.next()) {
                all.add(next.example().persona());
            }
        }
        return all;
    }

    private static String text(Path file) throws IOException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(Files.readAllBytes(file))).toString();
        } catch (CharacterCodingException e) {
            throw new IOException(file + " is not valid UTF-8", e);
        }
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
