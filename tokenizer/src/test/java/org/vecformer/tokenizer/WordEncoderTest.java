package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Both ways to merge against a plain one over strings, with merges that no training would make. */
class WordEncoderTest {
    @Test
    void mergesAsThePlainAlgorithmDoes() {
        Random random = new Random(8);
        for (int round = 0; round < 60; round++) {
            Vocabulary vocabulary = new Vocabulary();
            for (int b = 0; b < 256; b++) {
                vocabulary.add(String.valueOf(ByteAlphabet.symbol(b)), b);
            }
            List<String[]> merges = new ArrayList<>();
            MergeTable table = new MergeTable(60);
            List<String> parts = new ArrayList<>(List.of("a", "b", "c"));
            while (merges.size() < 60) {
                String left = parts.get(random.nextInt(parts.size()));
                String right = parts.get(random.nextInt(parts.size()));
                String merged = left + right;
                if (merged.length() > 9 || merges.stream().anyMatch(m -> m[0].equals(left) && m[1].equals(right))) {
                    continue;
                }
                if (vocabulary.find(merged) < 0) {
                    vocabulary.add(merged, vocabulary.size());
                    parts.add(merged);
                }
                merges.add(new String[]{left, right});
            }
            // Ranks in any order: a merge may come before those that make its parts.
            java.util.Collections.shuffle(merges, random);
            for (int rank = 0; rank < merges.size(); rank++) {
                String[] merge = merges.get(rank);
                table.put(vocabulary.find(merge[0]), vocabulary.find(merge[1]), rank,
                        vocabulary.find(merge[0] + merge[1]));
            }
            int[] byteIds = new int[256];
            for (int b = 0; b < 256; b++) {
                byteIds[b] = vocabulary.find(String.valueOf(ByteAlphabet.symbol(b)));
            }
            WordEncoder encoder = new WordEncoder(table, new ByteSpelling(byteIds), new WordCache());
            for (int length : new int[]{1, 2, 3, 10, 24, 25, 99, 100, 101, 102, 250, 700}) {
                StringBuilder word = new StringBuilder();
                while (word.length() < length) {
                    word.append((char) ('a' + random.nextInt(3)));
                }
                for (int again = 0; again < 2; again++) {
                    IntList ids = new IntList(0);
                    encoder.encode(word.toString().toCharArray(), 0, length, ids);
                    List<String> tokens = new ArrayList<>();
                    for (int id : ids.toArray()) {
                        tokens.add(vocabulary.token(id));
                    }
                    assertThat(tokens).isEqualTo(plain(word.toString(), merges));
                }
            }
        }
    }

    private static List<String> plain(String word, List<String[]> merges) {
        List<String> symbols = new ArrayList<>(word.chars().mapToObj(Character::toString).toList());
        while (true) {
            int best = Integer.MAX_VALUE;
            int at = -1;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                for (int rank = 0; rank < Math.min(best, merges.size()); rank++) {
                    if (merges.get(rank)[0].equals(symbols.get(i)) && merges.get(rank)[1].equals(symbols.get(i + 1))) {
                        best = rank;
                        at = i;
                    }
                }
            }
            if (at < 0) {
                return symbols;
            }
            symbols.set(at, symbols.get(at) + symbols.remove(at + 1));
        }
    }
}
