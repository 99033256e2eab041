package org.vecformer.loader.convert;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vecformer.loader.FormatException;

/**
 * OpenAI's GPT-2 (openai/gpt-2, src/model.py) as Hugging Face's {@code GPT2LMHeadModel} names its tensors. Its matrices
 * are [1, in, out]; Hugging Face keeps them as [in, out].
 */
final class Gpt2Variables implements VariableNames.Naming {
    /** What a checkpoint of GPT-2 must have. */
    static final Pattern MARK = Pattern.compile("(.*/)?wte");

    private static final int HEAD_SIZE = 64;
    private static final Pattern LAYER = Pattern.compile("transformer\\.h\\.(\\d+)\\..*");
    private static final Pattern BLOCK = Pattern.compile(
            "h(\\d{1,4})/(?:(attn/c_attn|attn/c_proj|mlp/c_fc|mlp/c_proj)/(w|b)|(ln_1|ln_2)/(g|b))");
    private static final Map<String, String> OTHERS = Map.of("wte", "transformer.wte.weight", "wpe",
            "transformer.wpe.weight", "ln_f/g", "transformer.ln_f.weight", "ln_f/b", "transformer.ln_f.bias");

    private final String prefix;

    private Gpt2Variables(String prefix) {
        this.prefix = prefix;
    }

    /** The names of this checkpoint, which all begin with a scope, {@code model/} as published. */
    static VariableNames of(WeightSource source) throws FormatException {
        String mark = source.tensors().stream().map(SourceTensor::name).filter(name -> MARK.matcher(name).matches())
                .findFirst().orElseThrow();
        return new VariableNames(source, new Gpt2Variables(mark.substring(0, mark.length() - "wte".length())));
    }

    @Override
    public TensorPlan plan(SourceTensor variable) {
        if (!variable.name().startsWith(prefix)) {
            return null;
        }
        String name = variable.name().substring(prefix.length());
        String other = OTHERS.get(name);
        if (other != null) {
            return new TensorPlan(variable, other, variable.shape(), false);
        }
        Matcher block = BLOCK.matcher(name);
        if (!block.matches()) {
            return null;
        }
        String module = block.group(2) != null ? block.group(2) : block.group(4);
        String part = block.group(2) != null ? block.group(3) : block.group(5);
        List<Long> shape = variable.shape();
        boolean convolution = part.equals("w") && shape.size() == 3 && shape.getFirst() == 1;
        return new TensorPlan(variable, "transformer.h." + Integer.parseInt(block.group(1)) + "."
                + module.replace('/', '.') + (part.equals("b") ? ".bias" : ".weight"),
                convolution ? shape.subList(1, 3) : shape, false);
    }

    /**
     * Checks that all of the model is there with shapes that fit each other and the config, and makes the new config.
     *
     * @param config OpenAI's {@code hparams.json}, Hugging Face's {@code config.json}, or one without fields
     * @param endOfText the id of {@code <|endoftext|>}; null if the vocabulary is not there
     */
    static JsonObject config(VariableNames names, JsonObject config, boolean given, Integer endOfText,
            Findings findings) throws FormatException {
        long vocabulary = names.dimension("transformer.wte.weight", 0, 2);
        long hidden = names.dimension("transformer.wte.weight", 1, 2);
        long positions = names.dimension("transformer.wpe.weight", 0, 2);
        int layers = names.layers(LAYER);
        long inner = names.dimension("transformer.h.0.mlp.c_fc.weight", 1, 2);
        checkShapes(names, hidden, positions, inner, layers);
        Map<String, Long> sizes = new LinkedHashMap<>();
        sizes.put("n_vocab", vocabulary);
        sizes.put("vocab_size", vocabulary);
        sizes.put("n_ctx", positions);
        sizes.put("n_positions", positions);
        sizes.put("n_embd", hidden);
        sizes.put("n_layer", (long) layers);
        for (var size : sizes.entrySet()) {
            OptionalInt stated = config.size(size.getKey());
            if (stated.isPresent() && stated.getAsInt() != size.getValue()) {
                throw new FormatException(config.source() + ": field " + size.getKey() + " is " + stated.getAsInt()
                        + ", but the checkpoint's tensors have " + size.getValue());
            }
            config.with(size.getKey(), size.getValue());
        }
        String type = config.text("model_type");
        if (type != null && !type.equals("gpt2")) {
            throw new FormatException(config.source() + ": field model_type is " + FormatException.quote(type)
                    + ", but the checkpoint's tensors are those of \"gpt2\"");
        }
        heads(config, hidden, layers, given, findings);
        config.without("n_vocab").with("architectures", List.of("GPT2LMHeadModel")).with("model_type", "gpt2")
                .orElse("activation_function", "gelu_new").orElseNumber("layer_norm_epsilon", "1e-5")
                .orElseNumber("initializer_range", "0.02");
        if (inner != 4 * hidden) {
            config.with("n_inner", inner);
        }
        if (endOfText != null && endOfText < vocabulary) {
            config.orElse("bos_token_id", endOfText).orElse("eos_token_id", endOfText);
        }
        return config;
    }

    private static void heads(JsonObject config, long hidden, int layers, boolean given, Findings findings)
            throws FormatException {
        OptionalInt stated = config.size("n_head");
        if (stated.isPresent()) {
            if (hidden % stated.getAsInt() != 0) {
                throw new FormatException(config.source() + ": field n_head is " + stated.getAsInt()
                        + ", expected a divisor of the width " + hidden);
            }
            return;
        }
        if (hidden % HEAD_SIZE != 0) {
            throw new FormatException(config.source() + ": there is no n_head, and the width " + hidden
                    + " is no multiple of " + HEAD_SIZE + "; expected a config (hparams.json) that has it");
        }
        config.with("n_head", hidden / HEAD_SIZE);
        findings.note((given ? "the config has no number of heads" : "there is no hparams.json")
                + ": from the shapes " + layers + " layers, " + hidden + " wide; assumed " + hidden / HEAD_SIZE
                + " heads of " + HEAD_SIZE);
    }

    private static void checkShapes(VariableNames names, long hidden, long positions, long inner, int layers)
            throws FormatException {
        names.require("transformer.wpe.weight", positions, hidden);
        requirePair(names, "transformer.ln_f", hidden, hidden);
        for (int i = 0; i < layers; i++) {
            String block = "transformer.h." + i + ".";
            requirePair(names, block + "ln_1", hidden, hidden);
            requirePair(names, block + "attn.c_attn", 3 * hidden, hidden, 3 * hidden);
            requirePair(names, block + "attn.c_proj", hidden, hidden, hidden);
            requirePair(names, block + "ln_2", hidden, hidden);
            requirePair(names, block + "mlp.c_fc", inner, hidden, inner);
            requirePair(names, block + "mlp.c_proj", hidden, inner, hidden);
        }
    }

    private static void requirePair(VariableNames names, String module, long bias, long... weight)
            throws FormatException {
        names.require(module + ".weight", weight);
        names.require(module + ".bias", bias);
    }
}
