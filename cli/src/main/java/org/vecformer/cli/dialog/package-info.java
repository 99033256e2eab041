/**
 * Files of conversations: what was said, and who is talking.
 *
 * <p>A {@link org.vecformer.cli.dialog.Conversation} is what {@code chat} saves, as a
 * {@link org.vecformer.cli.dialog.ConversationFile}; {@link org.vecformer.cli.dialog.Personalities} are what it picks
 * its persona from. Every file is read as if it were hostile: what is wrong is an exception with a sentence.
 */
package org.vecformer.cli.dialog;
