/**
 * Conversations: a model that answers as somebody with a persona.
 * <p>
 * A {@link org.vecformer.engine.dialog.Dialog} is what the one who answers next knows: who he is, and what has been said.
 * A {@link org.vecformer.engine.dialog.ChatPartner} writes a reply to it or ranks given ones:
 * {@link org.vecformer.engine.dialog.GptPartner} with a GPT, {@link org.vecformer.engine.dialog.BertPartner} with the
 * masks of a BERT. How a dialog becomes the tokens of a GPT is a {@link org.vecformer.engine.dialog.DialogFormat}: with
 * the speaker tokens of Hugging Face's "How to build a State-of-the-Art Conversational AI with Transfer Learning" (2019)
 * where a model has been trained with them ({@link org.vecformer.engine.dialog.SpeakerTokenFormat}), else as plain text
 * ({@link org.vecformer.engine.dialog.TranscriptFormat}).
 * <p>
 * All formats leave out the oldest utterances that do not fit ({@code DialogParts}). A GPT's partner keeps what it has
 * read in a {@link org.vecformer.engine.generation.PromptCache}; replies that are compared go on from it, several in one
 * step ({@code ReplyScorer}).
 * <p>
 * What the user could say is a reply as well, with the roles swapped: a dialog of the user's persona, or none, and the
 * history up to the bot's last utterance. It is asked of a partner of its own, so that both keep what they have read.
 */
package org.vecformer.engine.dialog;
