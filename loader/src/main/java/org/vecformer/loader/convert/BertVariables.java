package org.vecformer.loader.convert;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vecformer.loader.FormatException;

/**
 * Google's BERT (google-research/bert, modeling.py, run_pretraining.py, run_classifier.py, run_squad.py) as Hugging
 * Face's {@code Bert...} classes name and lay out its tensors: kernels are transposed, gamma and beta are weight and
 * bias.
 */
final class BertVariables implements VariableNames.Naming {
    /** What a checkpoint of BERT must have. */
    static final Pattern MARK = Pattern.compile("(.*/)?bert/embeddings/word_embeddings");

    private static final int HEAD_SIZE = 64;
    private static final Pattern LAYER = Pattern.compile("bert\\.encoder\\.layer\\.(\\d+)\\..*");
    private static final Pattern ENCODER = Pattern.compile("bert/encoder/layer_(\\d{1,4})/"
            + "((?:attention/self/(?:query|key|value)|attention/output/dense|intermediate/dense|output/dense)"
            + "/(?:kernel|bias)|(?:attention/output|output)/LayerNorm/(?:gamma|beta))");
    private static final Pattern DENSE_OR_NORM = Pattern.compile(
            "(bert/embeddings/LayerNorm|cls/predictions/transform/LayerNorm)/(gamma|beta)"
                    + "|(bert/pooler/dense|cls/predictions/transform/dense)/(kernel|bias)");
    private static final Pattern EMBEDDINGS = Pattern
            .compile("bert/embeddings/(word|position|token_type)_embeddings");
    /** Variables whose names do not follow from the others'. */
    private static final Map<String, String> HEADS = Map.of(
            "cls/predictions/output_bias", "cls.predictions.bias",
            "cls/seq_relationship/output_weights", "cls.seq_relationship.weight",
            "cls/seq_relationship/output_bias", "cls.seq_relationship.bias",
            "cls/squad/output_weights", "qa_outputs.weight",
            "cls/squad/output_bias", "qa_outputs.bias",
            "output_weights", "classifier.weight",
            "output_bias", "classifier.bias");

    private final String prefix;

    private BertVariables(String prefix) {
        this.prefix = prefix;
    }

    /** The names of this checkpoint, which may all begin with a scope such as {@code module/}. */
    static VariableNames of(WeightSource source) throws FormatException {
        String mark = source.tensors().stream().map(SourceTensor::name).filter(name -> MARK.matcher(name).matches())
                .findFirst().orElseThrow();
        return new VariableNames(source,
                new BertVariables(mark.substring(0, mark.length() - "bert/embeddings/word_embeddings".length())));
    }

    @Override
    public TensorPlan plan(SourceTensor variable) {
        if (!variable.name().startsWith(prefix)) {
            return null;
        }
        String name = variable.name().substring(prefix.length());
        String head = HEADS.get(name);
        if (head != null) {
            return new TensorPlan(variable, head, variable.shape(), false);
        }
        if (EMBEDDINGS.matcher(name).matches()) {
            return new TensorPlan(variable, name.replace('/', '.') + ".weight", variable.shape(), false);
        }
        Matcher layer = ENCODER.matcher(name);
        if (layer.matches()) {
            return part(variable, "bert/encoder/layer/" + Integer.parseInt(layer.group(1)) + "/" + layer.group(2));
        }
        return DENSE_OR_NORM.matcher(name).matches() ? part(variable, name) : null;
    }

    private static TensorPlan part(SourceTensor variable, String name) {
        int slash = name.lastIndexOf('/');
        String module = name.substring(0, slash).replace('/', '.');
        String part = name.substring(slash + 1);
        boolean kernel = part.equals("kernel") && variable.shape().size() == 2;
        return new TensorPlan(variable, module + (part.equals("bias") || part.equals("beta") ? ".bias" : ".weight"),
                kernel ? variable.shape().reversed() : variable.shape(), kernel);
    }

