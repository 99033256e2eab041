/**
 * From other checkpoints to model directories. {@link org.vecformer.loader.convert.CheckpointConverter} is all that is
 * seen from outside.
 *
 * <p>{@code CheckpointSearch} finds the one checkpoint that a path means, in a {@code FileTree} (a directory or an
 * archive, entries of which are read as they are unpacked). A {@code WeightSource} then lists its tensors and reads
 * them one by one: {@code TensorBundle} (TensorFlow; its index is a {@code SortedTable} of protocol buffers),
 * {@code TorchCheckpoint} (PyTorch; a {@code Pickle} says where the numbers are), {@code OnnxFile} or
 * {@code SafetensorsWeights}. {@code BertVariables}, {@code Gpt2Variables} and {@code OnnxNames} give variables the
 * names, shapes and config that Hugging Face's classes expect, {@code Numbers} changes their type, and
 * {@code NewDirectory} makes the result appear as a whole or not at all.
 *
 * <p>All formats are read by code of our own, kept small: no pickle is executed, every length is compared with what is
 * really there before memory is taken for it, and every checksum that a format has is compared.
 */
package org.vecformer.loader.convert;
