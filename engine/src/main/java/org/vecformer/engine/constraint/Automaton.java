package org.vecformer.engine.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A {@link Network} made deterministic while texts are written: a state is the set of places that a text can have come
 * to, found when a text first comes there, with the tokens that can follow. Thread-safe.
 * <p>
 * Every state can reach the end. States forget what they know of others when together they would take more than
 * {@value #MEMORY} bytes; then it is found again.
 */
final class Automaton {
    /** What states may take, roughly. */
    static final long MEMORY = 32L << 20;
    /** Places that a state may be: more is a pattern which can be read in so many ways that each byte takes too long. */
    private static final int MAX_PLACES = 20_000;
    /** Places that finding the tokens of one state may go through: about two seconds of work. */
    private static final long MAX_WORK = 2_000_000;
    /** States that a vocabulary which cannot spell all bytes may make us look at beforehand. */
    private static final int MAX_EXPLORED = 2_000;
    private static final long PLACE_SIZE = 80;
    private static final long STATE_SIZE = 160;

    private final Network network;
    private final Vocabulary vocabulary;
    private final int[] classOf;
    private final int classes;
    /** By class: one of its bytes. */
    private final int[] byteOf;
    private final Map<Set<Network.Place>, State> states = new HashMap<>();
    private long memory;
    private int forgotten;
    private long work;
    /** Whether states know which of them no tokens lead out of, and must not be forgotten. */
    private boolean explored;
    /** Where a byte leads that cannot come. */
    private final State nowhere = new State(Set.of(), false, 0);
    private final State start;
    private volatile long[] startMask;

    /** What a text may have come to. Equal states are the same object, until states are forgotten. */
    static final class State {
        private final Network.Place[] places;
        private final boolean accepting;
        /** By class of byte; null until it is asked for. Written under the automaton's lock; states are safe to see. */
        private final State[] next;
        private volatile long[] mask;
        /** No tokens lead from here to the end. */
        private boolean stuck;

        private State(Set<Network.Place> places, boolean accepting, int classes) {
            this.places = places.toArray(Network.Place[]::new);
            this.accepting = accepting;
            next = new State[classes];
        }

        /** Whether the text may end here. */
        boolean accepting() {
            return accepting;
        }
    }

    Automaton(Network network, Vocabulary vocabulary) {
        this.network = network;
        this.vocabulary = vocabulary;
        classOf = network.byteClasses();
        classes = classOf[255] + 1;
        byteOf = new int[classes];
        for (int value = 255; value >= 0; value--) {
            byteOf[classOf[value]] = value;
        }
        start = state(List.of(network.start()));
        BitSet unspelled = network.alphabet();
        unspelled.andNot(vocabulary.later().singles());
        if (!unspelled.isEmpty()) {
            explore();
        }
        // Finds out now, not after the first prompt, whether anything can be written.
        if (firstTokens().length == 0) {
            throw new ConstraintException(start.accepting
                    ? "Only the empty text matches"
                    : "The vocabulary has no tokens that spell a text which matches");
        }
    }

    /** How often states were forgotten. */
    synchronized int forgotten() {
        return forgotten;
    }

    State start() {
        return start;
    }

    /** The tokens that can begin a text, as a bit set in words; empty if there are none. */
    long[] firstTokens() {
        if (vocabulary.first() == vocabulary.later()) {
            return tokens(start);
        }
        long[] mask = startMask;
        if (mask == null) {
            mask = walk(start, vocabulary.first(), null);
            startMask = mask;
        }
        return mask;
    }

    /** The tokens that can follow, as a bit set in words; empty if there are none. */
    long[] tokens(State state) {
        long[] mask = state.mask;
        if (mask == null) {
            mask = walk(state, vocabulary.later(), null);
            remember(state, mask);
        }
        return mask;
    }

    /** Where the bytes lead; null if they cannot come. */
    State read(State from, byte[] bytes) {
        State state = from;
        for (byte b : bytes) {
            state = next(state, b);
            if (state == nowhere) {
                return null;
            }
        }
        return state.stuck ? null : state;
    }

    private State next(State state, byte b) {
        State next = state.next[classOf[b & 0xFF]];
        return next != null ? next : find(state, classOf[b & 0xFF]);
    }

    /** The tokens that lead from a state to one that is not stuck, and, where asked for, to which. */
    private long[] walk(State from, TokenTrie trie, Set<State> reached) {
        long[] mask = new long[vocabulary.words()];
        boolean any = false;
        State[] path = new State[trie.deepest() + 1];
        path[0] = from;
        if (reached == null) {
            beginWork();
        }
        for (int node = 0; node < trie.size();) {
            int depth = trie.depth(node);
            State next = next(path[depth], trie.byteAt(node));
            if (next == nowhere) {
                node = trie.end(node);
                continue;
            }
            path[depth + 1] = next;
            int end = trie.firstToken(node + 1);
            for (int i = trie.firstToken(node); i < end && !next.stuck; i++) {
                int token = trie.token(i);
                mask[token >> 6] |= 1L << token;
                any = true;
                if (reached != null) {
                    reached.add(next);
                }
            }
            node++;
        }
        return any ? mask : new long[0];
    }

    /**
     * Marks the states that are stuck. Only needed where the vocabulary lacks bytes: otherwise a way to the end can
     * always be spelled byte by byte.
     */
    private void explore() {
        Map<State, Set<State>> leads = new HashMap<>();
        Set<State> live = new HashSet<>();
        Deque<State> open = new ArrayDeque<>();
        Set<State> begins = new HashSet<>();
        explored = true;
        walk(start, vocabulary.first(), begins);
        open.addAll(begins);
        while (!open.isEmpty()) {
            State state = open.pop();
            if (leads.containsKey(state)) {
                continue;
            }
            if (leads.size() == MAX_EXPLORED) {
                throw tooLargeToExplore();
            }
            Set<State> reached = new HashSet<>();
            walk(state, vocabulary.later(), reached);
            leads.put(state, reached);
            open.addAll(reached);
            if (state.accepting) {
                live.add(state);
            }
        }
        boolean changed = true;
        while (changed) {
            changed = false;
            for (Map.Entry<State, Set<State>> entry : leads.entrySet()) {
                if (!live.contains(entry.getKey()) && entry.getValue().stream().anyMatch(live::contains)) {
                    changed |= live.add(entry.getKey());
                }
            }
        }
        for (State state : leads.keySet()) {
            state.stuck = !live.contains(state);
        }
    }

    private static ConstraintException tooLargeToExplore() {
        return new ConstraintException("The vocabulary has no token for some of the bytes that can come, and there are"
                + " too many ways to write a text to find out which of them its tokens can end");
    }

    private synchronized void beginWork() {
        work = 0;
    }

    private synchronized State find(State from, int byteClass) {
        List<Network.Place> places = new ArrayList<>();
        for (Network.Place place : from.places) {
            network.read(place, byteOf[byteClass], places);
        }
        State next = places.isEmpty() ? nowhere : state(places);
        from.next[byteClass] = next;
        work += from.places.length;
        if (work > MAX_WORK) {
            throw new ConstraintException("The constraint can be read in so many ways that finding the next token"
                    + " would take too long; nest fewer repetitions");
        }
        return next;
    }

    /** The state of these places and of all that reading nothing leads to. */
    private synchronized State state(List<Network.Place> from) {
        Set<Network.Place> seen = new HashSet<>(from);
        Deque<Network.Place> open = new ArrayDeque<>(seen);
        Set<Network.Place> kept = new HashSet<>();
        List<Network.Place> found = new ArrayList<>();
        boolean accepting = false;
        while (!open.isEmpty()) {
            Network.Place place = open.pop();
            boolean end = network.isEnd(place);
            accepting |= end;
            // What only leads elsewhere says nothing of its own.
            if (end || network.reads(place)) {
                kept.add(place);
            }
            found.clear();
            network.follow(place, found);
            for (Network.Place next : found) {
                if (seen.add(next)) {
                    open.push(next);
                }
            }
            if (seen.size() > MAX_PLACES) {
                throw new ConstraintException("The constraint can be read in more than " + MAX_PLACES
                        + " ways at once; nest fewer repetitions and alternatives");
            }
        }
        work += seen.size();
        State known = states.get(kept);
        if (known != null) {
            return known;
        }
        take(STATE_SIZE + 8L * classes + PLACE_SIZE * kept.size());
        State state = new State(kept, accepting, classes);
        states.put(kept, state);
        return state;
    }

    private synchronized void remember(State state, long[] mask) {
        take(8L * mask.length);
        state.mask = mask;
    }

    /** Makes room. */
    private void take(long size) {
        memory += size;
        if (memory <= MEMORY) {
            return;
        }
        if (explored) {
            throw tooLargeToExplore();
        }
        forgotten++;
        for (State state : states.values()) {
            Arrays.fill(state.next, null);
            state.mask = null;
        }
        states.clear();
        memory = size;
    }
}
