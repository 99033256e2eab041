/**
 * From files to tensors and configurations. This room reads and checks and knows nothing of tokenizers.
 *
 * <p>{@link org.vecformer.loader.ModelFiles} finds the files of a model: a directory, a file, or a name in the local
 * models folder or the Hugging Face cache. {@link org.vecformer.loader.Checkpoint} joins one safetensors file or
 * several shards into one set of named tensors and copies their bytes into memory that the caller owns.
 * {@link org.vecformer.loader.Gpt2Config}, {@link org.vecformer.loader.OpenAiGptConfig},
 * {@link org.vecformer.loader.BertConfig} and {@link org.vecformer.loader.GenerationConfig} read the JSON beside them.
 * {@link org.vecformer.loader.SafetensorsWriter} writes such files.
 *
 * <p>{@link org.vecformer.loader.Quantization} says how a file has quantized matrices, and
 * {@link org.vecformer.loader.BlockQuantizer} makes them, for a file that is converted and for a model that is loaded
 * alike: the one thing that is computed here.
 *
 * <p>Every file is taken as hostile. What is wrong with one is a {@link org.vecformer.loader.FormatException} whose one
 * sentence names the file, the field, its value and what was expected; nothing is allocated on the word of a length
 * field alone. Weights are copied by plain positional reads in windows of 8 MB: a mapped file that another process
 * truncates would kill the JVM, a read only fails.
 */
package org.vecformer.loader;
