/**
 * The command line {@code gpt2.jar}; its contract (names, JSON shapes, exit statuses) is written down in cli.md.
 *
 * <p>{@link org.vecformer.cli.Main} is what the launcher starts in a JDK 25: it takes the arguments, picks the
 * command's class, and turns whatever goes wrong into one line and an exit status. One class is one command; it holds
 * its options (picocli; groups that commands share are classes of their own, {@code ...Options}), and nothing of it is
 * loaded for another command. Everything that computes is the engine's.
 *
 * <p>A command asks for its model by a {@code ModelRequest}, for a GPT, a BERT or either; what it gets is a {@code
 * LoadedModel}. Commands that run a BERT's task over inputs are an {@code InputTask} (one input, one result, how the
 * result is shown) that a {@code TaskRun} feeds: with the input of the command line, or with the lines of {@code
 * --jsonl}, read ahead as far as they are there and computed together.
 *
 * <p>The options of {@code generate} are groups by what they are about, with the heading that the help shows ({@code
 * Section}). Each group checks its values before a model is loaded and then changes the engine's options; {@code
 * GenerateOptions} puts them together, on top of what the model's authors recommend.
 *
 * <p>{@code chat} is a {@code ChatSession}, which knows what was said and what each line does, and one of two ways in and
 * out: a {@code TerminalChat} (the only user of JLine) or a {@code PlainChat} of lines. A {@code ChatResult} is what goes
 * from the one to the other. Files of conversations are {@code org.vecformer.cli.dialog}'s.
 */
package org.vecformer.cli;