    /**
     * Checks that all of the model is there with shapes that fit each other and the config, and completes the config.
     *
     * @param config Google's or Hugging Face's, or one without fields
     * @param given whether there was a config at all
     * @return the new {@code config.json}
     */
    static JsonObject config(VariableNames names, JsonObject config, boolean given, Findings findings)
            throws FormatException {
        String words = "bert.embeddings.word_embeddings.weight";
        long vocabulary = names.dimension(words, 0, 2);
        long hidden = names.dimension(words, 1, 2);
        long positions = names.dimension("bert.embeddings.position_embeddings.weight", 0, 2);
        long types = names.dimension("bert.embeddings.token_type_embeddings.weight", 0, 2);
        int layers = names.layers(LAYER);
        long inner = names.dimension("bert.encoder.layer.0.intermediate.dense.weight", 0, 2);
        checkShapes(names, vocabulary, hidden, positions, types, inner, layers);
        Map<String, Long> sizes = new LinkedHashMap<>();
        sizes.put("vocab_size", vocabulary);
        sizes.put("hidden_size", hidden);
        sizes.put("num_hidden_layers", (long) layers);
        sizes.put("intermediate_size", inner);
        sizes.put("max_position_embeddings", positions);
        sizes.put("type_vocab_size", types);
        for (var size : sizes.entrySet()) {
            OptionalInt stated = config.size(size.getKey());
            if (stated.isPresent() && stated.getAsInt() != size.getValue()) {
                throw new FormatException(config.source() + ": field " + size.getKey() + " is " + stated.getAsInt()
                        + ", but the checkpoint's tensors have " + size.getValue());
            }
            config.with(size.getKey(), size.getValue());
        }
        String type = config.text("model_type");
        if (type != null && !type.equals("bert")) {
            throw new FormatException(config.source() + ": field model_type is " + FormatException.quote(type)
                    + ", but the checkpoint's tensors are those of \"bert\"");
        }
        heads(config, hidden, layers, inner, given, findings);
        config.with("architectures", List.of(architecture(names))).with("model_type", "bert")
                .orElse("hidden_act", "gelu").orElseNumber("layer_norm_eps", "1e-12").orElse("pad_token_id", 0)
                .orElseNumber("hidden_dropout_prob", "0.1").orElseNumber("attention_probs_dropout_prob", "0.1")
                .orElseNumber("initializer_range", "0.02");
        // How the words were read is the tokenizer's business, and stands in its own file.
        config.without("do_lower_case");
        labels(names, config, findings);
        return config;
    }

    private static void heads(JsonObject config, long hidden, int layers, long inner, boolean given,
            Findings findings) throws FormatException {
        OptionalInt stated = config.size("num_attention_heads");
        if (stated.isPresent()) {
            if (hidden % stated.getAsInt() != 0) {
                throw new FormatException(config.source() + ": field num_attention_heads is " + stated.getAsInt()
                        + ", expected a divisor of the hidden size " + hidden);
            }
            return;
        }
        if (hidden % HEAD_SIZE != 0) {
            throw new FormatException(config.source() + ": there is no num_attention_heads, and the hidden size "
                    + hidden + " is no multiple of " + HEAD_SIZE
                    + "; expected a config (bert_config.json) that has it");
        }
        config.with("num_attention_heads", hidden / HEAD_SIZE);
        findings.note((given ? "the config has no number of heads" : "there is no config") + ": from the shapes "
                + layers + " layers, " + hidden + " wide, " + inner + " inside; assumed " + hidden / HEAD_SIZE
                + " heads of " + HEAD_SIZE + (config.has("hidden_act") ? "" : " and the activation gelu")
                + "; give a bert_config.json if that is wrong");
    }

