package org.vecformer.cli;

import java.util.List;
import java.util.function.Function;

/**
 * What a line of {@code --jsonl} may be.
 *
 * @param fields the names of the fields that there can be
 * @param reader makes an input of them; throws {@link LineFields.WrongFieldException} if they do not fit together
 * @param <T> what a line becomes
 */
record LineShape<T>(List<String> fields, Function<LineFields, T> reader) {

    /** Ids alone. */
    static final LineShape<int[]> IDS = new LineShape<>(List.of("ids"), line -> line.numbers("ids"));

    /** A text, with a second one perhaps. */
    static final LineShape<Input.Text> TEXTS = new LineShape<>(List.of("text", "pair"), LineShape::textAndPair);

    /** A text or ids. */
    static final LineShape<Input> PROMPT = new LineShape<>(List.of("text", "ids"),
            line -> textOrIds(line) ? new Input.Text(line.text("text"), null) : ids(line));

    /** A text, with a second one perhaps, or ids with their types and mask. */
    static final LineShape<Input> ENCODER = new LineShape<>(
            List.of("text", "pair", "ids", "token_type_ids", "attention_mask"), LineShape::encoder);

    /** A text, or ids with their mask. */
    static final LineShape<Input> SINGLE = new LineShape<>(List.of("text", "ids", "token_type_ids", "attention_mask"),
            LineShape::encoder);

    T read(LineFields line) {
        return reader.apply(line);
    }

    /** The same lines, made into something else. */
    <U> LineShape<U> map(Function<T, U> made) {
        return new LineShape<>(fields, reader.andThen(made));
    }

    private static Input.Text textAndPair(LineFields line) {
        return new Input.Text(line.text("text"), line.has("pair") ? line.text("pair") : null);
    }

    private static boolean textOrIds(LineFields line) {
        if (line.has("text") == line.has("ids")) {
            throw new LineFields.WrongFieldException("expected either \"text\" or \"ids\"");
        }
        return line.has("text");
    }

    private static Input encoder(LineFields line) {
        if (textOrIds(line)) {
            refuse(line, "token_type_ids", "ids");
            refuse(line, "attention_mask", "ids");
            return textAndPair(line);
        }
        refuse(line, "pair", "text");
        return ids(line);
    }

    private static void refuse(LineFields line, String field, String partner) {
        if (line.has(field)) {
            throw new LineFields.WrongFieldException("\"" + field + "\" goes with \"" + partner + "\"");
        }
    }

    private static Input ids(LineFields line) {
        return new Input.Ids(line.numbers("ids"), optional(line, "token_type_ids"), optional(line, "attention_mask"));
    }

    private static int[] optional(LineFields line, String name) {
        return line.has(name) ? line.numbers(name) : null;
    }
}
