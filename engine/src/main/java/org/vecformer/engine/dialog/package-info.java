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
 * The one who asks for a suggestion of what the user could say swaps the roles: the user's persona, the same history.
 */
package org.vecformer.engine.dialog;
