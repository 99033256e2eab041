package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;

/** Reads the model of OpenAI GPT's tokenizer out of its files. */
final class OpenAiGptReader {
    private static final String SPACE = String.valueOf(ByteAlphabet.symbol(' '));

    private OpenAiGptReader() {}

    /** Whether a vocabulary marks the ends of words and is not byte-level besides, as CLIP's is. */
    static boolean reads(Vocabulary vocabulary) {
        return vocabulary.find(SPACE) < 0 && marksEnds(vocabulary);
    }

    /** Whether the model marks the ends of words and is not byte-level besides, as CLIP's is. */
    static boolean reads(TokenizerJson json) throws TokenizerException {
        for (JsonObject step : json.steps("pre_tokenizer", "pretokenizers")) {
            if ("ByteLevel".equals(step.get("type"))) {
                return false;
            }
        }
        String suffix = json.model().string("end_of_word_suffix");
        return suffix != null && !suffix.isEmpty();
    }

    private static boolean marksEnds(Vocabulary vocabulary) {
        for (int id = 0; id < vocabulary.size(); id++) {
            String token = vocabulary.token(id);
            if (token != null && token.length() > LetterSpelling.END.length() && token.endsWith(LetterSpelling.END)) {
                return true;
            }
        }
        return false;
    }

    /** The model of a vocab.json, read already, and its merges.txt. */
    static OpenAiGptModel read(Path vocabularyFile, Vocabulary vocabulary, Path mergesFile) throws IOException {
        String expected = ", expected the letters and the ends of words (e</w>) that OpenAI GPT has";
        if (vocabulary.find(SPACE) >= 0) {
            throw new TokenizerException(vocabularyFile, "token " + JsonObject.shown(SPACE) + " (id "
                    + vocabulary.find(SPACE) + ") stands for a byte, as in GPT-2 and CLIP" + expected);
        }
        if (!marksEnds(vocabulary)) {
            throw new TokenizerException(vocabularyFile, "no token marks the end of a word" + expected);
        }
        return new OpenAiGptModel(vocabulary, MergeReader.read(mergesFile, vocabularyFile, vocabulary), null,
                BertNormalizer.UNCASED);
    }

    /** The model of a tokenizer.json. */
    static OpenAiGptModel read(TokenizerJson json) throws IOException {
        JsonObject model = json.model();
        BytePairReader.checkModel(model);
        if (!LetterSpelling.END.equals(model.string("end_of_word_suffix"))) {
            throw model.wrong("end_of_word_suffix", '"' + LetterSpelling.END + "\", as OpenAI GPT has it");
        }
        String prefix = model.string("continuing_subword_prefix");
        if (prefix != null && !prefix.isEmpty()) {
            throw model.wrong("continuing_subword_prefix", "null or \"\", as OpenAI GPT has it");
        }
        Vocabulary vocabulary = json.requiredVocabulary();
        json.only("pre_tokenizer", "pretokenizers", "BertPreTokenizer");
        JsonObject decoder = json.only("decoder", "decoders", "BPEDecoder");
        String suffix = decoder.string("suffix");
        if (suffix != null && !suffix.equals(LetterSpelling.END)) {
            throw decoder.wrong("suffix", '"' + LetterSpelling.END + "\", as model.end_of_word_suffix has it");
        }
        BertNormalizer normalizer = json.bertNormalizer();
        MergeTable merges = MergeReader.read(json.file(), vocabulary, json.requiredMerges());
        return new OpenAiGptModel(vocabulary, merges, model.string("unk_token"), normalizer);
    }

    /** What the tokenizer.json puts around a text. */
    static Template template(TokenizerJson json) throws TokenizerException {
        if (json.root().isNull("post_processor")) {
            return Template.NOTHING;
        }
        return TokenizerJson.template(json.only("post_processor", "processors", "TemplateProcessing"));
    }
}
