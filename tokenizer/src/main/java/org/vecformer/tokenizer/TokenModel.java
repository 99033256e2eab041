package org.vecformer.tokenizer;

/** What the files of one kind of tokenizer say, without what all kinds have. */
sealed interface TokenModel permits BytePairModel, OpenAiGptModel, WordPieceModel {
    Vocabulary vocabulary();
}
