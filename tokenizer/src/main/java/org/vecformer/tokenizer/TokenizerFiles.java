package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads the tokenizer of a model directory and joins what its files say. Where several files speak of one thing,
 * tokenizer_config.json has the last word, as in the reference; but an id that two files give differently is refused.
 */
final class TokenizerFiles {
    /** What the kinds have in their roles when the files do not say. */
    private static final Map<String, String> BYTE_PAIR_DEFAULTS = Map.of("bos_token", "<|endoftext|>", "eos_token",
            "<|endoftext|>", "unk_token", "<|endoftext|>");
    private static final Map<String, String> OPENAI_GPT_DEFAULTS = Map.of("unk_token", "<unk>");
    private static final Map<String, String> WORD_PIECE_DEFAULTS = Map.of("unk_token", "[UNK]", "sep_token", "[SEP]",
            "pad_token", "[PAD]", "cls_token", "[CLS]", "mask_token", "[MASK]");
    private static final List<String> ROLES = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
            "cls_token", "mask_token");
    private static final List<String> MORE_SPECIAL_TOKENS = List.of("additional_special_tokens",
            "extra_special_tokens");
    private static final Set<String> ANY_CLASS = Set.of("PreTrainedTokenizerFast", "TokenizersBackend");
    /** The classes that read vocab.json and merges.txt the way GPT-2 does. */
    private static final Set<String> BPE_CLASSES = Set.of("GPT2Tokenizer", "CodeGenTokenizer");
    /** The class that reads vocab.json and merges.txt the way OpenAI GPT does. */
    private static final String OPENAI_GPT_CLASS = "OpenAIGPTTokenizer";
    /** The names that a vocabulary and its merges have: those of Hugging Face's files, and OpenAI's own for GPT. */
    private static final String VOCABULARY = "vocab.json";
    private static final String MERGES = "merges.txt";
    private static final String OPENAI_GPT_VOCABULARY = "encoder_bpe_40000.json";
    private static final String OPENAI_GPT_MERGES = "vocab_40000.bpe";
    /** The classes that read vocab.txt the way BERT does. */
    private static final Set<String> WORD_PIECE_CLASSES = Set.of("BertTokenizer", "DistilBertTokenizer",
            "ElectraTokenizer", "MobileBertTokenizer", "ConvBertTokenizer", "SqueezeBertTokenizer",
            "LayoutLMTokenizer", "LxmertTokenizer", "RetriBertTokenizer");
    /** Far above any real token; keeps one absurd token in a file from asking for gigabytes, or for hours. */
    private static final int LONGEST_ADDED_TOKEN = 512;

    private final Path directory;
    private final JsonObject config;
    private final JsonObject specialTokensMap;
    private final Map<String, AddedToken> added = new LinkedHashMap<>();
    private final Map<Integer, String> addedIds = new LinkedHashMap<>();
    /** The added tokens of which no file says more than their ids. */
    private final Set<String> plain = new HashSet<>();
    private final TokenModel model;
    /** Null if the files that were read do not say. */
    private final Template fileTemplate;

    private TokenizerFiles(Path directory) throws IOException {
        this.directory = directory;
        config = optional("tokenizer_config.json");
        specialTokensMap = optional("special_tokens_map.json");
        if (Files.exists(directory.resolve("tokenizer.json"))) {
            TokenizerJson json = TokenizerJson.read(directory.resolve("tokenizer.json"));
            switch (json.modelType()) {
                case "BPE" -> {
                    boolean openAiGpt = OpenAiGptReader.reads(json);
                    model = openAiGpt ? OpenAiGptReader.read(json) : BytePairReader.read(json);
                    fileTemplate = openAiGpt ? OpenAiGptReader.template(json) : BytePairReader.template(json);
                }
                case "WordPiece" -> {
                    model = WordPieceReader.read(json);
                    fileTemplate = WordPieceReader.template(json);
                }
                case null, default -> throw json.model().wrong("type", "\"BPE\" or \"WordPiece\"");
            }
            for (JsonObject token : json.addedTokens()) {
                add(token, token.id("id"));
            }
            return;
        }
        fileTemplate = null;
        String tokenizerClass = tokenizerClass();
        if (isWordPiece(tokenizerClass)) {
            if (tokenizerClass != null && !ANY_CLASS.contains(tokenizerClass)
                    && !WORD_PIECE_CLASSES.contains(tokenizerClass)) {
                throw config.wrong("tokenizer_class", "\"BertTokenizer\"");
            }
            model = WordPieceReader.read(directory.resolve("vocab.txt"));
        } else {
            model = bytePairModel(tokenizerClass);
        }
    }

    /** A vocabulary and its merges; where no class says whose they are, the vocabulary does. */
    private TokenModel bytePairModel(String tokenizerClass) throws IOException {
        boolean known = tokenizerClass != null && !ANY_CLASS.contains(tokenizerClass);
        if (known && !BPE_CLASSES.contains(tokenizerClass) && !OPENAI_GPT_CLASS.equals(tokenizerClass)) {
            throw config.wrong("tokenizer_class", "\"GPT2Tokenizer\" or \"" + OPENAI_GPT_CLASS + '"');
        }
        boolean ownNames = !hasEither(directory, VOCABULARY, MERGES);
        Path vocabularyFile = directory.resolve(ownNames ? OPENAI_GPT_VOCABULARY : VOCABULARY);
        Path mergesFile = directory.resolve(ownNames ? OPENAI_GPT_MERGES : MERGES);
        Vocabulary vocabulary = Json.parse(vocabularyFile,
                parser -> TokenizerJson.vocabulary(vocabularyFile, "", parser));
        boolean openAiGpt = known
                ? OPENAI_GPT_CLASS.equals(tokenizerClass)
                : ownNames || OpenAiGptReader.reads(vocabulary);
        return openAiGpt
                ? OpenAiGptReader.read(vocabularyFile, vocabulary, mergesFile)
                : BytePairReader.read(vocabularyFile, vocabulary, mergesFile);
    }

    /** The class that is to read the files, without the suffix that names its faster form; null if not given. */
    private String tokenizerClass() throws TokenizerException {
        String name = config.string("tokenizer_class");
        return name == null || ANY_CLASS.contains(name) || !name.endsWith("Fast")
                ? name
                : name.substring(0, name.length() - "Fast".length());
    }

    /** vocab.txt is read if it is alone; beside a vocabulary with merges, if the class says so. */
    private boolean isWordPiece(String tokenizerClass) {
        if (!Files.exists(directory.resolve("vocab.txt"))) {
            return false;
        }
        return !hasBytePairFiles(directory) || WORD_PIECE_CLASSES.contains(String.valueOf(tokenizerClass));
    }

    private static boolean hasBytePairFiles(Path directory) {
        return hasEither(directory, VOCABULARY, MERGES)
                || hasEither(directory, OPENAI_GPT_VOCABULARY, OPENAI_GPT_MERGES);
    }

    private static boolean hasEither(Path directory, String name, String other) {
        return Files.exists(directory.resolve(name)) || Files.exists(directory.resolve(other));
    }

    static boolean isPresent(Path directory) {
        return Files.exists(directory.resolve("tokenizer.json")) || hasBytePairFiles(directory)
                || Files.exists(directory.resolve("vocab.txt"));
    }

    static SubwordTokenizer load(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new TokenizerException(directory,
                    (Files.exists(directory) ? "is a file" : "is missing")
                            + ", expected a directory with tokenizer files");
        }
        if (!isPresent(directory)) {
            throw new TokenizerException(directory,
                    "has no tokenizer files, expected tokenizer.json, or vocab.json and merges.txt, or vocab.txt");
        }
        return new TokenizerFiles(directory).join();
    }

    /** A tokenizer that must be of one kind. */
    static <T extends SubwordTokenizer> T load(Path directory, Class<T> type, String kind) throws IOException {
        SubwordTokenizer tokenizer = load(directory);
        if (type.isInstance(tokenizer)) {
            return type.cast(tokenizer);
        }
        throw new TokenizerException(directory,
                "has the files of a tokenizer of kind " + tokenizer.kind() + ", expected " + kind);
    }

    private SubwordTokenizer join() throws IOException {
        JsonObject addedIdsByToken = optional("added_tokens.json");
        for (String content : addedIdsByToken.members().keySet()) {
            int id = addedIdsByToken.id(content);
            AddedToken known = added.get(content);
            if (known == null) {
                plain.add(content);
            }
            put(known != null && known.id() == id
                    ? known
                    : new AddedToken(id, content, false, false, false, true, false),
                    addedIdsByToken.file());
        }
        JsonObject decoder = config.object("added_tokens_decoder");
        if (decoder != null) {
            for (String id : decoder.members().keySet()) {
                add(decoder.object(id), decoder.id(id, number(id)));
            }
        }
        readSpecialTokens(directory.resolve("special_tokens.txt"));
        Map<String, OptionalInt> roles = new LinkedHashMap<>();
        for (String role : ROLES) {
            roles.put(role, role(role));
        }
        for (String name : MORE_SPECIAL_TOKENS) {
            JsonObject source = config.has(name) ? config : specialTokensMap;
            List<Object> tokens = new ArrayList<>();
            if (source.get(name) instanceof Map<?, ?> map) {
                tokens.addAll(map.values());
            } else {
                tokens.addAll(source.list(name));
            }
            for (Object token : tokens) {
                special(source, name, token);
            }
        }
        SpecialIds ids = new SpecialIds(roles.get("bos_token"), roles.get("eos_token"), roles.get("unk_token"),
                roles.get("sep_token"), roles.get("pad_token"), roles.get("cls_token"), roles.get("mask_token"));
        return switch (model) {
            case BytePairModel bytePair -> {
                BytePairModel finished = bytePair.withPrefixSpace(
                        config.flag("add_prefix_space", bytePair.addPrefixSpace()));
                yield new BytePairTokenizer(finished, shared(ids, bytePairTemplate(ids)),
                        byteIds(bytePair, ids));
            }
            case OpenAiGptModel openAiGpt -> new OpenAiGptTokenizer(openAiGpt, shared(ids, bytePairTemplate(ids)),
                    unknown(openAiGpt, ids));
            case WordPieceModel wordPiece -> {
                Template template = fileTemplate == null ? wordPieceTemplate(ids) : fileTemplate;
                int unknown = unknown(wordPiece, ids);
                yield new WordPieceTokenizer(
                        WordPieceReader.configured(wordPiece, config), shared(ids, template), unknown);
            }
        };
    }

    /** pytorch-pretrained-bert wrote special tokens a line each; their ids follow the vocabulary. Mostly there were none. */
    private void readSpecialTokens(Path file) throws IOException {
        if (Files.exists(file) && Files.size(file) > 0) {
            for (String line : new String(TextFile.read(file)).split("\\R")) {
                if (!line.isBlank()) {
                    makeSpecial(line, find(line).orElseGet(this::nextId), file);
                }
            }
        }
    }

    private SubwordTokenizer.SharedSettings shared(SpecialIds ids, Template template) throws TokenizerException {
        for (List<Template.Piece> pieces : template.pair() == null
                ? List.of(template.single())
                : List.of(template.single(), template.pair())) {
            for (Template.Piece piece : pieces) {
                for (int id : piece.ids()) {
                    if (model.vocabulary().token(id) == null && !addedIds.containsKey(id)) {
                        throw new TokenizerException(directory.resolve("tokenizer.json"),
                                "post_processor puts the id " + id + " around a text, expected an id that has a token");
                    }
                }
            }
        }
        return new SubwordTokenizer.SharedSettings(List.copyOf(added.values()), ids, template, maximumLength(),
                isLeft("padding_side"), isLeft("truncation_side"));
    }

    /** Files without a limit have a huge number in its place; the first files had another name for it. */
    private OptionalInt maximumLength() throws TokenizerException {
        String name = config.isNull("model_max_length") ? "max_len" : "model_max_length";
        Object value = config.get(name);
        if (value == null) {
            return OptionalInt.empty();
        }
        if (!(value instanceof Number number) || !(number.doubleValue() >= 1)) {
            throw config.wrong(name, "a number of ids");
        }
        return number.doubleValue() < Integer.MAX_VALUE ? OptionalInt.of(number.intValue()) : OptionalInt.empty();
    }

    private boolean isLeft(String name) throws TokenizerException {
        String side = config.string(name);
        if (side == null || side.equals("right")) {
            return false;
        }
        if (side.equals("left")) {
            return true;
        }
        throw config.wrong(name, "\"left\" or \"right\"");
    }

    /** The id of each byte; a byte that the vocabulary cannot spell has the id of the unknown token. */
    private int[] byteIds(BytePairModel bytePair, SpecialIds ids) throws TokenizerException {
        OptionalInt unknown = bytePair.unknownToken() == null ? ids.unknown() : find(bytePair.unknownToken());
        int[] byteIds = new int[256];
        for (int value = 0; value < 256; value++) {
            String symbol = String.valueOf(ByteAlphabet.symbol(value));
            int id = model.vocabulary().find(symbol);
            if (id < 0 && unknown.isEmpty()) {
                throw new TokenizerException(directory, "the vocabulary has no token \"" + symbol + "\" for the byte "
                        + value
                        + " and there is no unknown token, expected a byte-level vocabulary with all 256 bytes");
            }
            byteIds[value] = id < 0 ? unknown.getAsInt() : id;
        }
        return byteIds;
    }

    private Template bytePairTemplate(SpecialIds ids) throws TokenizerException {
        if (fileTemplate != null && fileTemplate != Template.NOTHING) {
            return fileTemplate;
        }
        int[] before = {};
        int[] after = {};
        if (config.flag("add_bos_token", false)) {
            before = new int[]{ids.begin().orElseThrow(() -> config.wrong("add_bos_token", "a bos_token as well"))};
        }
        if (config.flag("add_eos_token", false)) {
            after = new int[]{ids.end().orElseThrow(() -> config.wrong("add_eos_token", "an eos_token as well"))};
        }
        return Template.around(before, after);
    }

    private Template wordPieceTemplate(SpecialIds ids) throws TokenizerException {
        return Template.bert(required("cls_token", ids.classification()), required("sep_token", ids.separator()));
    }

    private int unknown(OpenAiGptModel openAiGpt, SpecialIds ids) throws TokenizerException {
        if (openAiGpt.unknownToken() != null) {
            return named(openAiGpt.unknownToken());
        }
        return ids.unknown().orElseThrow(() -> new TokenizerException(directory, "the vocabulary has no token "
                + OPENAI_GPT_DEFAULTS.get("unk_token") + " and tokenizer_config.json names no other unk_token, expected"
                + " one for the characters that the vocabulary lacks"));
    }

    private int unknown(WordPieceModel wordPiece, SpecialIds ids) throws TokenizerException {
        return wordPiece.unknownToken() == null
                ? required("unk_token", ids.unknown())
                : named(wordPiece.unknownToken());
    }

    /** The unknown token that a tokenizer.json names. */
    private int named(String unknownToken) throws TokenizerException {
        return find(unknownToken).orElseThrow(() -> new TokenizerException(directory.resolve("tokenizer.json"),
                "field model.unk_token is " + JsonObject.shown(unknownToken) + ", expected a token of the vocabulary"));
    }

    private int required(String role, OptionalInt id) throws TokenizerException {
        return id.orElseThrow(() -> new TokenizerException(directory, "the vocabulary has no token "
                + WORD_PIECE_DEFAULTS.get(role) + " and tokenizer_config.json names no other " + role
                + ", expected a WordPiece vocabulary with [UNK], [CLS] and [SEP]"));
    }

    private OptionalInt role(String role) throws TokenizerException {
        JsonObject source = config.has(role) ? config : specialTokensMap;
        if (source.has(role)) {
            return source.isNull(role) ? OptionalInt.empty() : special(source, role, source.get(role));
        }
        String content = switch (model) {
            case BytePairModel _ -> BYTE_PAIR_DEFAULTS.get(role);
            case OpenAiGptModel _ -> OPENAI_GPT_DEFAULTS.get(role);
            case WordPieceModel _ -> WORD_PIECE_DEFAULTS.get(role);
        };
        OptionalInt id = content == null ? OptionalInt.empty() : find(content);
        if (id.isPresent()) {
            makeSpecial(content, id.getAsInt(), source.file());
        }
        return id;
    }

    /** A special token, given as its text or as an object with the text as its content. */
    private OptionalInt special(JsonObject source, String name, Object value) throws TokenizerException {
        if (value instanceof String content) {
            // As the reference does, a special token that no file gives an id gets the next one.
            makeSpecial(content, find(content).orElseGet(this::nextId), source.file());
            return find(content);
        }
        JsonObject token = source.object(name, value);
        String content = token.requiredString("content");
        int id = find(content).orElseGet(this::nextId);
        put(added(token, id, true).asSpecial(), source.file());
        return OptionalInt.of(id);
    }

    private void makeSpecial(String content, int id, Path file) throws TokenizerException {
        AddedToken known = plain.contains(content) ? null : added.get(content);
        put(known != null ? known.asSpecial() : AddedToken.special(id, content), file);
    }

    private void add(JsonObject token, int id) throws TokenizerException {
        AddedToken described = added(token, id, false);
        plain.remove(described.content());
        put(described, token.file());
    }

    private static AddedToken added(JsonObject token, int id, boolean specialIfMissing) throws TokenizerException {
        boolean special = token.flag("special", specialIfMissing);
        return new AddedToken(id, token.requiredString("content"), token.flag("single_word", false),
                token.flag("lstrip", false), token.flag("rstrip", false), token.flag("normalized", !special), special);
    }

    /** Adds a token, or says more about a known one; refuses a second id for a token and a second token for an id. */
    private void put(AddedToken token, Path file) throws TokenizerException {
        if (token.content().length() > LONGEST_ADDED_TOKEN) {
            throw new TokenizerException(file, "the added token " + JsonObject.shown(token.content()) + " has "
                    + token.content().length() + " characters, expected at most " + LONGEST_ADDED_TOKEN);
        }
        OptionalInt known = find(token.content());
        String other = addedIds.getOrDefault(token.id(), model.vocabulary().token(token.id()));
        if (known.isPresent() && known.getAsInt() != token.id()) {
            throw new TokenizerException(file, "the added token " + JsonObject.shown(token.content()) + " has the id "
                    + token.id() + ", expected " + known.getAsInt() + " as elsewhere in the tokenizer files");
        }
        if (other != null && !other.equals(token.content())) {
            throw new TokenizerException(file, "the added token " + JsonObject.shown(token.content()) + " has the id "
                    + token.id() + ", expected another, since this one belongs to " + JsonObject.shown(other));
        }
        added.put(token.content(), token);
        addedIds.put(token.id(), token.content());
    }

    private OptionalInt find(String content) {
        AddedToken token = added.get(content);
        int id = token != null ? token.id() : model.vocabulary().find(content);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    private int nextId() {
        int next = model.vocabulary().size();
        for (int id : addedIds.keySet()) {
            next = Math.max(next, id + 1);
        }
        return next;
    }

    private JsonObject optional(String name) throws IOException {
        Path file = directory.resolve(name);
        return Files.exists(file) ? Json.object(file) : new JsonObject(file, "", Map.of());
    }

    private static Object number(String text) {
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException e) {
            return text;
        }
    }
}
