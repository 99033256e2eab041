package org.vecformer.tokenizer;

import java.util.OptionalInt;

/** The ids of tokens that have a role. */
record SpecialIds(OptionalInt begin, OptionalInt end, OptionalInt unknown, OptionalInt separator, OptionalInt padding,
        OptionalInt classification, OptionalInt mask) {}
