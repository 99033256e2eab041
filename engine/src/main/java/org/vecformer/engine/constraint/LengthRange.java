package org.vecformer.engine.constraint;

import java.util.Arrays;

/**
 * The texts of a regular expression that have so many characters. Each node of the expression is written once for each
 * count of characters that may lie before it: the product with an automaton that counts.
 *
 * @param least how many at least
 * @param most  how many at most; {@link Regex.Repeat#UNBOUNDED} if there is no such number
 */
record LengthRange(int least, int most) {
    private static final int NONE = -1;

    /** Writes the expression's texts behind a node; gives the node behind them. */
    int write(Regex regex, Network network, Characters characters, int from) {
        boolean unbounded = most == Regex.Repeat.UNBOUNDED;
        int[] start = new int[(unbounded ? least : most) + 1];
        Arrays.fill(start, NONE);
        start[0] = from;
        int[] ends = new Layers(network, characters, unbounded).write(regex, start);
        int end = network.node();
        for (int count = least; count < ends.length; count++) {
            if (ends[count] != NONE) {
                network.skip(ends[count], end);
            }
        }
        return end;
    }

    /**
     * Nodes by count of characters, or NONE.
     *
     * @param open whether the last stands for all counts above it, too
     */
    private record Layers(Network network, Characters characters, boolean open) {
        int[] write(Regex regex, int[] from) {
            return switch (regex) {
                case Regex.OneOf(CodePoints set) -> character(set, from);
                case Regex.Sequence(var parts) -> {
                    int[] at = from;
                    for (Regex part : parts) {
                        at = write(part, at);
                    }
                    yield at;
                }
                case Regex.Either(var alternatives) -> {
                    int[] end = none(from);
                    for (Regex alternative : alternatives) {
                        skip(write(alternative, from), end);
                    }
                    yield end;
                }
                case Regex.Repeat repeat -> repeated(repeat, from);
            };
        }

        private int[] character(CodePoints set, int[] from) {
            int[] end = none(from);
            for (int count = 0; count < from.length; count++) {
                int next = open ? Math.min(count + 1, from.length - 1) : count + 1;
                if (from[count] != NONE && next < from.length) {
                    end[next] = end[next] == NONE ? network.node() : end[next];
                    characters.add(network, from[count], set, end[next]);
                }
            }
            return end;
        }

        private int[] repeated(Regex.Repeat repeat, int[] from) {
            boolean unbounded = repeat.most() == Regex.Repeat.UNBOUNDED;
            int[] at = from;
            for (int i = unbounded ? 1 : 0; i < repeat.least(); i++) {
                at = write(repeat.body(), copy(at));
            }
            if (unbounded) {
                // What comes back has more characters than what came first, up to all of them.
                int[] loop = none(at);
                int lowest = 0;
                while (lowest < at.length && at[lowest] == NONE) {
                    lowest++;
                }
                for (int count = lowest; count < at.length; count++) {
                    loop[count] = network.node();
                }
                skip(at, loop);
                int[] end = write(repeat.body(), loop);
                skip(end, loop);
                return repeat.least() > 0 ? end : loop;
            }
            int[] end = copy(at);
            for (int i = repeat.least(); i < repeat.most(); i++) {
                at = write(repeat.body(), copy(at));
                skip(at, end);
            }
            return end;
        }

        private int[] copy(int[] from) {
            int[] copy = none(from);
            skip(from, copy);
            // Where nothing is left to copy the work must be bounded all the same.
            network.node();
            return copy;
        }

        private void skip(int[] from, int[] to) {
            for (int count = 0; count < from.length; count++) {
                if (from[count] != NONE) {
                    to[count] = to[count] == NONE ? network.node() : to[count];
                    network.skip(from[count], to[count]);
                }
            }
        }

        private static int[] none(int[] like) {
            int[] none = new int[like.length];
            Arrays.fill(none, NONE);
            return none;
        }
    }
}