    private static void checkShapes(VariableNames names, long vocabulary, long hidden, long positions, long types,
            long inner, int layers) throws FormatException {
        String embeddings = "bert.embeddings.";
        names.require(embeddings + "position_embeddings.weight", positions, hidden);
        names.require(embeddings + "token_type_embeddings.weight", types, hidden);
        requireNorm(names, embeddings + "LayerNorm", hidden);
        for (int i = 0; i < layers; i++) {
            String layer = "bert.encoder.layer." + i + ".";
            for (String part : List.of("query", "key", "value")) {
                requireDense(names, layer + "attention.self." + part, hidden, hidden);
            }
            requireDense(names, layer + "attention.output.dense", hidden, hidden);
            requireNorm(names, layer + "attention.output.LayerNorm", hidden);
            requireDense(names, layer + "intermediate.dense", hidden, inner);
            requireDense(names, layer + "output.dense", inner, hidden);
            requireNorm(names, layer + "output.LayerNorm", hidden);
        }
        if (names.has("bert.pooler.dense.weight")) {
            requireDense(names, "bert.pooler.dense", hidden, hidden);
        }
        if (names.has("cls.predictions.bias")) {
            names.require("cls.predictions.bias", vocabulary);
            requireDense(names, "cls.predictions.transform.dense", hidden, hidden);
            requireNorm(names, "cls.predictions.transform.LayerNorm", hidden);
        }
        if (names.has("cls.seq_relationship.weight")) {
            requireDense(names, "cls.seq_relationship", hidden, 2);
        }
        if (names.has("qa_outputs.weight")) {
            requireDense(names, "qa_outputs", hidden, 2);
        }
        if (names.has("classifier.weight")) {
            requireDense(names, "classifier", hidden, names.dimension("classifier.weight", 0, 2));
        }
    }

    private static void requireDense(VariableNames names, String module, long inputs, long outputs)
            throws FormatException {
        names.require(module + ".weight", outputs, inputs);
        names.require(module + ".bias", outputs);
    }

    private static void requireNorm(VariableNames names, String module, long width) throws FormatException {
        names.require(module + ".weight", width);
        names.require(module + ".bias", width);
    }

    private static String architecture(VariableNames names) {
        boolean words = names.has("cls.predictions.bias");
        if (names.has("qa_outputs.weight")) {
            return "BertForQuestionAnswering";
        } else if (names.has("classifier.weight")) {
            return "BertForSequenceClassification";
        } else if (names.has("cls.seq_relationship.weight")) {
            return words ? "BertForPreTraining" : "BertForNextSentencePrediction";
        }
        return words ? "BertForMaskedLM" : "BertModel";
    }

    /** A classifier's labels have no names in a checkpoint. */
    private static void labels(VariableNames names, JsonObject config, Findings findings) throws FormatException {
        if (!names.has("classifier.weight")) {
            return;
        }
        findings.note("output_weights and output_bias are taken for a classifier of whole texts (run_classifier.py)");
        if (config.has("id2label")) {
            return;
        }
        Map<String, String> labels = new LinkedHashMap<>();
        for (int i = 0; i < names.dimension("classifier.weight", 0, 2); i++) {
            labels.put(String.valueOf(i), "LABEL_" + i);
        }
        config.with("id2label", labels);
    }

    /** Whether a vocabulary is of a model that lower-cases: hardly a token has an upper-case letter. */
    static boolean isUncased(String vocabulary) {
        long upper = 0;
        long cased = 0;
        List<String> tokens = new ArrayList<>(vocabulary.lines().toList());
        tokens.removeIf(token -> token.startsWith("[") && token.endsWith("]"));
        for (String token : tokens) {
            boolean hasUpper = token.codePoints().anyMatch(Character::isUpperCase);
            if (hasUpper) {
                upper++;
            }
            if (hasUpper || token.codePoints().anyMatch(Character::isLowerCase)) {
                cased++;
            }
        }
        // bert-base-uncased has a few: letters like the double-struck R have no lower case.
        return upper * 100 <= cased;
    }
}
