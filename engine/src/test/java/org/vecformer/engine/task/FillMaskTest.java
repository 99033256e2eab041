package org.vecformer.engine.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vecformer.engine.model.EncoderInput;

/** Masks in texts, pairs and ids, put there by the text or by hand; what is asked for, and what is refused. */
class FillMaskTest {

    private static final FillMaskOptions TOP_3 = FillMaskOptions.defaults().withTopK(3);

    @TempDir
    private static Path directory;
    private static TinyBert bert;
    private FillMask task;

    @BeforeAll
    static void load() throws IOException {
        bert = TinyBert.open(directory, "BertForMaskedLM", 0);
    }

    @AfterAll
    static void close() {
        bert.close();
    }

    @BeforeEach
    void open() {
        task = FillMask.open(bert.model(), bert.tokenizer());
    }

    @AfterEach
    void closeTask() {
        task.close();
    }

    @Test
    void masksOfBothTextsOfAPair() {
        List<MaskFill> fills = task.fill(TaskInput.of("the [MASK] is good.", "In the [MASK]"), TOP_3);
        assertThat(fills).extracting(MaskFill::position).containsExactly(2, 9);
        assertThat(task.fill(TaskInput.of("the [MASK] is good.", "In the [MASK]"), TOP_3.withTargets("city", "##t"))
                .getFirst().candidates()).extracting(MaskFill.Candidate::text)
                .as("other masks and special tokens are shown").containsExactlyInAnyOrder(
                        "[CLS] the city is good. [SEP] in the [MASK] [SEP]",
                        "[CLS] thet is good. [SEP] in the [MASK] [SEP]");
        assertThat(fills.getFirst().candidates()).hasSize(3);
    }

    @Test
    void masksByHandAreMasksOfTheText() {
        List<MaskFill> written = task.fill(TaskInput.of("the [MASK] is good."), TOP_3);
        assertThat(task.fill(TaskInput.of("the man is good."), TOP_3.withPositions(2))).isEqualTo(written);
        EncoderInput ids = EncoderInput.of(bert.tokenizer().ids("the man is good."));
        assertThat(task.fill(TaskInput.of(ids), TOP_3.withPositions(2))).isEqualTo(written);
        assertThat(task.fill(TaskInput.of(ids.withMasksAt(TinyBert.MASK, 2)), TOP_3)).isEqualTo(written);
        List<MaskFill> two = task.fill(TaskInput.of("the man is good."), TOP_3.withPositions(4, 1, 4));
        assertThat(two).isEqualTo(task.fill(TaskInput.of("[MASK] man is [MASK]."), TOP_3));
    }

    @Test
    void withoutATokenizerIdsAndPositionsAreEnough() {
        EncoderInput ids = EncoderInput.of(bert.tokenizer().ids("the [MASK] is good."));
        List<MaskFill.Candidate> known = task.fill(TaskInput.of(ids), TOP_3).getFirst().candidates();
        try (FillMask bare = FillMask.open(bert.model(), null)) {
            List<MaskFill.Candidate> candidates = bare.fill(TaskInput.of(ids), TOP_3.withPositions(2)).getFirst()
                    .candidates();
            assertThat(candidates).extracting(MaskFill.Candidate::id)
                    .isEqualTo(known.stream().map(MaskFill.Candidate::id).toList());
            assertThat(candidates).extracting(MaskFill.Candidate::text).containsOnly("");
            assertThatIllegalStateException().isThrownBy(() -> bare.fill(TaskInput.of(ids), TOP_3))
                    .withMessageContaining("positions");
        }
    }

    @Test
    void paddingIsNotInTheText() {
        EncoderInput padded = new EncoderInput(new int[]{2, 10, 4, 3, 0, 0}, null, new int[]{1, 1, 1, 1, 0, 0});
        List<MaskFill> fills = task.fill(TaskInput.of(padded), TOP_3);
        assertThat(fills).isEqualTo(task.fill(TaskInput.of("the [MASK]"), TOP_3));
    }

    @Test
    void targetsAreTheOnlyCandidates() {
        FillMaskOptions all = FillMaskOptions.defaults().withTopK(TinyBert.VOCABULARY);
        List<MaskFill.Candidate> every = task.fill(TaskInput.of("the [MASK]"), all).getFirst().candidates();
        assertThat(every).hasSize(TinyBert.VOCABULARY);
        assertThat(every.stream().mapToDouble(MaskFill.Candidate::probability).sum()).isCloseTo(1, within(1e-5));

        List<MaskFill.Candidate> targets = task.fill(TaskInput.of("the [MASK]"),
                all.withTargets("city", "man", "city", "zoo")).getFirst().candidates();
        assertThat(targets).extracting(MaskFill.Candidate::token).containsExactlyInAnyOrder("city", "man", "z");
        assertThat(every).as("the same probabilities, in the same order").containsSubsequence(targets);
    }

    @Test
    void aTargetOutsideTheVocabularyIsItsFirstToken() {
        assertThat(task.targets(List.of("city", "zoo", "City"))).containsExactly(
                new FillMask.Target("city", bert.tokenizer().id("city").getAsInt(), "city"),
                new FillMask.Target("zoo", bert.tokenizer().id("z").getAsInt(), "z"),
                new FillMask.Target("City", bert.tokenizer().id("city").getAsInt(), "city"));
        assertThat(task.targets(List.of("city", "zoo"))).extracting(FillMask.Target::exact).containsExactly(true,
                false);
        assertThatIllegalArgumentException().isThrownBy(() -> task.targets(List.of(" ")))
                .withMessageContaining("no tokens");
    }

    @Test
    void whatCannotBeDoneIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> task.fill(TaskInput.of("the man"), TOP_3))
                .withMessageContaining("[MASK]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> task.fill(TaskInput.of("the man ".repeat(40) + "[MASK]"), TOP_3))
                .withMessageContaining("83").withMessageContaining("70");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> task.fill(TaskInput.of("the man"), TOP_3.withPositions(4)))
                .withMessageContaining("position 4");
        assertThatIllegalArgumentException().isThrownBy(() -> TOP_3.withTopK(0));
    }

    @Test
    void aTextOfMasksOnlyGoesThroughSeveralBatches() {
        String masks = "[MASK] ".repeat(60);
        List<List<MaskFill>> all = task.fillAll(
                List.of(TaskInput.of(masks), TaskInput.of("a [MASK]"), TaskInput.of(masks)), TOP_3, TaskProgress.NONE);
        assertThat(all.getFirst()).hasSize(60);
        assertThat(all.getLast()).isEqualTo(all.getFirst());
        assertThat(all.get(1)).isEqualTo(task.fill(TaskInput.of("a [MASK]"), TOP_3));
    }
}
