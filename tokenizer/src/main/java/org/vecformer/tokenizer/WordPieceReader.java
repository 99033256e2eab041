package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads a WordPiece model out of its files. */
final class WordPieceReader {
    private static final String PREFIX = "##";
    /** What the Hugging Face tokenizers take; Google's took 200. */
    private static final int LONGEST_WORD = 100;
    /** Keeps the work for one word within bounds. */
    private static final int LARGEST_LONGEST_WORD = 10_000;

    private WordPieceReader() {}

    /** The model of a vocab.txt, one token a line, its id being the line's number from 0. */
    static WordPieceModel read(Path file) throws IOException {
        return new WordPieceModel(vocabulary(file), null, PREFIX, LONGEST_WORD, BertNormalizer.UNCASED, List.of(),
                true);
    }

    private static Vocabulary vocabulary(Path file) throws IOException {
        char[] text = TextFile.read(file);
        Vocabulary vocabulary = new Vocabulary();
        int id = 0;
        // Some editors put a byte order mark first.
        int start = text[0] == '\uFEFF' ? 1 : 0;
        while (start < text.length) {
            int lineEnd = start;
            while (lineEnd < text.length && text[lineEnd] != '\n') {
                lineEnd++;
            }
            int end = lineEnd > start && text[lineEnd - 1] == '\r' ? lineEnd - 1 : lineEnd;
            if (id > Vocabulary.LARGEST_ID) {
                throw new TokenizerException(file,
                        "has more than " + id + " lines, expected one for each token of a vocabulary");
            }
            if (end > start) {
                vocabulary.put(new String(text, start, end - start), id);
            }
            id++;
            start = lineEnd + 1;
        }
        return vocabulary;
    }

    /** The model of a tokenizer.json. */
    static WordPieceModel read(TokenizerJson json) throws TokenizerException {
        JsonObject model = json.model();
        Vocabulary vocabulary = json.requiredVocabulary();
        String prefix = model.string("continuing_subword_prefix");
        json.only("pre_tokenizer", "pretokenizers", "BertPreTokenizer");
        JsonObject decoder = json.only("decoder", "decoders", "WordPiece");
        String usedPrefix = prefix == null ? PREFIX : prefix;
        String decoderPrefix = decoder.string("prefix");
        if (decoderPrefix != null && !decoderPrefix.equals(usedPrefix)) {
            throw decoder.wrong("prefix", '"' + usedPrefix + "\", as model.continuing_subword_prefix has it");
        }
        return new WordPieceModel(vocabulary, model.string("unk_token"), usedPrefix, longestWord(model),
                json.bertNormalizer(), List.of(), decoder.flag("cleanup", true));
    }

    private static int longestWord(JsonObject model) throws TokenizerException {
        Object value = model.get("max_input_chars_per_word");
        if (value == null) {
            return LONGEST_WORD;
        }
        if (value instanceof Long number && number >= 1 && number <= LARGEST_LONGEST_WORD) {
            return number.intValue();
        }
        throw model.wrong("max_input_chars_per_word", "a number from 1 to " + LARGEST_LONGEST_WORD);
    }

    /** What the tokenizer.json puts around a text. */
    static Template template(TokenizerJson json) throws TokenizerException {
        List<JsonObject> steps = json.steps("post_processor", "processors");
        if (steps.isEmpty()) {
            return Template.NOTHING;
        }
        JsonObject step = steps.getFirst();
        String type = step.string("type");
        if (steps.size() == 1 && "TemplateProcessing".equals(type)) {
            return TokenizerJson.template(step);
        }
        if (steps.size() == 1 && "BertProcessing".equals(type)) {
            return Template.bert(named(step, "cls"), named(step, "sep"));
        }
        throw steps.size() == 1
                ? step.wrong("type", "\"TemplateProcessing\" or \"BertProcessing\"")
                : json.root().wrong("post_processor", "one step of type \"TemplateProcessing\" or \"BertProcessing\"");
    }

    /** A token given as its text and id. */
    private static int named(JsonObject step, String name) throws TokenizerException {
        List<?> pair = step.list(name);
        if (pair.size() != 2) {
            throw step.wrong(name, "a token and its id");
        }
        return step.id(name, pair.get(1));
    }

    /** What tokenizer_config.json says has the last word, as in the reference. */
    static WordPieceModel configured(WordPieceModel model, JsonObject config)
            throws TokenizerException {
        if (!config.flag("do_basic_tokenize", true)) {
            throw config.wrong("do_basic_tokenize", "true");
        }
        BertNormalizer normalizer = model.normalizer();
        boolean lowerCase = config.flag("do_lower_case", normalizer.lowerCase());
        boolean stripAccents = normalizer.stripAccents();
        if (config.has("strip_accents") || config.has("do_lower_case")) {
            stripAccents = config.flag("strip_accents", lowerCase);
        }
        List<String> neverSplit = new ArrayList<>();
        for (Object word : config.list("never_split")) {
            if (!(word instanceof String text)) {
                throw config.wrong("never_split", "a list of words");
            }
            neverSplit.add(text);
        }
        return model.with(new BertNormalizer(normalizer.cleanText(),
                config.flag("tokenize_chinese_chars", normalizer.splitChinese()), stripAccents, lowerCase), neverSplit);
    }
}
