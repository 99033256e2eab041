/**
 * What users call: a task has a model, a tokenizer and a session, and speaks text.
 * <p>
 * Three are for a GPT-2: {@link org.vecformer.engine.task.TextGenerator} continues texts, {@link
 * org.vecformer.engine.task.Scorer} tells how likely texts and next tokens are, {@link
 * org.vecformer.engine.task.Evaluator} measures the model on files. All others are for a BERT, one for each
 * head: {@link org.vecformer.engine.task.FillMask} and {@link org.vecformer.engine.task.MaskGenerator} (masked LM),
 * {@link org.vecformer.engine.task.NextSentence}, {@link org.vecformer.engine.task.Classifier} and
 * {@link org.vecformer.engine.task.Reranker} (sequence classifier), {@link org.vecformer.engine.task.TokenClassifier},
 * {@link org.vecformer.engine.task.QuestionAnswerer}, {@link org.vecformer.engine.task.MultipleChoice}; and
 * {@link org.vecformer.engine.task.Embedder}, which needs none, and which many threads share as an
 * {@link org.vecformer.engine.task.EmbeddingBatcher}.
 * <p>
 * The tasks for a BERT have one shape. {@code open(model, tokenizer)} takes memory for a session; the options are given
 * with each call and are immutable; a {@link org.vecformer.engine.task.TaskInput} is a text, a pair or token ids. Each
 * has a method for many inputs, whose results are in the inputs' order: it packs them into batches of a bounded number
 * of tokens ({@link org.vecformer.engine.model.EncoderOptions}), tells a
 * {@link org.vecformer.engine.task.TaskProgress}, and ends with a
 * {@link java.util.concurrent.CancellationException} after {@code cancel()}. A result has the same bits alone and in any
 * batch. Results are what the pipelines of Hugging Face's transformers, or sentence-transformers, give.
 */
package org.vecformer.engine.task;
