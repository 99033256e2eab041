package org.vecformer.cli.dialog;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.vecformer.engine.dialog.DialogExample;

/**
 * The text format of ConvAI2 (ParlAI's {@code FbDialogTeacher}):
 *
 * <pre>{@code
 * 1 your persona: i have two dogs .
 * 2 partner's persona: i like to swim .
 * 3 hello , how are you ?<TAB>fine , i am with my dogs .<TAB><TAB>i like pizza .|fine , i am with my dogs .
 * }</pre>
 *
 * Lines of a dialog are numbered; 1 begins a new one. What is said has up to four columns: the partner's utterance, the
 * reply, a reward, and candidates with {@code |} between them, of which the reply is one. The partner's persona, which
 * the one who answers does not know, is passed over. {@code \n} in a text is a line break. An utterance {@code
 * __SILENCE__}, of a partner who lets the other one begin, is kept as it is.
 */
final class ConvAi2Reader implements ExampleReader {
    private static final String PERSONA = "your persona:";
    private static final String PARTNER = "partner's persona:";
    /** Far longer than any line with candidates. */
    private static final int LONGEST_LINE = 1 << 24;

    private final Path file;
    private final InputStream in;
    private final List<String> persona = new ArrayList<>();
    private final List<String> history = new ArrayList<>();
    private int line;
    private int number;
    private int dialog;

    ConvAi2Reader(Path file, InputStream in) {
        this.file = file;
        this.in = in;
    }

    @Override
    public NumberedExample next() throws IOException {
        for (String text = line(); text != null; text = line()) {
            if (!text.isBlank()) {
                String said = unnumbered(text);
                if (said.startsWith(PERSONA)) {
                    persona.add(unescaped(said.substring(PERSONA.length())));
                } else if (!said.startsWith(PARTNER)) {
                    return example(said.split("\t", -1));
                }
            }
        }
        return null;
    }

    /** What stands behind the line's number. */
    private String unnumbered(String text) throws IOException {
        int digits = 0;
        while (digits < text.length() && text.charAt(digits) >= '0' && text.charAt(digits) <= '9') {
            digits++;
        }
        // More digits than an int has are no number of a line.
        int next = digits == 0 || digits > 9 ? -1 : Integer.parseInt(text.substring(0, digits));
        if (next == 1) {
            dialog++;
            persona.clear();
            history.clear();
        } else if (next <= number || number == 0) {
            throw bad("it has " + (next < 0 ? "no number" : "the number " + next) + "; expected "
                    + (number == 0 ? "1" : number + 1 + ", or 1 for a new dialog"));
        }
        number = next;
        return text.startsWith(" ", digits) ? text.substring(digits + 1) : text.substring(digits);
    }

    private NumberedExample example(String[] columns) throws IOException {
        if (columns.length < 2 || columns.length > 4) {
            throw bad("it has " + columns.length + (columns.length == 1 ? " column" : " columns")
                    + "; expected an utterance, a reply, and perhaps a reward and candidates, with tabs between them");
        }
        String utterance = unescaped(columns[0]);
        String reply = unescaped(columns[1]);
        if (utterance.isEmpty() || reply.isEmpty()) {
            throw bad("its " + (utterance.isEmpty() ? "utterance" : "reply") + " is empty");
        }
        history.add(utterance);
        List<String> candidates = new ArrayList<>();
        if (columns.length == 4) {
            Arrays.stream(columns[3].split("\\|")).map(ConvAi2Reader::unescaped).filter(text -> !text.isEmpty())
                    .forEach(candidates::add);
            candidates.remove(reply);
        }
        candidates.add(reply);
        NumberedExample example = new NumberedExample(dialog, new DialogExample(persona, history, candidates));
        history.add(reply);
        return example;
    }

    private static String unescaped(String text) {
        return text.replace("\\n", "\n").strip();
    }

    /** The next line without its end; null behind the last one. */
    private String line() throws IOException {
        line++;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int next = in.read();
        if (next < 0) {
            return null;
        }
        for (; next >= 0 && next != '\n'; next = in.read()) {
            if (bytes.size() == LONGEST_LINE) {
                throw bad("it has more than " + LONGEST_LINE + " bytes");
            }
            bytes.write(next);
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
        } catch (CharacterCodingException e) {
            throw new IOException(file + ", line " + line + ": it is not valid UTF-8", e);
        }
    }

    private IOException bad(String problem) {
        return new IOException(file + ", line " + line + ": " + problem);
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
