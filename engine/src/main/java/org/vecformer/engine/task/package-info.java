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
 * The tasks for a BERT have one shape. {@code open(model)} takes memory for a session; the options are given
 * with each call and are immutable; a {@link org.vecformer.engine.task.TaskInput} is a text, a pair or token ids. Each
 * has a method for many inputs, whose results are in the inputs' order: it packs them into batches of a bounded number
 * of tokens ({@link org.vecformer.engine.model.EncoderOptions}) and tells a
 * {@link org.vecformer.engine.task.TaskProgress}. A result has the same bits alone and in any batch. Results are what the
 * pipelines of Hugging Face's transformers, or sentence-transformers, give.
 * <h2>Calls</h2>
 * What is said here holds for all tasks. A task does one call at a time, on the thread that calls, whichever that is;
 * another call is refused with an {@link java.lang.IllegalStateException} meanwhile. Tasks share a model: each thread
 * opens its own, or all share an {@link org.vecformer.engine.task.EmbeddingBatcher} or a
 * {@link org.vecformer.engine.generation.Scheduler}.
 * <p>
 * A call ends early when
 * <ul>
 * <li>the {@link org.vecformer.engine.Cancellation} that was given to it is cancelled or late: each method that computes
 * has a form with one as its last parameter. It may be cancelled before the call begins, which then ends at once;</li>
 * <li>{@code cancel()} is called, which is for the call that runs at that moment, and for none that begins after it;</li>
 * <li>the thread is interrupted, whose interrupt status stays set;</li>
 * <li>the task is closed.</li>
 * </ul>
 * This is looked at before each step and between its layers, so a call ends after a layer at most. A generation that was
 * ended gives what was written until then, with the reason CANCELLED or TIME; all other calls throw a
 * {@link java.util.concurrent.CancellationException}, which is a {@link org.vecformer.engine.DeadlineException} if the time
 * was over. The task can be used again. Whatever the call, if its task is closed it throws a
 * {@link org.vecformer.engine.ClosedException}, as each call after that does; {@code close()} does not wait for it, and
 * the memory is freed behind it. A second {@code close()} does nothing.
 *
 * {@snippet file="org/vecformer/engine/snippets/TaskSnippets.java" region="deadline"}
 */
package org.vecformer.engine.task;
