package org.vecformer.engine.constraint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.vecformer.engine.sampler.Candidates;
import org.vecformer.engine.sampler.Sampler;
import org.vecformer.tokenizer.Tokenizer;

/** Writes texts with logits drawn at random in the place of a model. */
final class Writer {
    final Tokenizer tokenizer;
    final Vocabulary vocabulary;
    private final Candidates candidates;

    Writer(Tokenizer tokenizer) {
        this(tokenizer, Vocabulary.of(tokenizer));
    }

    Writer(Tokenizer tokenizer, Vocabulary vocabulary) {
        this.tokenizer = tokenizer;
        this.vocabulary = vocabulary;
        // As a model whose vocabulary was rounded up.
        candidates = new Candidates(tokenizer.vocabularySize() + 7);
    }

    /** The ids that a sampler allows now. */
    List<Integer> allowed(Sampler sampler) {
        candidates.load(new float[candidates.vocabularySize()]);
        sampler.apply(candidates);
        List<Integer> allowed = new ArrayList<>();
        for (int i = 0; i < candidates.size(); i++) {
            if (candidates.logits()[i] == 0) {
                allowed.add(candidates.ids()[i]);
            }
        }
        return allowed;
    }

    /** A whole text, of about so many tokens at most: from there on what may close something is closed. */
    String write(Constraint constraint, SplittableRandom random, int length) {
        Sampler sampler = constraint.sampler();
        List<Integer> ids = new ArrayList<>();
        while (!sampler.isComplete()) {
            List<Integer> allowed = allowed(sampler);
            if (allowed.isEmpty()) {
                throw new AssertionError("nothing can follow " + text(ids));
            }
            int id = allowed.get(random.nextInt(allowed.size()));
            if (ids.size() > length && random.nextInt(4) > 0) {
                id = closing(allowed, random);
            }
            // What waits for letters that are not drawn, and is not recursive.
            if (ids.size() > length && ids.size() % 400 == 0) {
                String text = shortest(constraint, tokenizer.decodeBytes(array(ids)));
                if (text != null) {
                    return text;
                }
            }
            if (ids.size() > length + 20_000) {
                throw new AssertionError("never ends: " + text(ids));
            }
            sampler.accept(id);
            if (!vocabulary.isEndToken(id)) {
                ids.add(id);
            }
        }
        return text(ids);
    }

    /** One that closes something or ends the text, if there is one; sometimes a letter that a pattern may wait for. */
    private int closing(List<Integer> allowed, SplittableRandom random) {
        boolean closes = random.nextInt(3) > 0;
        int best = -1;
        int found = -1;
        for (int id : allowed) {
            int rank = vocabulary.isEndToken(id) ? 9 : switch (tokenizer.token(id)) {
                case "\"" -> closes ? 8 : random.nextInt(3, 6);
                case "}" -> closes ? 7 : 0;
                case "]" -> closes ? 6 : 0;
                case "a", "b", "c", "1", "Ċ", "é", "\\" -> random.nextInt(3, 6);
                default -> random.nextInt(5);
            };
            if (rank > best) {
                best = rank;
                found = id;
            }
        }
        return found;
    }

    /** The shortest text with this beginning; null if it is not found soon. Bytes are kept as characters 0 to 255. */
    private static String shortest(Constraint constraint, byte[] begun) {
        Automaton automaton = ((TextConstraint) constraint).automaton();
        Map<Automaton.State, String> texts = new LinkedHashMap<>();
        texts.put(automaton.read(automaton.start(), begun), new String(begun, StandardCharsets.ISO_8859_1));
        Deque<Automaton.State> open = new ArrayDeque<>(texts.keySet());
        while (!open.isEmpty() && texts.size() < 3000) {
            Automaton.State state = open.poll();
            if (state.accepting()) {
                return new String(texts.get(state).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
            }
            for (char value = 0; value < 256; value++) {
                Automaton.State next = automaton.read(state, new byte[]{(byte) value});
                if (next != null && texts.putIfAbsent(next, texts.get(state) + value) == null) {
                    open.add(next);
                }
            }
        }
        return null;
    }

    private static int[] array(List<Integer> ids) {
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    private String text(List<Integer> ids) {
        return tokenizer.decode(array(ids));
    }

    /** Whether the automaton takes a text. */
    static boolean matches(Constraint constraint, String text) {
        Automaton automaton = ((TextConstraint) constraint).automaton();
        Automaton.State state = automaton.read(automaton.start(), text.getBytes(StandardCharsets.UTF_8));
        return state != null && state.accepting();
    }
}
