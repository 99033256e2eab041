package org.vecformer.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every row of the reference files for OpenAI GPT, with the real vocabulary under OpenAI's own file names. */
class OpenAiGptOracleTest {
    private static Path shared;
    private static Tokenizer gpt;

    @BeforeAll
    static void load() throws IOException {
        shared = Path.of(System.getProperty("vecformer.shared", "../../shared"));
        assumeTrue(Files.isDirectory(shared), "skipped: the reference files (../shared) are not here");
        gpt = OpenAiGptTokenizer.load(shared.resolve("oracle/vocab/openai-gpt"));
    }

    @ParameterizedTest
    @CsvSource({"blns,352", "fuzz,495", "peers,1297", "torture,1203", "udhr,149"})
    void idsAndBack(String set, int atLeast) throws IOException {
        List<Map<?, ?>> rows = rows("oracle/tokenizers/openai-gpt/" + set + ".jsonl");
        assertThat(rows).hasSizeGreaterThanOrEqualTo(atLeast);
        for (Map<?, ?> row : rows) {
            String text = (String) row.get("text");
            int[] expected = Fixtures.ints(row.get("ids"));
            assertThat(gpt.ids(text)).as("%s", row.get("id")).isEqualTo(expected);
            assertThat(gpt.encode(text).ids()).as("%s", row.get("id")).isEqualTo(expected);
            assertThat(gpt.decode(expected)).as("%s", row.get("id")).isEqualTo(row.get("decode"));
        }
    }

    @Test
    void offsetsAndTokens() throws IOException {
        List<Map<?, ?>> rows = rows("oracle/tokenizers/openai-gpt/offsets.jsonl");
        assertThat(rows).hasSizeGreaterThanOrEqualTo(636);
        for (Map<?, ?> row : rows) {
            Encoding encoding = gpt.encode((String) row.get("text"));
            assertThat(encoding.ids()).as("%s", row.get("id")).isEqualTo(Fixtures.ints(row.get("ids")));
            assertThat(encoding.tokens()).as("%s", row.get("id")).isEqualTo(row.get("tokens"));
            assertThat(encoding.offsets(OffsetUnit.CODE_POINTS)).as("%s", row.get("id"))
                    .isDeepEqualTo(Fixtures.pairs(row.get("offsets_codepoints")));
        }
    }

    @Test
    void decoding() throws IOException {
        List<Map<?, ?>> rows = rows("oracle/tokenizers/openai-gpt/decode.jsonl");
        assertThat(rows).hasSizeGreaterThanOrEqualTo(208);
        for (Map<?, ?> row : rows) {
            int[] ids = Fixtures.ints(row.get("ids"));
            assertThat(gpt.decode(ids)).as("%s", row.get("id")).isEqualTo(row.get("text"));
            StreamingDecoder decoder = gpt.streamingDecoder();
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                text.append(decoder.accept(id));
            }
            assertThat(text.append(decoder.finish()).toString()).as("%s", row.get("id")).isEqualTo(row.get("text"));
        }
    }

    @Test
    void whatPeersExpect() throws IOException {
        int checked = 0;
        for (Map<?, ?> row : rows("oracle/tokenizers/peers_expected/hf_integration.jsonl")) {
            if (row.get("vocab").equals("openai-gpt")) {
                assertThat(gpt.ids((String) row.get("text"))).isEqualTo(Fixtures.ints(row.get("ids")));
                checked++;
            }
        }
        assertThat(checked).isPositive();
    }

    @Test
    void knownIds() {
        // Printed in the tests of transformers: what follows is a completion that the real model gives.
        assertThat(gpt.ids("the president is")).containsExactly(481, 4735, 544);
        assertThat(gpt.decode(new int[]{481, 4735, 544, 246, 963, 870, 762, 239})).isEqualTo(
                "the president is a very good man .");
        assertThat(gpt.vocabularySize()).isEqualTo(40478);
        assertThat(gpt.unknown()).hasValue(0);
        assertThat(gpt.beginOfText()).isEmpty();
        assertThat(gpt.endOfText()).isEmpty();
        assertThat(gpt.padding()).isEmpty();
    }

    /** The model's own folder, which says its tokenizer's class, and has a tokenizer of the same vocabulary. */
    @Test
    void theModelsFolderSaysTheSame() throws IOException {
        Tokenizer ofModel = Tokenizer.load(shared.resolve("oracle/models/openai-gpt-tiny"));
        assertThat(ofModel).isInstanceOf(OpenAiGptTokenizer.class);
        assertThat(ofModel.maximumLength()).hasValue(64);
        for (Map<?, ?> row : rows("oracle/tokenizers/openai-gpt/torture.jsonl")) {
            assertThat(ofModel.ids((String) row.get("text"))).isEqualTo(Fixtures.ints(row.get("ids")));
        }
    }

    private static List<Map<?, ?>> rows(String file) throws IOException {
        return Fixtures.rows(Files.readString(shared.resolve(file)));
    }
}
