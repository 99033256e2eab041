package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every row of the reference files for GPT-2, with the real vocabulary. */
class GptTwoOracleTest {
    private static Path shared;
    private static Tokenizer gpt2;

    @BeforeAll
    static void load() throws IOException {
        shared = Path.of(System.getProperty("vecformer.shared", "../../shared"));
        assumeTrue(Files.isDirectory(shared), "skipped: the reference files (../shared) are not here");
        gpt2 = Tokenizer.load(shared.resolve("oracle/vocab/gpt2"));
    }

    @ParameterizedTest
    @CsvSource({"blns,344", "fuzz,1009", "fuzz_newer_unicode,300", "peers,1323", "prose_code,254", "torture,2428",
        "udhr,1007"})
    void idsAndBack(String set, int atLeast) throws IOException {
        List<Map<?, ?>> rows = rows("oracle/tokenizers/gpt2/" + set + ".jsonl");
        assertThat(rows).hasSizeGreaterThanOrEqualTo(atLeast);
        for (Map<?, ?> row : rows) {
            String text = (String) row.get("text");
            int[] expected = Fixtures.ints(row.get("ids"));
            assertThat(gpt2.ids(text)).as("%s", row.get("id")).isEqualTo(expected);
            assertThat(gpt2.decode(expected)).as("%s", row.get("id")).isEqualTo(row.containsKey("decode")
                    ? row.get("decode")
                    : text);
        }
    }

    @Test
    void pretokens() throws IOException {
        for (Map<?, ?> row : rows("oracle/tokenizers/gpt2/pretokens.jsonl")) {
            char[] text = ((String) row.get("text")).toCharArray();
            List<String> pieces = new ArrayList<>();
            for (int start = 0; start < text.length;) {
                int end = PreTokenizer.next(text, start, text.length);
                pieces.add(new String(text, start, end - start));
                start = end;
            }
            assertThat(pieces).as("%s", row.get("id")).isEqualTo(row.get("pieces"));
        }
    }

    @Test
    void offsetsAndTokens() throws IOException {
        for (Map<?, ?> row : rows("oracle/tokenizers/gpt2/offsets.jsonl")) {
            Encoding encoding = gpt2.encode((String) row.get("text"));
            assertThat(encoding.ids()).as("%s", row.get("id")).isEqualTo(Fixtures.ints(row.get("ids")));
            assertThat(encoding.tokens()).as("%s", row.get("id")).isEqualTo(row.get("tokens"));
            assertThat(encoding.offsets(OffsetUnit.CODE_POINTS)).as("%s", row.get("id"))
                    .isDeepEqualTo(Fixtures.pairs(row.get("offsets_codepoints")));
        }
    }

    @Test
    void decoding() throws IOException {
        for (Map<?, ?> row : rows("oracle/tokenizers/gpt2/decode.jsonl")) {
            int[] ids = Fixtures.ints(row.get("ids"));
            assertThat(gpt2.decode(ids)).as("%s", row.get("id")).isEqualTo(row.get("text"));
            assertThat(HexFormat.of().formatHex(gpt2.decodeBytes(ids))).as("%s", row.get("id"))
                    .isEqualTo(row.get("bytes_hex"));
            StreamingDecoder decoder = gpt2.streamingDecoder();
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                text.append(decoder.accept(id));
            }
            assertThat(text.append(decoder.finish()).toString()).as("%s", row.get("id")).isEqualTo(row.get("text"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"swift_gpt2", "hf_integration"})
    void whatPeersExpect(String set) throws IOException {
        int checked = 0;
        for (Map<?, ?> row : rows("oracle/tokenizers/peers_expected/" + set + ".jsonl")) {
            if (row.containsKey("vocab") && !row.get("vocab").equals("gpt2")) {
                continue;
            }
            Encoding encoding = gpt2.encode((String) row.get("text"));
            assertThat(encoding.ids()).as("%s", row.get("id")).isEqualTo(Fixtures.ints(row.get("ids")));
            if (row.containsKey("tokens")) {
                assertThat(encoding.tokens()).as("%s", row.get("id")).isEqualTo(row.get("tokens"));
            }
            checked++;
        }
        assertThat(checked).isPositive();
    }

    @Test
    void knownIds() {
        assertThat(gpt2.ids("My favourite movie is")).containsExactly(3666, 12507, 3807, 318);
        assertThat(gpt2.vocabularySize()).isEqualTo(50257);
        assertThat(gpt2.endOfText()).hasValue(50256);
        assertThat(gpt2.isSpecial(50256)).isTrue();
        assertThat(gpt2.token(3807)).isEqualTo("Ġmovie");
        assertThat(gpt2.id("Ġmovie")).hasValue(3807);
    }

    @Test
    void tokenizerJsonSaysWhatVocabularyAndMergesSay(@TempDir Path directory) throws IOException {
        Path mini = shared.resolve("oracle/models/gpt2-mini");
        for (String name : List.of("vocab.json", "merges.txt", "tokenizer_config.json")) {
            Files.copy(mini.resolve(name), directory.resolve(name));
        }
        Tokenizer fromTwo = Tokenizer.load(directory);
        Tokenizer fromOne = Tokenizer.load(mini);
        assertThat(fromOne.vocabularySize()).isEqualTo(fromTwo.vocabularySize()).isEqualTo(1000);
        assertThat(fromOne.endOfText()).isEqualTo(fromTwo.endOfText()).hasValue(999);
        for (Map<?, ?> row : rows("oracle/tokenizers/gpt2/torture.jsonl")) {
            Encoding one = fromOne.encode((String) row.get("text"));
            Encoding two = fromTwo.encode((String) row.get("text"));
            assertThat(one.ids()).as("%s", row.get("id")).isEqualTo(two.ids());
            assertThat(one.offsets(OffsetUnit.BYTES)).isDeepEqualTo(two.offsets(OffsetUnit.BYTES));
            assertThat(fromOne.decode(one.ids())).isEqualTo(row.get("text"));
        }
    }

    @Test
    void storyteller() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(shared.resolve("models/storyteller"));
        assertThat(tokenizer.vocabularySize()).isEqualTo(4096);
        assertThat(tokenizer.endOfText()).hasValue(0);
        for (Map<?, ?> row : rows("oracle/tokenizers/gpt2/torture.jsonl")) {
            assertThat(tokenizer.decode(tokenizer.ids((String) row.get("text")))).isEqualTo(row.get("text"));
        }
    }

    private static List<Map<?, ?>> rows(String file) throws IOException {
        return Fixtures.rows(Files.readString(shared.resolve(file)));
    }
}
