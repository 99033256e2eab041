package org.vecformer.engine.call;

import java.util.Spliterator;
import java.util.function.Consumer;
import org.vecformer.engine.generation.TextPiece;

/** The pieces of a queue one by one: nothing is taken before it is asked for, which splitting would do. */
record PieceSpliterator(PieceQueue queue) implements Spliterator<TextPiece> {

    @Override
    public boolean tryAdvance(Consumer<? super TextPiece> action) {
        TextPiece piece = queue.take();
        if (piece == null) {
            return false;
        }
        action.accept(piece);
        return true;
    }

    @Override
    public Spliterator<TextPiece> trySplit() {
        return null;
    }

    @Override
    public long estimateSize() {
        return Long.MAX_VALUE;
    }

    @Override
    public int characteristics() {
        return ORDERED | NONNULL;
    }
}
