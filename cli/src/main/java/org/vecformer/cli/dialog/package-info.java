/**
 * Files of conversations: what was said, and who is talking.
 *
 * <p>{@code evaluate-dialog} reads PersonaChat files: an {@link org.vecformer.cli.dialog.ExampleReader} is one of the
 * formats, read example by example; an {@link org.vecformer.cli.dialog.ExampleFile} is what there is in a file, whose
 * {@link org.vecformer.cli.dialog.CandidateExamples} have the candidates that are wanted; a
 * {@link org.vecformer.cli.dialog.ResultsFile} keeps what came of them. Every file is read as if it were hostile: what
 * is wrong is an exception with a sentence.
 */
package org.vecformer.cli.dialog;
