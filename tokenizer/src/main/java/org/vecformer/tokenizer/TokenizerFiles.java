package org.vecformer.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
    /** What GPT-2 uses for these roles when the files do not say. */
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final Set<String> BPE_DEFAULT_ROLES = Set.of("bos_token", "eos_token", "unk_token");
    /** What BERT has in its roles when the files do not say. */
    private static final Map<String, String> WORD_PIECE_DEFAULTS = Map.of("unk_token", "[UNK]", "sep_token", "[SEP]",
            "pad_token", "[PAD]", "cls_token", "[CLS]", "mask_token", "[MASK]");
    private static final List<String> ROLES = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
            "cls_token", "mask_token");
    private static final List<String> MORE_SPECIAL_TOKENS = List.of("additional_special_tokens",
            "extra_special_tokens");
    private static final Set<String> ANY_CLASS = Set.of("PreTrainedTokenizerFast", "TokenizersBackend");
    /** The classes that read vocab.json and merges.txt the way GPT-2 does. */
    private static final Set<String> BPE_CLASSES = Set.of("GPT2Tokenizer", "CodeGenTokenizer");
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
                    model = BytePairReader.read(json);
                    fileTemplate = BytePairReader.template(json);
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
            if (tokenizerClass != null && !ANY_CLASS.contains(tokenizerClass)
                    && !BPE_CLASSES.contains(tokenizerClass)) {
                throw config.wrong("tokenizer_class", "\"GPT2Tokenizer\"");
            }
            model = BytePairReader.read(directory.resolve("vocab.json"), directory.resolve("merges.txt"));
        }
    }

    /** The class that is to read the files, without the suffix that names its faster form; null if not given. */
    private String tokenizerClass() throws TokenizerException {
        String name = config.string("tokenizer_class");
        return name == null || ANY_CLASS.contains(name) || !name.endsWith("Fast")
                ? name
                : name.substring(0, name.length() - "Fast".length());
    }

    /** vocab.txt is read if it is alone; beside vocab.json or merges.txt, if the class says so. */
    private boolean isWordPiece(String tokenizerClass) {
        if (!Files.exists(directory.resolve("vocab.txt"))) {
            return false;
        }
        return !hasBytePairFiles(directory) || WORD_PIECE_CLASSES.contains(String.valueOf(tokenizerClass));
    }

    private static boolean hasBytePairFiles(Path directory) {
        return Files.exists(directory.resolve("vocab.json")) || Files.exists(directory.resolve("merges.txt"));
    }

    static boolean isPresent(Path directory) {
        return Files.exists(directory.resolve("tokenizer.json")) || hasBytePairFiles(directory)
                || Files.exists(directory.resolve("vocab.txt"));
    }

    static Tokenizer load(Path directory) throws IOException {
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

    private Tokenizer join() throws IOException {
        JsonObject addedIdsByToken = optional("added_tokens.json");
        for (String content : addedIdsByToken.members().keySet()) {
            int id = addedIdsByToken.id(content);
            AddedToken known = added.get(content);
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
            case WordPieceModel wordPiece -> {
                Template template = fileTemplate == null ? wordPieceTemplate(ids) : fileTemplate;
                int unknown = unknown(wordPiece, ids);
                yield new WordPieceTokenizer(
                        WordPieceReader.configured(wordPiece, config), shared(ids, template), unknown);
            }
        };
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

    /** Files without a limit have a huge number in its place. */
    private OptionalInt maximumLength() throws TokenizerException {
        Object value = config.get("model_max_length");
        if (value == null) {
            return OptionalInt.empty();
        }
        if (!(value instanceof Number number) || !(number.doubleValue() >= 1)) {
            throw config.wrong("model_max_length", "a number of ids");
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

    private int unknown(WordPieceModel wordPiece, SpecialIds ids) throws TokenizerException {
        if (wordPiece.unknownToken() == null) {
            return required("unk_token", ids.unknown());
        }
        return find(wordPiece.unknownToken()).orElseThrow(() -> new TokenizerException(
                directory.resolve("tokenizer.json"), "field model.unk_token is "
                        + JsonObject.shown(wordPiece.unknownToken()) + ", expected a token of the vocabulary"));
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
        String content = model instanceof WordPieceModel
                ? WORD_PIECE_DEFAULTS.get(role)
                : BPE_DEFAULT_ROLES.contains(role) ? END_OF_TEXT : null;
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
        AddedToken known = added.get(content);
        put(known != null ? known.asSpecial() : AddedToken.special(id, content), file);
    }

    private void add(JsonObject token, int id) throws TokenizerException {
        put(added(token, id, false), token.file());
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
