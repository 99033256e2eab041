/** Text to token ids and back. */
module org.vecformer.tokenizer {
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.databind;

    exports org.vecformer.tokenizer;
}
