package org.vecformer.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.vecformer.engine.model.Bert.Head;
import org.vecformer.engine.model.Session;
import org.vecformer.engine.model.SessionOptions;
import org.vecformer.loader.BertConfig;
import org.vecformer.loader.Gpt2Config;
import org.vecformer.loader.GptConfig;
import org.vecformer.loader.OpenAiGptConfig;

/**
 * What is to be said of a model of any kind.
 *
 * @param config its config under the names of config.json
 * @param heads a BERT's heads, or a GPT's
 * @param labels a BERT classifier's labels
 * @param cacheBytes the cache for a full context; 0 for an encoder, which has none
 */
record ModelFacts(Map<String, Object> config, List<String> heads, List<String> labels, long cacheBytes) {

    static ModelFacts of(LoadedModel model) {
        return switch (model) {
            case LoadedGpt loaded -> {
                try (Session session = loaded.gpt().openSession(SessionOptions.defaults())) {
                    yield new ModelFacts(config(loaded.gpt().config()),
                            List.of(loaded.gpt().head().name().toLowerCase(Locale.ROOT)), List.of(),
                            session.cacheBytes());
                }
            }
            case LoadedBert loaded -> new ModelFacts(config(loaded.bert().config()),
                    loaded.bert().heads().stream().map(ModelFacts::name).toList(), loaded.bert().config().labels(), 0);
        };
    }

    private static String name(Head head) {
        return head.name().toLowerCase(Locale.ROOT);
    }

    private static Map<String, Object> config(GptConfig config) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("vocab_size", config.vocabularySize());
        fields.put("n_positions", config.contextLength());
        fields.put("n_embd", config.hiddenSize());
        fields.put("n_layer", config.layers());
        fields.put("n_head", config.heads());
        String activation = config.activation().name().toLowerCase(Locale.ROOT);
        switch (config) {
            case Gpt2Config gpt2 -> {
                fields.put("n_inner", gpt2.innerSize());
                fields.put("activation_function", activation);
                fields.put("layer_norm_epsilon", gpt2.layerNormEpsilon());
                fields.put("scale_attn_weights", gpt2.scaleAttentionWeights());
                fields.put("scale_attn_by_inverse_layer_idx", gpt2.scaleAttentionByInverseLayerIndex());
                fields.put("reorder_and_upcast_attn", gpt2.reorderAndUpcastAttention());
            }
            case OpenAiGptConfig openAi -> {
                fields.put("afn", activation);
                fields.put("layer_norm_epsilon", openAi.layerNormEpsilon());
            }
        }
        fields.put("tie_word_embeddings", config.tieWordEmbeddings());
        return fields;
    }

    private static Map<String, Object> config(BertConfig config) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("vocab_size", config.vocabularySize());
        fields.put("max_position_embeddings", config.contextLength());
        fields.put("hidden_size", config.hiddenSize());
        fields.put("num_hidden_layers", config.layers());
        fields.put("num_attention_heads", config.heads());
        fields.put("intermediate_size", config.innerSize());
        fields.put("type_vocab_size", config.typeVocabularySize());
        fields.put("hidden_act", config.activation().name().toLowerCase(Locale.ROOT));
        fields.put("layer_norm_eps", config.layerNormEpsilon());
        fields.put("is_decoder", config.decoder());
        fields.put("tie_word_embeddings", config.tieWordEmbeddings());
        config.problemType().ifPresent(type -> fields.put("problem_type", type.toString()));
        return fields;
    }
}
