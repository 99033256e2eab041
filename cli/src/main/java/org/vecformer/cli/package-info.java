/**
 * The command line {@code gpt2.jar}; its contract (names, JSON shapes, exit statuses) is written down in cli.md.
 *
 * <p>{@link org.vecformer.cli.Main} is what the launcher starts in a JDK 25: it takes the arguments, picks the
 * command's class, and turns whatever goes wrong into one line and an exit status. One class is one command; it holds
 * its options (picocli), and nothing of it is loaded for another command. Everything that computes is the engine's.
 */
package org.vecformer.cli;
