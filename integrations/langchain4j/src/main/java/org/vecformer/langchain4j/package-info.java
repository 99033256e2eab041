/**
 * LangChain4j's models, computed by vecformer in the process: vectors of texts
 * ({@link org.vecformer.langchain4j.VecformerEmbeddingModel}), scores of texts against a query
 * ({@link org.vecformer.langchain4j.VecformerScoringModel}), texts that go on
 * ({@link org.vecformer.langchain4j.VecformerLanguageModel} and
 * {@link org.vecformer.langchain4j.VecformerStreamingLanguageModel}), and counts of tokens
 * ({@link org.vecformer.langchain4j.VecformerTokenCountEstimator}). There are no chat models: GPT-2, OpenAI GPT and BERT
 * were not trained on conversations of roles.
 * <p>
 * All are thread-safe, and results have the same bits as the engine's own. A model that is given to a builder stays its
 * owner's. What LangChain4j lets one ask for and is not here is refused, never ignored: by an {@link
 * dev.langchain4j.exception.UnsupportedFeatureException}, or an {@link java.lang.IllegalArgumentException} where the engine
 * is asked for something it does not have.
 * <p>
 * The engine's exceptions come as they are, but for those that LangChain4j has names for, which then are their causes: a
 * full queue is a {@link dev.langchain4j.exception.RateLimitException}, which may be tried again, and a text that does not
 * fit an {@link dev.langchain4j.exception.InvalidRequestException}, which need not be.
 */
package org.vecformer.langchain4j;
