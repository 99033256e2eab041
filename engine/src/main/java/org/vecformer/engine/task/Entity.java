package org.vecformer.engine.task;

/**
 * A piece of a text that has a label.
 *
 * @param label without the {@code B-} or {@code I-} of its tokens; of a token that was not aggregated the whole label
 * @param score a probability: the mean over its words or tokens
 * @param word  its tokens put together, as the tokenizer writes them; {@link #start} and {@link #end} tell the text's
 *              own characters
 * @param index of the token in the sequence; -1 for an aggregated entity
 * @param start index of its first character (UTF-16 unit) in the text; -1 if the input was token ids
 * @param end   index behind its last character
 */
public record Entity(String label, double score, String word, int index, int start, int end) {}
