package org.vecformer.engine.constraint;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A grammar as a recursive transition network (Woods 1970): rules, each a graph of nodes from an entry to an exit,
 * whose edges read a byte, read nothing, or call a rule and go on behind it. Without calls it is a nondeterministic
 * finite automaton (Thompson 1968). Rule 0 is the whole text.
 */
final class Network {
    /** Refuses what nobody means, before it fills the memory: 20 MB. */
    static final int MAX_NODES = 500_000;
    private static final int MAX_EDGES = 2 * MAX_NODES;
    /** The most calls one inside another that a text may take. */
    static final int MAX_DEPTH = 64;

    private static final int SKIP = -1;

    private final List<String> ruleNames = new ArrayList<>();
    private int[] entries = new int[4];
    private int[] exits = new int[4];

    /** By node: its last edge, or -1; each edge knows the one before. */
    private int[] lastEdge = new int[64];
    private int nodes;
    private int[] previousEdge = new int[64];
    /** A byte range as first << 8 | last, SKIP, or a call as -2 - rule. */
    private int[] label = new int[64];
    private int[] target = new int[64];
    private int edges;

    private final BitSet exitNodes = new BitSet();
    /** By node: how many calls one inside another it takes at least to reach the rule's exit; too many if it cannot. */
    private byte[] height;

    int node() {
        if (nodes == MAX_NODES) {
            throw new ConstraintException(
                    "The constraint is too large: with its repetitions written out it has more than "
                            + MAX_NODES + " steps; use smaller repeat counts or lengths, or fewer alternatives");
        }
        if (nodes == lastEdge.length) {
            lastEdge = Arrays.copyOf(lastEdge, 2 * nodes);
        }
        lastEdge[nodes] = -1;
        return nodes++;
    }

    private void edge(int from, int what, int to) {
        if (edges == MAX_EDGES) {
            throw new ConstraintException("The constraint is too large: it has more than " + MAX_EDGES
                    + " ways from one step to another; use fewer or smaller character classes and alternatives");
        }
        if (edges == label.length) {
            label = Arrays.copyOf(label, 2 * edges);
            target = Arrays.copyOf(target, 2 * edges);
            previousEdge = Arrays.copyOf(previousEdge, 2 * edges);
        }
        label[edges] = what;
        target[edges] = to;
        previousEdge[edges] = lastEdge[from];
        lastEdge[from] = edges++;
    }

    /** One byte of a range, unsigned. */
    void bytes(int from, int first, int last, int to) {
        edge(from, first << 8 | last, to);
    }

    void skip(int from, int to) {
        edge(from, SKIP, to);
    }

    /** These bytes one after the other; gives the node behind them. */
    int literal(int from, byte[] text) {
        int at = from;
        for (byte b : text) {
            int next = node();
            bytes(at, b & 0xFF, b & 0xFF, next);
            at = next;
        }
        return at;
    }

    /** One of these texts; gives the node behind them. Texts share their beginnings, so that many cost little. */
    int oneOf(int from, List<byte[]> texts) {
        byte[][] sorted = texts.toArray(byte[][]::new);
        Arrays.sort(sorted, Arrays::compareUnsigned);
        int end = node();
        // The first node is fresh: others may leave the one we come from.
        int[] path = {node()};
        skip(from, path[0]);
        byte[] before = null;
        for (byte[] text : sorted) {
            int shared = 0;
            if (before != null) {
                int mismatch = Arrays.mismatch(before, text);
                if (mismatch < 0) {
                    continue;
                }
                shared = mismatch;
            }
            path = Arrays.copyOf(path, text.length + 1);
            for (int i = shared; i < text.length; i++) {
                path[i + 1] = node();
                bytes(path[i], text[i] & 0xFF, text[i] & 0xFF, path[i + 1]);
            }
            skip(path[text.length], end);
            before = text;
        }
        return end;
    }

    /** A rule to be written between its entry and its exit; the name is for messages. */
    int rule(String name) {
        int rule = ruleNames.size();
        if (rule == entries.length) {
            entries = Arrays.copyOf(entries, 2 * rule);
            exits = Arrays.copyOf(exits, 2 * rule);
        }
        ruleNames.add(name);
        entries[rule] = node();
        exits[rule] = node();
        exitNodes.set(exits[rule]);
        return rule;
    }

    int entry(int rule) {
        return entries[rule];
    }

    int exit(int rule) {
        return exits[rule];
    }

    /** A text of another rule; gives the node behind it. */
    int call(int from, int rule) {
        int after = node();
        edge(from, -2 - rule, after);
        return after;
    }

    /**
     * Ends the writing.
     *
     * @throws ConstraintException if a rule calls itself before anything is read, or no text leads to the end
     */
    Network finished() {
        refuseLeftRecursion();
        computeHeights();
        if (height[entries[0]] > MAX_DEPTH) {
            throw new ConstraintException(
                    "No text matches: the end cannot be reached, at least not with " + MAX_DEPTH
                            + " levels of nesting");
        }
        return this;
    }

    private void refuseLeftRecursion() {
        int rules = ruleNames.size();
        List<Set<Integer>> firstCalls = new ArrayList<>();
        for (int rule = 0; rule < rules; rule++) {
            firstCalls.add(firstCalls(rule));
        }
        // Takes away what begins with nothing that is left; what remains goes round in a circle.
        Set<Integer> left = new HashSet<>();
        for (int rule = 0; rule < rules; rule++) {
            left.add(rule);
        }
        boolean changed = true;
        while (changed) {
            changed = left.removeIf(rule -> firstCalls.get(rule).stream().noneMatch(left::contains));
        }
        for (int rule : left) {
            throw new ConstraintException(ruleNames.get(rule)
                    + " refers to itself with nothing before it, so that no text ever begins");
        }
    }

