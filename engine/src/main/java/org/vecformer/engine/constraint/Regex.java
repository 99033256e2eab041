package org.vecformer.engine.constraint;

import java.util.List;

/** A regular expression, as {@link RegexParser} reads it. */
sealed interface Regex {
    Regex EMPTY = new Sequence(List.of());

    /** Writes the expression behind a node; gives the node behind it. */
    int write(Network network, Characters characters, int from);

    /** One character of a set. */
    record OneOf(CodePoints set) implements Regex {
        @Override
        public int write(Network network, Characters characters, int from) {
            int end = network.node();
            characters.add(network, from, set, end);
            return end;
        }
    }

    /** All of these, one after the other. */
    record Sequence(List<Regex> parts) implements Regex {
        @Override
        public int write(Network network, Characters characters, int from) {
            int at = from;
            for (Regex part : parts) {
                at = part.write(network, characters, at);
            }
            return at;
        }
    }

    /** One of these. */
    record Either(List<Regex> alternatives) implements Regex {
        @Override
        public int write(Network network, Characters characters, int from) {
            int end = network.node();
            for (Regex alternative : alternatives) {
                network.skip(alternative.write(network, characters, from), end);
            }
            return end;
        }
    }

    /** The same thing several times. */
    record Repeat(Regex body, int least, int most) implements Regex {
        static final int UNBOUNDED = Integer.MAX_VALUE;

        @Override
        public int write(Network network, Characters characters, int from) {
            // A node for each time, even where the body has none: the size of the network bounds the work.
            int at = from;
            int begin = from;
            for (int i = 0; i < least; i++) {
                begin = network.node();
                network.skip(at, begin);
                at = body.write(network, characters, begin);
            }
            if (most == UNBOUNDED) {
                if (least > 0) {
                    network.skip(at, begin);
                    return at;
                }
                int loop = network.node();
                network.skip(at, loop);
                network.skip(body.write(network, characters, loop), loop);
                return loop;
            }
            int end = network.node();
            for (int i = least; i < most; i++) {
                network.skip(at, end);
                begin = network.node();
                network.skip(at, begin);
                at = body.write(network, characters, begin);
            }
            network.skip(at, end);
            return end;
        }
    }
}
