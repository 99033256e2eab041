package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Reads a byte-level BPE model out of its files. */
final class BytePairReader {
    private BytePairReader() {}

    /** The model of a vocab.json, read already, and its merges.txt. */
    static BytePairModel read(Path vocabularyFile, Vocabulary vocabulary, Path mergesFile) throws IOException {
        int suffixed = vocabulary.find("e</w>");
        if (suffixed >= 0) {
            throw new TokenizerException(vocabularyFile, "token \"e</w>\" (id " + suffixed
                    + ") marks the end of a word, as OpenAI GPT and CLIP do, expected a byte-level vocabulary as GPT-2 has it");
        }
        MergeTable merges = MergeReader.read(mergesFile, vocabularyFile, vocabulary);
        return new BytePairModel(vocabulary, merges, null, false, true, OffsetTracker.Trim.NO);
    }

    /** The model of a tokenizer.json. */
    static BytePairModel read(TokenizerJson json) throws IOException {
        checkModel(json.model());
        for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
            if (json.model().string(affix) != null && !json.model().string(affix).isEmpty()) {
                throw json.model().wrong(affix, "null or \"\", as byte-level BPE has it");
            }
        }
        Vocabulary vocabulary = json.requiredVocabulary();
        for (JsonObject step : json.steps("normalizer", "normalizers")) {
            throw json.root().wrong("normalizer", step.get("type"), "null, as GPT-2 has it");
        }
        JsonObject cut = json.only("pre_tokenizer", "pretokenizers", "ByteLevel");
        json.only("decoder", "decoders", "ByteLevel");
        OffsetTracker.Trim trim = OffsetTracker.Trim.NO;
        for (JsonObject step : json.steps("post_processor", "processors")) {
            if ("ByteLevel".equals(step.get("type"))) {
                trim = trim(step);
            }
        }
        MergeTable table = MergeReader.read(json.file(), vocabulary, json.requiredMerges());
        return new BytePairModel(vocabulary, table, json.model().string("unk_token"),
                cut.flag("add_prefix_space", true), cut.flag("use_regex", true), trim);
    }

    /** What the tokenizer.json puts around a text. */
    static Template template(TokenizerJson json) throws TokenizerException {
        Template template = Template.NOTHING;
        for (JsonObject step : json.steps("post_processor", "processors")) {
            switch (step.string("type")) {
                case "ByteLevel" -> {
                }
                case "TemplateProcessing" -> template = TokenizerJson.template(step);
                case null, default -> throw step.wrong("type", "\"ByteLevel\" or \"TemplateProcessing\"");
            }
        }
        return template;
    }

    /** Refuses what no kind of byte pair encoding here does. */
    static void checkModel(JsonObject model) throws TokenizerException {
        if (model.get("dropout") != null && !(model.get("dropout") instanceof Number n && n.doubleValue() == 0)) {
            throw model.wrong("dropout", "null or 0, since text must always give the same ids");
        }
        for (String flag : List.of("fuse_unk", "byte_fallback", "ignore_merges")) {
            if (model.flag(flag, false)) {
                throw model.wrong(flag, "false, as GPT-2 and OpenAI GPT have it");
            }
        }
    }

    private static OffsetTracker.Trim trim(JsonObject step) throws TokenizerException {
        if (!step.flag("trim_offsets", true)) {
            return OffsetTracker.Trim.NO;
        }
        return step.flag("add_prefix_space", true) ? OffsetTracker.Trim.ALL_BUT_FIRST : OffsetTracker.Trim.ALL;
    }
}
