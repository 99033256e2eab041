package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Reads the merges of a byte pair encoding, all of whose tokens the vocabulary must have. */
final class MergeReader {
    private static final String HEADER = "#version";

    private MergeReader() {}

    /** The lines of a merges.txt; the rank of a merge is its place. */
    static MergeTable read(Path file, Path vocabularyFile, Vocabulary vocabulary) throws IOException {
        char[] text = TextFile.read(file);
        int lines = 1;
        for (char c : text) {
            lines += c == '\n' ? 1 : 0;
        }
        MergeTable table = new MergeTable(lines);
        int rank = 0;
        int start = 0;
        for (int line = 1; start < text.length; line++) {
            int lineEnd = start;
            int space = -1;
            int spaces = 0;
            while (lineEnd < text.length && text[lineEnd] != '\n') {
                if (text[lineEnd] == ' ') {
                    space = lineEnd;
                    spaces++;
                }
                lineEnd++;
            }
            int end = lineEnd > start && text[lineEnd - 1] == '\r' ? lineEnd - 1 : lineEnd;
            boolean header = line == 1 && new String(text, start, end - start).startsWith(HEADER);
            if (end > start && !header) {
                String where = "line " + line;
                if (spaces != 1 || space == start || space == end - 1) {
                    throw TokenizerJson.notTwo(file, where, new String(text, start, end - start));
                }
                int left = vocabulary.find(text, start, space, 0, 0);
                int right = vocabulary.find(text, space + 1, end, 0, 0);
                int merged = vocabulary.find(text, start, space, space + 1, end);
                if (left < 0 || right < 0 || merged < 0) {
                    throw unknown(file, where, vocabularyFile, new String(text, start, space - start), left,
                            new String(text, space + 1, end - space - 1), right);
                }
                table.put(left, right, rank++, merged);
            }
            start = lineEnd + 1;
        }
        return table;
    }

    /** Merges of a tokenizer.json, left and right in turn. */
    static MergeTable read(Path file, Vocabulary vocabulary, List<String> merges) throws IOException {
        MergeTable table = new MergeTable(merges.size() / 2);
        for (int i = 0; i < merges.size(); i += 2) {
            int left = vocabulary.find(merges.get(i));
            int right = vocabulary.find(merges.get(i + 1));
            int merged = vocabulary.find(merges.get(i).concat(merges.get(i + 1)));
            if (left < 0 || right < 0 || merged < 0) {
                throw unknown(file, "field model.merges[" + i / 2 + "]", file, merges.get(i), left, merges.get(i + 1),
                        right);
            }
            table.put(left, right, i / 2, merged);
        }
        return table;
    }

    private static TokenizerException unknown(Path file, String where, Path vocabularyFile, String left, int leftId,
            String right, int rightId) {
        String missing = leftId < 0 ? left : rightId < 0 ? right : left + right;
        return new TokenizerException(file,
                where + " merges " + JsonObject.shown(left) + " and " + JsonObject.shown(right)
                        + ", but the token " + JsonObject.shown(missing) + " is not in the vocabulary of "
                        + vocabularyFile.getFileName() + ", expected all three to be");
    }
}
