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
    /** What GPT-2 uses for all roles when the files do not say. */
    private static final String END_OF_TEXT = "<|endoftext|>";
    private static final List<String> ROLES = List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token",
            "cls_token", "mask_token");
    private static final Set<String> ROLES_WITH_DEFAULT = Set.of("bos_token", "eos_token", "unk_token");
    private static final List<String> MORE_SPECIAL_TOKENS = List.of("additional_special_tokens",
            "extra_special_tokens");
    /** The classes that read vocab.json and merges.txt the way GPT-2 does. */
    private static final Set<String> CLASSES = Set.of("GPT2Tokenizer", "GPT2TokenizerFast", "CodeGenTokenizer",
            "CodeGenTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend");

    private final Path directory;
    private final JsonObject config;
    private final JsonObject specialTokensMap;
    private final Map<String, AddedToken> added = new LinkedHashMap<>();
    private final Map<Integer, String> addedIds = new LinkedHashMap<>();
    private final BytePairModel model;

    private TokenizerFiles(Path directory) throws IOException {
        this.directory = directory;
        config = optional("tokenizer_config.json");
        specialTokensMap = optional("special_tokens_map.json");
        if (Files.exists(directory.resolve("tokenizer.json"))) {
            ModelReader.TokenizerJson read = ModelReader.read(directory.resolve("tokenizer.json"));
            model = read.model();
            for (JsonObject token : read.addedTokens()) {
                add(token, token.id("id"));
            }
        } else {
            String tokenizerClass = config.string("tokenizer_class");
            if (tokenizerClass != null && !CLASSES.contains(tokenizerClass)) {
                throw config.wrong("tokenizer_class", "\"GPT2Tokenizer\"");
            }
            model = ModelReader.read(directory.resolve("vocab.json"), directory.resolve("merges.txt"));
        }
    }

    static boolean isPresent(Path directory) {
        return Files.exists(directory.resolve("tokenizer.json")) || Files.exists(directory.resolve("vocab.json"))
                || Files.exists(directory.resolve("merges.txt"));
    }

    static BytePairTokenizer load(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new TokenizerException(directory,
                    (Files.exists(directory) ? "is a file" : "is missing")
                            + ", expected a directory with tokenizer files");
        }
        if (!isPresent(directory)) {
            throw new TokenizerException(directory,
                    "has no tokenizer files, expected tokenizer.json, or vocab.json and merges.txt");
        }
        return new TokenizerFiles(directory).join();
    }

    private BytePairTokenizer join() throws IOException {
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
        SpecialIds ids = new SpecialIds(roles.get("bos_token"), roles.get("eos_token"), roles.get("pad_token"),
                roles.get("unk_token"));
        boolean addPrefixSpace = config.flag("add_prefix_space", model.addPrefixSpace());
        BytePairModel finished = new BytePairModel(model.vocabulary(), model.merges(), model.unknownToken(),
                addPrefixSpace, model.splitWords(), model.trim(), template(ids));
        return new BytePairTokenizer(finished, List.copyOf(added.values()), ids, byteIds(ids));
    }

    /** The id of each byte; a byte that the vocabulary cannot spell has the id of the unknown token. */
    private int[] byteIds(SpecialIds ids) throws TokenizerException {
        OptionalInt unknown = model.unknownToken() == null ? ids.unknown() : find(model.unknownToken());
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

    private BytePairModel.Template template(SpecialIds ids) throws TokenizerException {
        int[] before = model.template().before();
        int[] after = model.template().after();
        if (before.length == 0 && config.flag("add_bos_token", false)) {
            before = new int[]{ids.begin().orElseThrow(() -> config.wrong("add_bos_token", "a bos_token as well"))};
        }
        if (after.length == 0 && config.flag("add_eos_token", false)) {
            after = new int[]{ids.end().orElseThrow(() -> config.wrong("add_eos_token", "an eos_token as well"))};
        }
        for (int[] part : List.of(before, after)) {
            for (int id : part) {
                if (model.vocabulary().token(id) == null && !addedIds.containsKey(id)) {
                    throw new TokenizerException(directory.resolve("tokenizer.json"),
                            "post_processor puts the id " + id + " around a text, expected an id that has a token");
                }
            }
        }
        return new BytePairModel.Template(before, after);
    }

    private OptionalInt role(String role) throws TokenizerException {
        JsonObject source = config.has(role) ? config : specialTokensMap;
        if (source.has(role)) {
            return source.isNull(role) ? OptionalInt.empty() : special(source, role, source.get(role));
        }
        OptionalInt id = ROLES_WITH_DEFAULT.contains(role) ? find(END_OF_TEXT) : OptionalInt.empty();
        if (id.isPresent()) {
            makeSpecial(END_OF_TEXT, id.getAsInt(), source.file());
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
