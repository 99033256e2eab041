/** Text to token ids and back. */
module org.vecformer.tokenizer {
    requires com.fasterxml.jackson.core;

    exports org.vecformer.tokenizer;
}