    private Set<Integer> firstCalls(int rule) {
        Set<Integer> calls = new HashSet<>();
        BitSet seen = new BitSet();
        Deque<Integer> open = new ArrayDeque<>();
        open.push(entries[rule]);
        seen.set(entries[rule]);
        while (!open.isEmpty()) {
            for (int edge = lastEdge[open.pop()]; edge >= 0; edge = previousEdge[edge]) {
                if (label[edge] < SKIP) {
                    calls.add(-2 - label[edge]);
                } else if (label[edge] == SKIP && !seen.get(target[edge])) {
                    seen.set(target[edge]);
                    open.push(target[edge]);
                }
            }
        }
        return calls;
    }

    private void computeHeights() {
        height = new byte[nodes];
        Arrays.fill(height, (byte) (MAX_DEPTH + 1));
        exitNodes.stream().forEach(node -> height[node] = 0);
        // Graphs are written front to back: from behind, few passes do.
        boolean changed = true;
        while (changed) {
            changed = false;
            for (int node = nodes - 1; node >= 0; node--) {
                int least = height[node];
                for (int edge = lastEdge[node]; edge >= 0; edge = previousEdge[edge]) {
                    int needed = height[target[edge]];
                    if (label[edge] < SKIP) {
                        needed = Math.max(needed, 1 + height[entries[-2 - label[edge]]]);
                    }
                    least = Math.min(least, needed);
                }
                if (least < height[node]) {
                    height[node] = (byte) least;
                    changed = true;
                }
            }
        }
    }

    /** Where a text has come to: a node, and where to go on when its rule ends. */
    record Place(int node, Frame frame) {
        @Override
        public int hashCode() {
            return 31 * node + (frame == null ? 0 : frame.hash);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Place place && node == place.node
                    && (frame == place.frame || frame != null && frame.equals(place.frame));
        }
    }

    /** The calls that have not ended yet, innermost first. */
    static final class Frame {
        private final int after;
        private final Frame outer;
        private final int depth;
        private final int hash;

        private Frame(int after, Frame outer) {
            this.after = after;
            this.outer = outer;
            depth = outer == null ? 1 : outer.depth + 1;
            hash = 31 * (outer == null ? 7 : outer.hash) + after;
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            if (!(other instanceof Frame)) {
                return false;
            }
            Frame a = this;
            Frame b = (Frame) other;
            while (a != b) {
                if (a == null || b == null || a.hash != b.hash || a.after != b.after) {
                    return false;
                }
                a = a.outer;
                b = b.outer;
            }
            return true;
        }
    }

    /** The place of a text that has not begun. */
    Place start() {
        return new Place(entries[0], null);
    }

    /** Whether the text may end here. */
    boolean isEnd(Place place) {
        return place.frame == null && place.node == exits[0];
    }

    /** Whether a byte can be read here at all. */
    boolean reads(Place place) {
        for (int edge = lastEdge[place.node]; edge >= 0; edge = previousEdge[edge]) {
            if (label[edge] >= 0) {
                return true;
            }
        }
        return false;
    }

    /** Where a byte leads from a place, before what reads nothing is followed. */
    void read(Place place, int value, List<Place> found) {
        for (int edge = lastEdge[place.node]; edge >= 0; edge = previousEdge[edge]) {
            if (label[edge] >= 0 && label[edge] >> 8 <= value && value <= (label[edge] & 0xFF)) {
                add(target[edge], place.frame, found);
            }
        }
    }

    /** Where reading nothing leads from a place. */
    void follow(Place place, List<Place> found) {
        if (exitNodes.get(place.node) && place.frame != null) {
            add(place.frame.after, place.frame.outer, found);
        }
        for (int edge = lastEdge[place.node]; edge >= 0; edge = previousEdge[edge]) {
            if (label[edge] == SKIP) {
                add(target[edge], place.frame, found);
            } else if (label[edge] < SKIP && reaches(target[edge], place.frame)) {
                add(entries[-2 - label[edge]], new Frame(target[edge], place.frame), found);
            }
        }
    }

    private void add(int node, Frame frame, List<Place> found) {
        if (reaches(node, frame)) {
            found.add(new Place(node, frame));
        }
    }

    /** Whether the end can be reached from here; places from which it cannot are left out, so that nothing gets stuck. */
    private boolean reaches(int node, Frame frame) {
        return (frame == null ? 0 : frame.depth) + height[node] <= MAX_DEPTH;
    }

    /** By byte: a number that bytes share which no edge tells apart. */
    int[] byteClasses() {
        boolean[] begins = new boolean[257];
        for (int edge = 0; edge < edges; edge++) {
            if (label[edge] >= 0) {
                begins[label[edge] >> 8] = true;
                begins[(label[edge] & 0xFF) + 1] = true;
            }
        }
        int[] classes = new int[256];
        for (int value = 1; value < 256; value++) {
            classes[value] = classes[value - 1] + (begins[value] ? 1 : 0);
        }
        return classes;
    }

    /** The bytes that some edge reads. */
    BitSet alphabet() {
        BitSet alphabet = new BitSet(256);
        for (int edge = 0; edge < edges; edge++) {
            if (label[edge] >= 0) {
                alphabet.set(label[edge] >> 8, (label[edge] & 0xFF) + 1);
            }
        }
        return alphabet;
    }
}
